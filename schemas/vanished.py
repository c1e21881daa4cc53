"""What became of clients that the server no longer lists."""

from __future__ import annotations

from dataclasses import dataclass

GONE = "gone"
"""The server knows the client no more, and nothing tells why."""
MERGED = "merged"
"""Merged into another client, by evidence."""
PURGED = "purged"
"""Removed for ever, by evidence."""
KINDS = frozenset({GONE, MERGED, PURGED})
HELD = "held"
"""Not listed, and left until somebody says how many may go."""
HIDDEN = "hidden"
"""Not listed, but known: this token may no longer see it."""


@dataclass(frozen=True, slots=True)
class Vanished:
    """A client that is no longer on the server; `into` names the survivor of a merge, `evidence` says it to people.

    Raises ValueError for what contradicts itself: a merge without a survivor, or a survivor without a merge.
    """

    id: str
    kind: str
    into: str | None = None
    evidence: str = ""

    def __post_init__(self) -> None:
        """Refuse what the redirects could not say."""
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is not one of {sorted(KINDS)}")
        if (self.kind == MERGED) != bool(self.into) or self.into == self.id:
            raise ValueError(f"{self.kind} into {self.into!r} says nothing")

"""The fate of clients that the server no longer lists."""

from __future__ import annotations

import msgspec

GONE = "gone"
"""The server no longer knows the client, and nothing shows why."""
MERGED = "merged"
"""Merged into another client, by evidence."""
PURGED = "purged"
"""Removed for ever, by evidence."""
KINDS = frozenset({GONE, MERGED, PURGED})
HELD = "held"
"""Not listed, and kept until somebody says how many may go."""
HIDDEN = "hidden"
"""Not listed, but known: this token may no longer see it."""


class Vanished(msgspec.Struct, frozen=True):
    """A client that is no longer on the server; `into` names the survivor of a merge, `evidence` explains it to people.

    Raises ValueError for a contradiction: a merge without a survivor, or a survivor without a merge.
    """

    id: str
    kind: str
    into: str | None = None
    evidence: str = ""

    def __post_init__(self) -> None:
        """Refuse values that the redirects cannot express."""
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is not one of {sorted(KINDS)}")
        if (self.kind == MERGED) != bool(self.into) or self.into == self.id:
            raise ValueError(f"{self.kind} into {self.into!r} says nothing")

"""What a write is to change, and what became of it: noted before it is sent, and after it was read back.

A journal is where `connector` notes its writes; the warehouse keeps it. A call that was noted and never settled was
cut off in the middle: its outcome is unknown until the server is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol


class Outcome(Enum):
    """What became of a client that was to change, or of one of its values, as read back from the server."""

    APPLIED = "applied"
    """It is as the call wanted it."""
    NOT_APPLIED = "not applied"
    """It is as it was, although the server answered 200: no right, an archived client, a value it does not keep."""
    CONFLICT = "conflict"
    """It is neither as it was nor as wanted: somebody else has written, or the server has made something else of it."""
    OVERWRITTEN = "overwritten"
    """The call wrote it, and somebody else wrote the client at the same moment: one of the two is lost."""
    THERE_ALREADY = "there already"
    """A value of a plan was there before anything was sent."""
    UNCHANGED = "as it was already"
    """A bulk action had nothing to do for this client."""
    REFUSED = "refused"
    """The server said no, and changed nothing."""
    UNKNOWN = "unknown"
    """No complete answer came, and the server could not be asked."""
    MISSING = "not on the server"
    """There is no such client, or this token may not see it."""
    NOT_SENT = "not sent"
    """Something went wrong before it was its turn."""


AS_WANTED: Final = frozenset({Outcome.APPLIED, Outcome.THERE_ALREADY, Outcome.UNCHANGED})
"""Outcomes of what is now as it was wanted."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What a call is to change of one client: its fields before and after, as the server shows them.

    Of a client that is to be made, `client_id` is empty. The fields of what is no change of a column (a purge, an
    upload) are the verb's own.
    """

    client_id: str
    before: Mapping[str, object] = field(default_factory=dict, repr=False)
    after: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One call that writes: its verb, what it is to change of which clients, and the plan that it belongs to."""

    verb: str
    edits: Sequence[Edit]
    plan_id: str | None = None


class Journal(Protocol):
    """Where calls are noted. What a method notes is safe from a crash when it returns. Both raise WarehouseError."""

    def intend(self, call: Call) -> str:
        """Note that a call is about to be sent; returns its id."""

    def settle(self, call_id: str, outcomes: Sequence[tuple[str, Outcome]], message: str = "") -> None:
        """Note what became of each client of a call. `message` names no person."""

    def leave(self, call_id: str) -> None:
        """Take leave of a call that stays open: nobody is at it any more. Nothing is noted."""

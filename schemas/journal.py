"""A write and its outcome: recorded before it is sent, and after it was read back.

`connector` records its writes in a journal; the warehouse keeps it. A call that was recorded and never settled was cut
off in the middle: its outcome is unknown until the server is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol


class Outcome(Enum):
    """The outcome for one client to change, or one of its values, as read back from the server."""

    APPLIED = "applied"
    """It has the wanted values."""
    NOT_APPLIED = "not applied"
    """It is unchanged, although the server answered 200: no right, an archived client, a value it does not keep."""
    CONFLICT = "conflict"
    """It has neither the old values nor the wanted ones: somebody else has written, or the server stored others."""
    OVERWRITTEN = "overwritten"
    """The call wrote it, and somebody else wrote the client at the same moment: one of the two values is lost."""
    THERE_ALREADY = "there already"
    """A value of a plan was there before anything was sent."""
    UNCHANGED = "as it was already"
    """A bulk action had nothing to do for this client."""
    REFUSED = "refused"
    """The server refused, and changed nothing."""
    UNKNOWN = "unknown"
    """No complete answer came, and the server could not be asked."""
    MISSING = "not on the server"
    """There is no such client, or this token may not see it."""
    NOT_SENT = "not sent"
    """Something went wrong before its turn."""


AS_WANTED: Final = frozenset({Outcome.APPLIED, Outcome.THERE_ALREADY, Outcome.UNCHANGED})
"""Outcomes that leave a client or value as wanted."""


@dataclass(frozen=True, slots=True)
class Edit:
    """The change of one client in a call: its fields before and after, as the server shows them.

    `client_id` is empty for a client that is to be made; the journal drops its values if it never gets an id. A verb
    that changes no column (a purge, an upload) uses fields of its own.
    """

    client_id: str
    before: Mapping[str, object] = field(default_factory=dict, repr=False)
    after: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One call that writes: its verb, its changes by client, and its plan."""

    verb: str
    edits: Sequence[Edit]
    plan_id: str | None = None


class Journal(Protocol):
    """Records calls. A record is safe from a crash when the method returns. All methods may raise WarehouseError."""

    def intend(self, call: Call) -> str:
        """Record that a call is about to be sent; returns its id."""

    def settle(self, call_id: str, outcomes: Sequence[tuple[str, Outcome]], message: str = "") -> None:
        """Record the outcome for each client of a call. `message` names no person."""

    def leave(self, call_id: str, *, waited: bool = False) -> None:
        """Leave a call open: nobody here works on it any more. Records nothing.

        `waited` says that the server was asked until it could not be at work on the call any more.
        """

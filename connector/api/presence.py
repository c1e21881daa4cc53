"""One client: whether it is still on the server, and what its ledger tells of merges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from httpx import codes

from connector.door.door import Door
from connector.scan.pages import UNREADABLE, narrows
from schemas.errors import NotAuthorised, NotFound, Rejected, UnexpectedShape

MERGED = "Balance update after merging"
"""How a ledger row of a merge begins; the name of the client that is gone follows (Services/Client/Merge.php)."""


class Presence(Enum):
    """What the server says of a client that its list does not show."""

    HERE = "here"
    GONE = "gone"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Note:
    """A ledger row that a merge has written: the name of the client that is gone, the balance it brought, and when.

    `at` is in unix seconds, by the server's clock.
    """

    name: str
    adjustment: Decimal
    at: int


def presence(door: Door, client_id: str) -> Presence:
    """Whether a client is there, gone, or hidden from this token.

    A client which is there and cannot be sent (an empty answer, a 500) is there.
    """
    try:
        door.get(f"/clients/{client_id}")
    except UNREADABLE as problem:
        if not narrows(problem):
            raise
    except Rejected as refusal:
        return presence_by(refusal)
    return Presence.HERE


def presence_by(refusal: Rejected) -> Presence:
    """What a refusal to show a client says of it. Raises the refusal where it says nothing.

    Invoice Ninja answers 400 for an id it does not know, and 401 for a client that the token's user may not see
    (Handler.php).
    """
    if isinstance(refusal, NotFound) and refusal.status == codes.BAD_REQUEST:
        return Presence.GONE
    if isinstance(refusal, NotAuthorised) and refusal.status == codes.UNAUTHORIZED:
        return Presence.HIDDEN
    raise refusal


def merges_into(door: Door, client_id: str) -> list[Note] | None:
    """What a client's ledger tells of clients that were merged into it; None where it cannot be read or sent.

    One that is gone tells of none: whatever it took in went on with it.
    """
    try:
        record = door.get(f"/clients/{client_id}", {"include": "ledger"}).json()
    except UnexpectedShape:
        return None
    except UNREADABLE as problem:
        if narrows(problem):
            return None
        raise
    except NotFound as problem:
        if problem.status == codes.BAD_REQUEST:
            return []
        raise
    except NotAuthorised as problem:
        if problem.status == codes.UNAUTHORIZED:
            return None
        raise
    client = record.get("data") if isinstance(record, dict) else None
    ledger = client.get("ledger") if isinstance(client, dict) else None
    return list(_notes(ledger)) if isinstance(ledger, list) else None


def _notes(ledger: list[object]) -> Iterator[Note]:
    for row in ledger:
        found = row if isinstance(row, dict) else {}
        told, adjustment, at = found.get("notes"), found.get("adjustment"), found.get("created_at")
        if isinstance(told, str) and told.startswith(MERGED) and isinstance(adjustment, int | Decimal):
            yield Note(told.removeprefix(MERGED).strip(), Decimal(adjustment), at if isinstance(at, int) else 0)

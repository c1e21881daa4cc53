"""One client: whether the server still has it, and the merges in its ledger."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import Enum

import msgspec
from httpx import codes

from connector.door.door import Door
from connector.scan.pages import UNREADABLE, narrows
from schemas.entities import CLIENTS
from schemas.entity import Entity
from schemas.errors import NotAuthorised, NotFound, Rejected, UnexpectedShape

MERGED = "Balance update after merging"
"""The start of a merge's ledger row; the name of the client that is gone follows (Services/Client/Merge.php)."""


class Presence(Enum):
    """Where a record is that the server's list does not show."""

    HERE = "here"
    GONE = "gone"
    HIDDEN = "hidden"


class Note(msgspec.Struct, frozen=True):
    """A ledger row of a merge: the name of the client that is gone, the balance it brought, and when.

    `at` is in unix seconds, by the server's clock.
    """

    name: str
    adjustment: Decimal
    at: int


def presence(door: Door, record_id: str, entity: Entity = CLIENTS) -> Presence:
    """Whether a record is there, gone, or hidden from this token.

    A record that the server cannot send (an empty answer, a 500) is there.
    """
    try:
        door.get(f"{entity.path}/{record_id}")
    except UNREADABLE as problem:
        if not narrows(problem):
            raise
    except Rejected as refusal:
        return presence_by(refusal)
    return Presence.HERE


def presence_by(refusal: Rejected) -> Presence:
    """Where a record is, by the server's refusal to show it. Raises the refusal where it does not say.

    Invoice Ninja answers 400 for an unknown id, and 401 for a record that the token's user may not see (Handler.php).
    """
    if isinstance(refusal, NotFound) and refusal.status == codes.BAD_REQUEST:
        return Presence.GONE
    if isinstance(refusal, NotAuthorised) and refusal.status == codes.UNAUTHORIZED:
        return Presence.HIDDEN
    raise refusal


def record_now(door: Door, record_id: str, entity: Entity) -> object:
    """A record as the server has it now; None where it is gone, hidden, or cannot be sent."""
    try:
        answer = door.get(f"{entity.path}/{record_id}").json()
    except UNREADABLE as problem:
        if not narrows(problem):
            raise
        return None
    except Rejected as refusal:
        presence_by(refusal)
        return None
    return answer.get("data") if isinstance(answer, dict) else None


def merges_into(door: Door, client_id: str) -> list[Note] | None:
    """The merges into a client, by its ledger; None where the server cannot send it or this token may not read it.

    Empty where the client itself is gone: its own merges went on with it.
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
        entry = row if isinstance(row, dict) else {}
        text, adjustment, at = entry.get("notes"), entry.get("adjustment"), entry.get("created_at")
        if isinstance(text, str) and text.startswith(MERGED) and isinstance(adjustment, int | Decimal):
            yield Note(text.removeprefix(MERGED).strip(), Decimal(adjustment), at if isinstance(at, int) else 0)

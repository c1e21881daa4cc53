"""Who may see a paper: the contacts that a request names, else every contact that gets mail (BaseRepository)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.papers.kinds import Kind
from sandbox.php import hashids
from sandbox.php.input import Input
from sandbox.store.database import Row, insert, select
from sandbox.store.world import World

FIELD = "client_contact_id"


def named_in(data: Input) -> list[Mapping[str, Any]]:
    """The invitations of a request."""
    sent = data.get("invitations")
    items = sent.values() if isinstance(sent, dict) else sent if isinstance(sent, list) else ()
    return [item if isinstance(item, Mapping) else {} for item in items]


def errors_of(data: Input) -> dict[str, list[str]]:
    """Each invitation needs its contact, once."""
    if "invitations" in data and not isinstance(data["invitations"], list | dict):
        return {"invitations": ["The invitations must be an array."]}
    named = [item.get(FIELD) for item in named_in(data)]
    errors = {}
    for place, contact in enumerate(named):
        where = f"invitations.{place}.{FIELD}"
        if contact in (None, [], {}):
            errors[where] = [f"The {where} field is required."]
        elif named.count(contact) > 1:
            errors[where] = [f"The {where} field has a duplicate value."]
    return errors


def settle(world: World, kind: Kind, number: int, client: Row, data: Input) -> None:
    """Make the invitations those of the request: others go, and missing ones are made; an invitation keeps its key."""
    if data.get("invitations") is not None:
        keys = [item.get("key") for item in named_in(data)]
        for invitation in _of(world, kind, number):
            if invitation["key"] not in keys:
                _end(world, invitation)
        known = {invitation["key"] for invitation in _of(world, kind, number)}
        for item in named_in(data):
            if item.get("key") not in known:
                _invite(world, kind, number, _contact(world, client, item.get(FIELD)))
    if not _of(world, kind, number):
        where = "client_id = ? AND deleted_at IS NULL AND send_email = 1 ORDER BY id"
        _invite(world, kind, number, select(world.db, "contacts", where, (client["id"],)))


def _of(world: World, kind: Kind, number: int) -> list[Row]:
    where = "kind = ? AND paper_id = ? AND deleted_at IS NULL ORDER BY id"
    return select(world.db, "invitations", where, (kind.entity, number))


def _contact(world: World, client: Row, sent: Any) -> list[Row]:
    """The contact of this id, if it is the client's."""
    number = hashids.decode(sent) if isinstance(sent, str) else None
    return select(world.db, "contacts", "id = ? AND client_id = ? AND deleted_at IS NULL", (number, client["id"]))


def _end(world: World, invitation: Row) -> None:
    stamp = world.clock.stamp()
    world.db.execute(
        "UPDATE invitations SET deleted_at = ?, updated_at = ? WHERE id = ?", (stamp, stamp, invitation["id"])
    )


def _invite(world: World, kind: Kind, number: int, contacts: list[Row]) -> None:
    stamp = world.clock.stamp()
    for contact in contacts:
        own = {"kind": kind.entity, "paper_id": number, FIELD: contact["id"], "key": world.secret(32)}
        insert(world.db, "invitations", own | {"created_at": stamp, "updated_at": stamp})


def mark_as_sent(world: World, kind: Kind, row: Row) -> None:
    """Date the invitations of a paper, unless they were sent before."""
    now = datetime.fromtimestamp(world.clock.now(), UTC).strftime("%Y-%m-%d %H:%M:%S")
    world.db.execute(
        "UPDATE invitations SET sent_date = ?, updated_at = ? WHERE kind = ? AND paper_id = ? AND sent_date IS NULL",
        (now, world.clock.stamp(), kind.entity, row["id"]),
    )

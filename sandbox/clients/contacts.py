"""Contacts of a client: a list in the request replaces the present one (ClientContactRepository.php:30-125)."""

from __future__ import annotations

from typing import Any

from sandbox.clients.input import SHORT, plain
from sandbox.php import hashids
from sandbox.php.input import Input
from sandbox.php.text import is_numeric, truth
from sandbox.store.database import Row, insert, select, update
from sandbox.wire.access import hashed
from sandbox.wire.answers import server_error
from sandbox.wire.calls import Call

EMAIL = 100
TEXTS = ("first_name", "last_name", "phone", "custom_value1", "custom_value2", "custom_value3", "custom_value4")


def save_contacts(call: Call, client: Row, data: Input) -> bool:
    """Replace the client's contacts if any are sent, and make a blank one if it has none. Returns whether it wrote."""
    db = call.world.db
    sent = _listed(data["contacts"]) if "contacts" in data else []
    if sent:
        _drop_others(call, client, {c["id"] for c in sent if "id" in c})
        if not any(truth(c.get("send_email")) for c in sent):
            sent[0] = sent[0] | {"send_email": True}
        ordered = sorted(sent, key=lambda c: not truth(c.get("is_primary")))
        for place, contact in enumerate(ordered):
            _save(call, client, contact | {"is_primary": place == 0})
    if not select(db, "contacts", "client_id = ? AND deleted_at IS NULL LIMIT 1", (client["id"],)):
        insert(db, "contacts", _new(call, client) | {"email": " ", "is_primary": 1})
        return True
    return bool(sent)


def _listed(value: Any) -> list[Input]:
    """The contacts in any shape: a list, an object of objects, or one contact alone."""
    if isinstance(value, dict):
        items = list(value.values()) if all(isinstance(v, dict) for v in value.values()) else [value]
    else:
        items = list(value)
    return [_decoded(item) if isinstance(item, dict) else {} for item in items] or [{}]


def _decoded(contact: Input) -> Input:
    """The contact with a row number as id, or without one: a number is not read as an id (Request.php:197-205)."""
    out = dict(contact)
    sent = out.pop("id", None)
    if isinstance(sent, str) and not is_numeric(sent) and (number := hashids.decode(sent)) is not None:
        out["id"] = number
    return out


def _drop_others(call: Call, client: Row, kept: set[int]) -> None:
    live = select(call.world.db, "contacts", "client_id = ? AND deleted_at IS NULL", (client["id"],))
    stamp = call.world.clock.stamp()
    gone = [row["id"] for row in live if row["id"] not in kept]
    update(call.world.db, "contacts", {"deleted_at": stamp, "updated_at": stamp}, gone)


def _new(call: Call, client: Row) -> Row:
    stamp = call.world.clock.stamp()
    owner = {"company_id": client["company_id"], "user_id": client["user_id"], "client_id": client["id"]}
    return {**owner, "contact_key": call.world.secret(32), "created_at": stamp, "updated_at": stamp}


def _save(call: Call, client: Row, contact: Input) -> None:
    """Write one contact. It checks no owner: another client's contact moves here by its id (:68)."""
    db = call.world.db
    values: Row = {name: _text(contact[name]) for name in TEXTS if name in contact}
    if "email" in contact:
        values["email"] = plain(contact["email"] or "").strip()[:EMAIL]
    values |= {name: int(truth(contact[name])) for name in ("is_primary", "send_email") if name in contact}
    known = select(db, "contacts", "id = ? AND deleted_at IS NULL", (contact.get("id"),))
    if known:
        number = known[0]["id"]
        update(db, "contacts", values | {"client_id": client["id"], "updated_at": call.world.clock.stamp()}, [number])
    else:
        number = insert(db, "contacts", _new(call, client) | {"email": ""} | values)
    if password := contact.get("password"):
        _set_password(call, client, number, str(password))


def _set_password(call: Call, client: Row, number: int, password: str) -> None:
    """Set it for every contact of the company with the same address, as the server does."""
    db = call.world.db
    address = select(db, "contacts", "id = ?", (number,))[0]["email"]
    same = select(
        db, "contacts", "company_id = ? AND email = ? AND deleted_at IS NULL", (client["company_id"], address)
    )
    update(db, "contacts", {"password": hashed(password)}, {number, *(row["id"] for row in same)})


def _text(value: Any) -> str | None:
    if isinstance(value, list | dict):
        raise server_error()
    return None if value is None else plain(value)[:SHORT]

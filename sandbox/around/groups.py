"""Groups of clients: /group_settings. Unlike clients they are looked up only inside the company (recorded)."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from sandbox.clients.input import plain
from sandbox.clients.listing import envelope, paged
from sandbox.clients.settings import as_object, problem, stored
from sandbox.clients.shown import group_json
from sandbox.php import hashids
from sandbox.php.text import is_numeric
from sandbox.store.database import Row, insert, select, update
from sandbox.wire.answers import forbidden, invalid, not_found, numeric_id
from sandbox.wire.calls import Call

EMPTY = {"entity": "App\\Models\\Client"}


def _bound(call: Call) -> Row:
    value = call.ids["id"]
    if is_numeric(value):
        raise numeric_id(value)
    rows = select(
        call.world.db, "group_settings", "id = ? AND company_id = ?", (hashids.decode(value), call.token.company_id)
    )
    if not rows:
        raise not_found("GroupSetting")
    if not call.token.is_admin:
        raise forbidden()
    return rows[0]


def _answer(call: Call, number: int) -> Response:
    return envelope(call, group_json(select(call.world.db, "group_settings", "id = ?", (number,))[0]))


def _checked(call: Call, name: Any, settings: dict[str, Any], own_id: int = 0) -> None:
    errors = {}
    if name is None:
        errors["name"] = ["The name field is required."]
    else:
        same = "company_id = ? AND id <> ? AND name = ?"
        if select(call.world.db, "group_settings", same, (call.token.company_id, own_id, plain(name))):
            errors["name"] = ["The name has already been taken."]
    if message := problem(settings):
        errors["settings"] = [message]
    if errors:
        raise invalid(errors)


def index(call: Call) -> Response:
    """GET /group_settings: all of the company's, archived ones too; none for a user without rights."""
    own = call.token.company_id if call.token.is_admin else 0
    rows = select(call.world.db, "group_settings", "company_id = ? ORDER BY id", (own,))
    return paged(call, [group_json(row) for row in rows])


def show(call: Call) -> Response:
    """GET /group_settings/{id}."""
    return _answer(call, _bound(call)["id"])


def store(call: Call) -> Response:
    """POST /group_settings: requires a name that no other group has."""
    if not call.token.is_admin:
        raise forbidden()
    name, settings = call.input.get("name"), as_object(call.input.get("settings") or {})
    _checked(call, name, settings)
    stamp = call.world.clock.stamp()
    row = {"company_id": call.token.company_id, "user_id": call.token.user_id, "name": plain(name)}
    row |= {"settings": json.dumps(stored(settings) or EMPTY), "created_at": stamp, "updated_at": stamp}
    return _answer(call, insert(call.world.db, "group_settings", row))


def save(call: Call) -> Response:
    """PUT /group_settings/{id}: moves no client's stamp, although it may change their currency."""
    row = _bound(call)
    name = call.input.get("name", row["name"])
    settings = as_object(call.input["settings"]) if call.input.get("settings") else json.loads(row["settings"])
    _checked(call, name, settings, row["id"])
    values = {"name": plain(name), "settings": json.dumps(stored(settings)), "updated_at": call.world.clock.stamp()}
    update(call.world.db, "group_settings", values, [row["id"]])
    return _answer(call, row["id"])


def destroy(call: Call) -> Response:
    """DELETE /group_settings/{id}: archived; clients keep its id."""
    row = _bound(call)
    stamp = call.world.clock.stamp()
    if row["deleted_at"] is None:
        update(call.world.db, "group_settings", {"deleted_at": stamp, "updated_at": stamp}, [row["id"]])
    return _answer(call, row["id"])

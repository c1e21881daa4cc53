"""POST /clients/bulk: several clients at once (BulkClientRequest.php:32-48, ClientController.php:223-280)."""

from __future__ import annotations

import sqlite3
from typing import Any

from starlette.responses import Response

from sandbox.books import templates
from sandbox.books.activities import ARCHIVED, RESTORED, note
from sandbox.books.lookups import bulk_columns
from sandbox.clients.clients import delete
from sandbox.clients.input import LONG, LOOKUPS, integer, plain
from sandbox.clients.query import Query, only_visible, since
from sandbox.clients.records import list_answer, rows_of
from sandbox.php import hashids
from sandbox.php.php_json import compact
from sandbox.store.database import Row, marks, select, update
from sandbox.wire.access import may_edit
from sandbox.wire.answers import invalid, server_error
from sandbox.wire.calls import Call

ACTIONS = ("archive", "restore", "delete", "template", "assign_group", "bulk_update")
Errors = dict[str, list[str]]


def bulk(call: Call) -> Response:
    """Apply one action to all of these clients, and answer a page of them.

    One id that is not the company's refuses the whole call; rows that the token may not edit are silently left out.
    """
    ids = _checked(call)
    rows = rows_of(call.world.db, sorted(set(ids)))  # in the order of the primary key, not of the request
    action = call.input["action"]
    if action == "template":
        return templates.fill(call)
    if action in {"assign_group", "bulk_update"}:
        if may_edit(call.token, rows[0]):  # of the first one only
            (_assign_group if action == "assign_group" else _bulk_update)(call, rows)
        elif any(may_edit(call.token, row) for row in rows):
            raise server_error()
    else:
        for row in rows:
            if may_edit(call.token, row):
                {"archive": _archive, "restore": _restore, "delete": delete}[action](call, row)
    query = Query([f"company_id = ? AND id IN ({marks(ids)})"], [call.token.company_id, *ids])
    since(query, call)
    only_visible(query, call.token)
    return list_answer(call, query)


def _checked(call: Call) -> list[int]:
    """The row numbers of the request, all of them the company's."""
    errors = _action_errors(call.input.get("action")) | _column_errors(call) | _group_errors(call)
    sent = call.input.get("ids")
    ids = [
        hashids.decode(x) for x in (sent.values() if isinstance(sent, dict) else sent if isinstance(sent, list) else ())
    ]
    if sent in (None, [], {}):
        errors["ids"] = ["The ids field is required."]
    elif not isinstance(sent, list | dict):
        errors["ids"] = ["The ids must be an array."]
    elif None in ids or not _all_ours(call, ids):
        errors["ids"] = ["The selected ids is invalid."]
    if errors:
        raise invalid(errors)
    return [number for number in ids if number is not None]


def _all_ours(call: Call, ids: list[int | None]) -> bool:
    counted = call.world.db.execute(
        f"SELECT count(*) FROM clients WHERE company_id = ? AND id IN ({marks(ids)})", (call.token.company_id, *ids)
    ).fetchone()
    return bool(counted[0] == len(set(ids)))


def _action_errors(action: Any) -> Errors:
    if action is None:
        return {"action": ["The action field is required."]}
    return {} if action in ACTIONS else {"action": ["The selected action is invalid."]}


def _column_errors(call: Call) -> Errors:
    column = call.input.get("column")
    if column is None:
        required = call.input.get("action") == "bulk_update"
        return {"column": ["The column field is required when action is bulk_update."]} if required else {}
    wrong = [] if isinstance(column, str) else ["The column must be a string."]
    if column not in bulk_columns():
        wrong.append("The selected column is invalid.")
    return {"column": wrong} if wrong else {}


def _group_errors(call: Call) -> Errors:
    group = call.input.get("group_settings_id")
    if group is None:
        required = call.input.get("action") == "assign_group"
        return (
            {"group_settings_id": ["The group settings id field is required when action is assign_group."]}
            if required
            else {}
        )
    ours = select(
        call.world.db, "group_settings", "id = ? AND company_id = ?", (hashids.decode(group), call.token.company_id)
    )
    return {} if ours else {"group_settings_id": ["The selected group settings id is invalid."]}


def _archive(call: Call, row: Row) -> None:
    if row["deleted_at"] is None:
        stamp = call.world.clock.stamp()
        update(call.world.db, "clients", {"deleted_at": stamp, "updated_at": stamp}, [row["id"]])
        note(call, row["id"], ARCHIVED)


def _restore(call: Call, row: Row) -> None:
    if row["deleted_at"] is not None:
        values = {"deleted_at": None, "is_deleted": 0, "updated_at": call.world.clock.stamp()}
        update(call.world.db, "clients", values, [row["id"]])
        note(call, row["id"], RESTORED)


def _assign_group(call: Call, rows: list[Row]) -> None:
    """Assign only active clients; archived and deleted ones are silently left out."""
    values = {
        "group_settings_id": hashids.decode(call.input["group_settings_id"]),
        "updated_at": call.world.clock.stamp(),
    }
    update(call.world.db, "clients", values, [row["id"] for row in rows if row["deleted_at"] is None])


def _bulk_update(call: Call, rows: list[Row]) -> None:
    """One raw UPDATE: unchecked, without an activity, archived and deleted rows too, and NULL where no value came."""
    column, value = call.input["column"], call.input.get("new_value")
    if isinstance(value, list | dict):
        value = compact(value)
    if value is not None:
        text = plain(value)
        value = integer(text) if column in LOOKUPS else text.encode()[:LONG].decode("utf-8", "ignore")
    try:
        update(
            call.world.db,
            "clients",
            {column: value, "updated_at": call.world.clock.stamp()},
            [row["id"] for row in rows],
        )
    except sqlite3.IntegrityError:
        raise server_error() from None

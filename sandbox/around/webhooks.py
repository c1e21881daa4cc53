"""/webhooks: kept and shown, never called (WebhookController).

Creating, showing, changing and archiving are recorded; /edit and /bulk are read from the vendor's code.
"""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.responses import Response

from sandbox.clients.input import plain
from sandbox.clients.listing import envelope, paged
from sandbox.php import hashids
from sandbox.php.text import is_numeric
from sandbox.store.database import Row, insert, marks, select, update
from sandbox.store.world import MICROS
from sandbox.wire.answers import bad_request, compact_answer, forbidden, invalid, not_found, numeric_id, server_error
from sandbox.wire.calls import Call

EVENTS = range(1, 64)
"""Webhook.php:51-139; the clients' are 1 create, 10 update, 11 delete, 37 archive, 45 restore."""
METHODS = ("post", "put")
FORMATS = ("JSON", "UBL")
_URL = re.compile(
    r"[a-z][a-z\d+.-]*://([^\s/@]+@)?([\w-]+(\.[\w-]+)*\.?|\[[\da-f:.]+\])(:\d+)?([/?#]\S*)?", re.IGNORECASE
)
Json = dict[str, Any]


def index(call: Call) -> Response:
    """GET /webhooks: all of the company's, archived ones too; none for a user who is not an admin."""
    own = call.token.company_id if call.token.is_admin else 0
    rows = select(call.world.db, "webhooks", "company_id = ? ORDER BY id", (own,))
    return paged(call, [webhook_json(row) for row in rows])


def show(call: Call) -> Response:
    """GET /webhooks/{id} and /webhooks/{id}/edit."""
    return _answer(call, _bound(call)["id"])


def store(call: Call) -> Response:
    """POST /webhooks: the address, the event and the method. An event that does not exist is a bare 400."""
    if not call.token.is_admin:
        raise forbidden()
    _check(call)
    if not _is_event(call.input["event_id"]):
        return compact_answer("Invalid event", 400)
    stamp = call.world.clock.stamp()
    row = {"company_id": call.token.company_id, "user_id": call.token.user_id, "rest_method": "post", "headers": "[]"}
    row |= _columns(call) | {"created_at": stamp, "updated_at": stamp}
    return _answer(call, insert(call.world.db, "webhooks", row))


def save(call: Call) -> Response:
    """PUT /webhooks/{id}: address and event must be sent again; unknown events are accepted."""
    row = _bound(call)
    _check(call)
    if row["is_deleted"]:
        raise bad_request("Record is deleted and cannot be edited. Restore the record to enable editing")
    update(call.world.db, "webhooks", _columns(call) | {"updated_at": call.world.clock.stamp()}, [row["id"]])
    return _answer(call, row["id"])


def destroy(call: Call) -> Response:
    """DELETE /webhooks/{id}: archived, not deleted (recorded)."""
    row, stamp = _bound(call), call.world.clock.stamp()
    update(call.world.db, "webhooks", {"deleted_at": stamp, "updated_at": stamp}, [row["id"]])
    return _answer(call, row["id"])


def bulk(call: Call) -> Response:
    """POST /webhooks/bulk: archives, restores or deletes the company's own webhooks among these ids."""
    action, ids = call.input.get("action"), call.input.get("ids")
    if not call.token.is_admin or action not in ("archive", "restore", "delete"):
        raise forbidden()
    if ids in (None, [], {}):
        raise invalid({"ids": ["The ids field is required."]})
    sent = ids.values() if isinstance(ids, dict) else ids if isinstance(ids, list) else [ids]
    wanted = [number for number in map(hashids.decode, sent) if number is not None]
    where = f"company_id = ? AND id IN ({marks(wanted)}) ORDER BY id"
    args = (call.token.company_id, *wanted)
    chosen = [row["id"] for row in select(call.world.db, "webhooks", where, args)]
    stamp = call.world.clock.stamp()
    values = {"deleted_at": None if action == "restore" else stamp, "updated_at": stamp}
    if action != "archive":
        values["is_deleted"] = int(action == "delete")
    update(call.world.db, "webhooks", values, chosen)
    return paged(call, [webhook_json(row) for row in select(call.world.db, "webhooks", where, args)])


def _bound(call: Call) -> Row:
    """The webhook in the path, for an admin of its company."""
    value = call.ids["id"]
    if is_numeric(value):
        raise numeric_id(value)
    rows = select(call.world.db, "webhooks", "id = ?", (hashids.decode(value),))
    if not rows:
        raise not_found("Webhook")
    if not call.token.is_admin or rows[0]["company_id"] != call.token.company_id:
        raise forbidden()
    return rows[0]


def _answer(call: Call, number: int) -> Response:
    return envelope(call, webhook_json(select(call.world.db, "webhooks", "id = ?", (number,))[0]))


def _check(call: Call) -> None:
    errors = {}
    url, method = call.input.get("target_url"), call.input.get("rest_method")
    if url in (None, [], {}):
        errors["target_url"] = ["The target url field is required."]
    elif not (isinstance(url, str) and _URL.fullmatch(url)):
        errors["target_url"] = ["The target url must be a valid URL."]
    if call.input.get("event_id") in (None, [], {}):
        errors["event_id"] = ["The event id field is required."]
    if method in ([], {}):
        errors["rest_method"] = ["The rest method field is required."]
    elif method is not None and method not in METHODS:
        errors["rest_method"] = ["The selected rest method is invalid."]
    if errors:
        raise invalid(errors)


def _is_event(value: Any) -> bool:
    """PHP's in_array without its strict mode: numbers in texts count, and `true` equals any event."""
    if isinstance(value, list | dict) or value is False:
        return False
    return value is True or (is_numeric(str(value)) and float(value) in EVENTS)


def _columns(call: Call) -> Row:
    """The sent columns that a caller may set."""
    event = call.input["event_id"]
    if isinstance(event, list | dict):
        raise server_error()
    values: Row = {"target_url": call.input["target_url"], "event_id": plain(event)}
    values["rest_method"] = call.input.get("rest_method") or "post"
    if "format" in call.input:
        kind = str(call.input["format"] or "").upper()
        values["format"] = kind if kind in FORMATS else ""
    if "headers" in call.input:
        values["headers"] = json.dumps(call.input["headers"] or [])
    return values


def webhook_json(row: Row) -> Json:
    """One webhook (WebhookTransformer)."""
    return {
        "id": hashids.encode(row["id"]),
        "company_id": hashids.encode(row["company_id"]),
        "user_id": hashids.encode(row["user_id"]),
        "archived_at": (row["deleted_at"] or 0) // MICROS,
        "updated_at": row["updated_at"] // MICROS,
        "created_at": row["created_at"] // MICROS,
        "is_deleted": bool(row["is_deleted"]),
        "target_url": row["target_url"],
        "event_id": row["event_id"],
        "format": row["format"],
        "rest_method": row["rest_method"],
        "headers": json.loads(row["headers"]),
    }

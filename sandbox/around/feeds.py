"""What happened in the company: GET /activities, POST /activities/entity for one record (ActivityController.php)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from sandbox.clients.includes import by_client
from sandbox.clients.listing import Page, envelope, page_of, pagination
from sandbox.clients.query import Query, since
from sandbox.clients.records import rows_of
from sandbox.clients.shown import Json, activity_json, display_name
from sandbox.papers.lists import add_clients
from sandbox.php import hashids
from sandbox.php.text import INT_MAX, to_int
from sandbox.store.database import Row, marks, select
from sandbox.store.world import MICROS
from sandbox.wire.answers import bad_request, compact_answer, invalid, server_error
from sandbox.wire.calls import Call

DEFAULT_ROWS = 75
ENTITIES = (
    "invoice", "quote", "credit", "purchase_order", "payment", "client", "vendor", "expense", "task", "project",
    "subscription", "recurring_invoice",
)  # fmt: skip
KEPT = ("client", "invoice", "payment", "credit")
"""The sandbox has records of these only; no id matches any of the others."""
RELATIONS = frozenset(
    (
        "account", "backup", "client", "company", "contact", "credit", "expense", "history", "invoice", "payment",
        "purchase_order", "quote", "recurring_expense", "recurring_invoice", "subscription", "task", "token", "user",
        "vendor", "vendor_contact",
    )
)  # fmt: skip


def index(call: Call) -> Response:
    """GET /activities: newest first, paged; `updated_at` is exact in any time zone; other filters and sorts do nothing.

    `include=client` adds the client, where it still exists. Users without `view_activity` (which `view_all` and
    `edit_all` include) get 500: the server asks for a column that the table lacks (recorded for a user without rights).
    With `reactv2` the rows are rendered, not paged, and every user gets their own.
    """
    if "reactv2" in call.input:
        own = "" if call.token.is_admin else f" AND user_id = {call.token.user_id}"
        return _rendered_answer(call, f"company_id = ?{own}", call.token.company_id)
    if not call.token.may("view_activity"):
        raise server_error()
    query, page = Query(["company_id = ?"], [call.token.company_id]), page_of(call)
    since(query, call)
    rows = _page(call, query, page)
    wanted = [name for name in (call.text("include") or "").split(",") if name]
    if rows:
        _check_relations(wanted)
    records = [activity_json(row) for row in rows]
    if "client" in wanted:
        add_clients(call, rows, records)
    total = call.world.db.execute(f"SELECT count(*) FROM activities WHERE {query.where()}", query.args).fetchone()[0]
    return envelope(call, records, pagination(call, page, total, len(rows)))


def _page(call: Call, query: Query, page: Page) -> list[Row]:
    limits = (page.size, min((page.number - 1) * page.size, INT_MAX))
    newest_first = f"{query.where()} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?"
    return select(call.world.db, "activities", newest_first, (*query.args, *limits))


def _check_relations(names: Sequence[str]) -> None:
    for name in names:
        head = name.split(".")[0]
        if head.lower() not in RELATIONS:
            raise bad_request(f"Relation `{head}` is not a valid include.", plain=500)


def _existing(call: Call, ids: Sequence[int]) -> list[int]:
    return [number for (number,) in call.world.db.execute(f"SELECT id FROM clients WHERE id IN ({marks(ids)})", ids)]


def of_one(call: Call) -> Response:
    """POST /activities/entity {entity, entity_id}: the newest 75 activities of one record, rendered, for every user.

    `rows` asks for another number. 422 for missing or unknown values; 500 for an unknown entity with an id, because the
    server cannot find its table (ShowActivityRequest.php).
    """
    entity = call.input.get("entity")
    number = _entity_id(call, entity)
    if number is None or entity != "client":
        return compact_answer({"data": []})  # the sandbox keeps no activities of invoices and the like
    return _rendered_answer(call, "company_id = ? AND client_id = ?", call.token.company_id, number)


def _entity_id(call: Call, entity: Any) -> int | None:
    """The row number of the record. Refuses as the request's rules do."""
    sent, errors = call.input.get("entity_id"), {}
    if entity is None:
        errors["entity"] = ["The entity field is required."]
    elif entity not in ENTITIES:
        errors["entity"] = ["The selected entity is invalid."]
    if sent in (None, [], {}):
        errors["entity_id"] = ["The entity id field is required."]
    elif errors:
        raise server_error()
    number = hashids.decode(sent) if isinstance(sent, str) else None
    if not errors and not _ours(call, entity, number):
        errors["entity_id"] = ["The selected entity id is invalid."]
    if errors:
        raise invalid(errors)
    return number


def _ours(call: Call, entity: str, number: int | None) -> bool:
    if entity not in KEPT:
        return False
    return bool(select(call.world.db, f"{entity}s", "id = ? AND company_id = ?", (number, call.token.company_id)))


def _rendered_answer(call: Call, where: str, *args: Any) -> Response:
    """Rows as the web application shows them, at most `rows` of them; compact, without pages."""
    wanted = call.input.get("rows", DEFAULT_ROWS)
    most = -1 if wanted is None or to_int(wanted) < 0 else to_int(wanted)
    rows = select(call.world.db, "activities", f"{where} ORDER BY created_at DESC, id DESC LIMIT ?", (*args, most))
    users = dict(call.world.db.execute("SELECT id, name FROM users").fetchall())
    ids = sorted({row["client_id"] for row in rows if row["client_id"]})
    clients = {row["id"]: row for row in rows_of(call.world.db, _existing(call, ids))}
    contacts = by_client(call.world.db, "contacts", list(clients), "is_primary DESC, id")
    labels = {number: display_name(row, contacts[number]) for number, row in clients.items()}
    return compact_answer({"data": [_rendered(row, users, labels) for row in rows]})


def _rendered(row: Row, users: dict[int, str], labels: dict[int, str]) -> Json:
    """Who did it and to whom, with labels and ids (Activity.php, activity_string)."""
    out: Json = {"user": {"label": users.get(row["user_id"], ""), "hashed_id": hashids.encode(row["user_id"])}}
    if row["client_id"] in labels:
        out["client"] = {"label": labels[row["client_id"]], "hashed_id": hashids.encode(row["client_id"])}
    return out | {
        "activity_type_id": row["activity_type_id"],
        "id": row["id"],
        "hashed_id": hashids.encode(row["id"]),
        "notes": row["notes"],
        "created_at": row["created_at"] // MICROS,
        "ip": "127.0.0.1",
    }

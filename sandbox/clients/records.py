"""From row numbers to whole client records: one query per table, for pages of any size."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from starlette.responses import Response

from sandbox.clients.includes import INCLUDES, by_client, include
from sandbox.clients.listing import count, envelope, ids_of, page_of, pagination
from sandbox.clients.query import Query
from sandbox.clients.shown import Json, client_json
from sandbox.store.database import Row, columns, marks, select
from sandbox.wire.access import hidden_figures
from sandbox.wire.answers import bad_request
from sandbox.wire.calls import Call

RELATIONS = frozenset(
    (
        *INCLUDES, "assigned_user", "client", "company", "company_ledger", "contacts", "country", "credits", "currency",
        "documents", "expenses", "gateway_tokens", "industry", "invoices", "language", "payments", "primary_contact",
        "projects", "quotes", "recurring_expenses", "recurring_invoices", "shipping_country", "size", "tasks", "user",
    )
)  # fmt: skip
FIGURES: Json = {"balance": "0", "paid_to_date": "0", "credit_balance": "0", "client_hash": ""}
DETAILS = ("id", "name", "number", "id_number")
BLANK: Json = {"is_deleted": 0, "is_tax_exempt": 0, "has_valid_vat_number": 0, "payment_balance": "0", **FIGURES}


def list_answer(call: Call, query: Query) -> Response:
    """One page of clients under this query."""
    page = page_of(call)
    ids = ids_of(call.world, query, page)
    wanted = requested(call)
    if ids:
        _check_relations(wanted)
    rows = rows_of(call.world.db, ids)
    if query.details_only:
        names = columns(call.world.db, "clients")
        rows = [dict.fromkeys(names) | BLANK | {k: row[k] for k in DETAILS} for row in rows]
    if hidden_figures(call.token):
        rows = [row | FIGURES for row in rows]
    records = records_of(call, rows)
    include(call.world.db, rows, records, wanted, in_list=True)
    meta = pagination(call, page, count(call.world, query), len(ids))
    return poisoned(call, ids) or envelope(call, records, meta)


def item_answer(call: Call, row: Row) -> Response:
    """One client. Includes that do not exist are ignored here."""
    if call.world.generation.hides_figures_of_one and hidden_figures(call.token):
        row = row | FIGURES
    record = records_of(call, [row])[0]
    include(call.world.db, [row], [record], requested(call))
    return poisoned(call, [row["id"]]) or envelope(call, record)


def poisoned(call: Call, ids: Collection[int | None]) -> Response | None:
    """The empty 200 of a json_encode that failed, if one of these clients is poison."""
    if call.world.switches.poison.isdisjoint(ids):
        return None
    return Response("", media_type="application/json")


def rows_of(db: sqlite3.Connection, ids: Sequence[int]) -> list[Row]:
    """The clients with these numbers, in this order."""
    by_id = {row["id"]: row for row in select(db, "clients", f"id IN ({marks(ids)})", ids)}
    return [by_id[number] for number in ids]


def records_of(call: Call, rows: Sequence[Row]) -> list[Json]:
    """These clients as JSON, with contacts, documents and gateway tokens."""
    ids = [row["id"] for row in rows if row["id"] is not None]
    contacts = by_client(call.world.db, "contacts", ids, "is_primary DESC, id")
    documents = by_client(call.world.db, "documents", ids, "id")
    tokens = by_client(call.world.db, "gateway_tokens", ids, "id")
    records = [
        client_json(row, contacts[row["id"]], documents[row["id"]], tokens[row["id"]], call.host) for row in rows
    ]
    if call.world.generation.has_locations:
        for record in records:
            record["locations"] = []
    return records


def contacts_of(db: sqlite3.Connection, client_id: int) -> list[Row]:
    """A client's live contacts, primary ones first."""
    return by_client(db, "contacts", [client_id], "is_primary DESC, id")[client_id]


def requested(call: Call) -> list[str]:
    """The names that `include` asks for."""
    return [name for name in (call.text("include") or "").split(",") if name]


def _check_relations(names: Sequence[str]) -> None:
    for name in names:
        head = name.split(".")[0]
        if head.lower() not in RELATIONS:
            raise bad_request(f"Relation `{head}` is not a valid include.", plain=500)

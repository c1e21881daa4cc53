"""Lists, single records and their includes, alike for every kind (BaseController.php)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from sandbox.clients.listing import count, envelope, ids_of, page_of, pagination
from sandbox.clients.query import SHARED, Query, apply_all, equals, only_visible, since
from sandbox.clients.records import records_of, requested, rows_of
from sandbox.papers.day_filters import between
from sandbox.papers.kinds import (
    Json,
    Kind,
    filter_deleted_clients,
    of_client,
    sort,
    without_deleted_clients,
)
from sandbox.php import hashids
from sandbox.php.text import is_numeric
from sandbox.store.database import Row, marks, select
from sandbox.wire.access import Token
from sandbox.wire.answers import bad_request, forbidden, not_found, numeric_id
from sandbox.wire.calls import Call, Handler

FILTERS = SHARED | {
    "number": equals("number"),
    "client_id": of_client,
    "without_deleted_clients": without_deleted_clients,
    "filter_deleted_clients": filter_deleted_clients,
    "date_range": between("date"),
    "due_date_range": between("due_date"),
    "sort": sort,
}
"""The parameters of every kind; `Kind.filters` adds to them and replaces them."""


# ---- one record -----------------------------------------------------------------------------------------------------


def bound(call: Call, kind: Kind, name: str = "id") -> Row:
    """The record in the path, of any company and state; refuses numbers and unknown ids (BaseModel:220-229)."""
    value = call.ids[name]
    if is_numeric(value):
        raise numeric_id(value)
    rows = select(call.world.db, kind.table, "id = ?", (hashids.decode(value),))
    if not rows:
        raise not_found(kind.model)
    return rows[0]


def may(token: Token, verb: str, kind: Kind, row: Row) -> bool:
    """Whether the record is the company's, and the user may do this with all of them, made it, or is assigned to it."""
    own = token.user_id in {row["user_id"], row.get("assigned_user_id")}
    return bool(row["company_id"] == token.company_id) and (token.may(f"{verb}_{kind.entity}") or own)


def viewable(call: Call, kind: Kind) -> Row:
    """The record in the path, if the token may see it."""
    row = bound(call, kind)
    if not may(call.token, "view", kind, row):
        raise forbidden()
    return row


def editable(call: Call, kind: Kind) -> Row:
    """The record in the path, if the token may change it."""
    row = bound(call, kind)
    if not may(call.token, "edit", kind, row):
        raise forbidden()
    return row


def reread(call: Call, kind: Kind, number: int) -> Row:
    """The record as stored now."""
    return select(call.world.db, kind.table, "id = ?", (number,))[0]


def item_answer(call: Call, kind: Kind, row: Row, **instead: Any) -> Response:
    """One record, with other values `instead` of its own. Includes that do not exist are ignored here."""
    records = [kind.shown(call, [row])[0] | instead]
    _include(call, kind, [row], records, _heads(call))
    return envelope(call, records[0])


# ---- lists ----------------------------------------------------------------------------------------------------------


def filtered(call: Call, kind: Kind) -> Query:
    """The company's records under every parameter of the request, in the order of the request."""
    query = Query(["company_id = ?"], [call.token.company_id], table=kind.table)
    apply_all(query, call, {**FILTERS, **kind.filters})
    return _visible(call, kind, query)


def with_ids(call: Call, kind: Kind, ids: Sequence[int | None], *, any_company: bool = False) -> Query:
    """These records, as a bulk action answers them."""
    query = Query([f"id IN ({marks(ids)})"], list(ids), table=kind.table)
    if not any_company:
        query.add("company_id = ?", call.token.company_id)
    return _visible(call, kind, query)


def _visible(call: Call, kind: Kind, query: Query) -> Query:
    since(query, call)
    only_visible(query, call.token, kind.entity)
    if call.world.generation.newest_first and not query.order:
        query.order.append("id DESC")
    return query


def list_answer(call: Call, kind: Kind, query: Query) -> Response:
    """One page of records under this query."""
    page = page_of(call)
    ids = ids_of(call.world, query, page)
    if ids:
        _check_relations(call, kind)
    by_id = {row["id"]: row for row in select(call.world.db, kind.table, f"id IN ({marks(ids)})", ids)}
    rows = [by_id[number] for number in ids]
    records = kind.shown(call, rows)
    _include(call, kind, rows, records, _heads(call))
    return envelope(call, records, pagination(call, page, count(call.world, query), len(ids)))


def index_of(kind: Kind) -> Handler:
    """GET /KIND."""
    return lambda call: list_answer(call, kind, filtered(call, kind))


def show_of(kind: Kind) -> Handler:
    """GET /KIND/{id}, in any state."""
    return lambda call: item_answer(call, kind, viewable(call, kind))


def edit_of(kind: Kind) -> Handler:
    """GET /KIND/{id}/edit: the same, for those who may edit."""
    return lambda call: item_answer(call, kind, editable(call, kind))


# ---- includes -------------------------------------------------------------------------------------------------------


def _heads(call: Call) -> set[str]:
    """A request for something inside an include (`payments.paymentables`) gets the include too, as Fractal does it."""
    return {name.split(".")[0] for name in requested(call)}


def _include(call: Call, kind: Kind, rows: Sequence[Row], records: Sequence[Json], heads: set[str]) -> None:
    for name, include in kind.includes.items():
        if name in heads and rows:
            include(call, rows, records)


def _check_relations(call: Call, kind: Kind) -> None:
    known = {name.lower() for name in (*kind.includes, *kind.relations)}
    for name in requested(call):
        head = name.split(".")[0]
        if head.lower() not in known:
            raise bad_request(f"Relation `{head}` is not a valid include.", plain=500)


def add_clients(call: Call, rows: Sequence[Row], records: Sequence[Json]) -> None:
    """Whole clients under `client`; the key is absent where there is none."""
    ids = sorted({row["client_id"] for row in rows if row["client_id"]})
    held = call.world.db.execute(f"SELECT id FROM clients WHERE id IN ({marks(ids)})", ids)
    known = rows_of(call.world.db, [number for (number,) in held])
    clients = dict(zip((row["id"] for row in known), records_of(call, known), strict=True))
    for row, record in zip(rows, records, strict=True):
        if row["client_id"] in clients:
            record["client"] = clients[row["client_id"]]


def add_activities(_: Call, __: Sequence[Row], records: Sequence[Json]) -> None:
    """None: in lists the relation's own condition on the company is null (recorded); none are kept for one record."""
    for record in records:
        record["activities"] = []

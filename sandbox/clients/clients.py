"""The client endpoints for one client: show, edit, blank, create, update, delete (ClientController)."""

from __future__ import annotations

import sqlite3

from starlette.responses import Response

from sandbox.books.activities import CREATED, DELETED, UPDATED, note
from sandbox.books.company import company_row
from sandbox.clients.contacts import save_contacts
from sandbox.clients.files import check_files, save_files, swallows
from sandbox.clients.filters import filtered
from sandbox.clients.includes import include
from sandbox.clients.input import columns_of, cut, for_create, for_update
from sandbox.clients.listing import envelope
from sandbox.clients.records import BLANK, item_answer, list_answer, requested
from sandbox.clients.rules import check
from sandbox.clients.settings import OF_A_NEW_CLIENT
from sandbox.clients.shown import client_json
from sandbox.php import hashids
from sandbox.php.input import Input
from sandbox.php.php_json import compact
from sandbox.php.text import is_numeric, truth
from sandbox.store.database import Row, columns, insert, select, update
from sandbox.wire.access import may_edit, may_view
from sandbox.wire.answers import bad_request, forbidden, not_found, numeric_id, server_error
from sandbox.wire.calls import Call


def bound(call: Call, name: str = "id") -> Row:
    """The client in the path, of any company and state; refuses numbers and unknown ids (BaseModel:220-229)."""
    value = call.ids[name]
    if is_numeric(value):
        raise numeric_id(value)
    rows = select(call.world.db, "clients", "id = ?", (hashids.decode(value),))
    if not rows:
        raise not_found("Client")
    return rows[0]


def editable(call: Call) -> Row:
    """The client in the path, if the token may edit it."""
    row = bound(call)
    if not may_edit(call.token, row):
        raise forbidden()
    return row


def reread(call: Call, number: int) -> Row:
    """The client as stored now."""
    return select(call.world.db, "clients", "id = ?", (number,))[0]


def index(call: Call) -> Response:
    """GET /clients."""
    return list_answer(call, filtered(call))


def show(call: Call) -> Response:
    """GET /clients/{id}, in any state. On 5.10 everybody sees figures here."""
    row = bound(call)
    if not may_view(call.token, row):
        raise forbidden()
    return item_answer(call, row)


def edit(call: Call) -> Response:
    """GET /clients/{id}/edit: the same, for those who may edit."""
    return item_answer(call, editable(call))


def blank(call: Call) -> Response:
    """GET /clients/create: a client that does not exist yet, with a new client_hash each time."""
    if not call.token.may("create_client"):
        raise forbidden()
    row = dict.fromkeys(columns(call.world.db, "clients")) | BLANK
    row |= {"user_id": call.token.user_id, "client_hash": call.world.secret(40), "settings": compact(OF_A_NEW_CLIENT)}
    record = client_json(row, [], [], [], call.host)
    if call.world.generation.has_locations:
        record["locations"] = []
    include(call.world.db, [row], [record], requested(call))
    return envelope(call, record)


def store(call: Call) -> Response:
    """POST /clients. Nothing is required; the answer is 200 and shows overlong texts uncut."""
    if not call.token.may("create_client"):
        raise forbidden()
    data = for_create(call)
    check(call, data)
    if swallows(call, data) and not call.world.generation.drops_documents_of_put:
        return _store_nothing(call)
    values = columns_of(data)
    number = _insert(call, values)
    if save_contacts(call, reread(call, number), data):
        update(call.world.db, "clients", {"updated_at": call.world.clock.stamp()}, [number])
    note(call, number, CREATED)
    stored = reread(call, number)
    return item_answer(call, stored | {k: v for k, v in values.items() if isinstance(v, str)})


def _store_nothing(call: Call) -> Response:
    """A POST with `documents`: saves only a new client's defaults, without contacts and without a number.

    Read from the code: the repository returns early (ClientRepository:61-65), and touching the client saves it. A file
    cannot be saved before its client.
    """
    if call.files.get("documents"):
        raise server_error()
    stamp = call.world.clock.stamp()
    row = {"company_id": call.token.company_id, "user_id": call.token.user_id, "client_hash": call.world.secret(40)}
    row |= {"country_id": company_row(call)["country_id"], "settings": compact(OF_A_NEW_CLIENT)}
    number = insert(call.world.db, "clients", row | {"created_at": stamp, "updated_at": stamp})
    note(call, number, CREATED)
    return item_answer(call, reread(call, number))


def _insert(call: Call, values: Row) -> int:
    stamp, company = call.world.clock.stamp(), company_row(call)
    own = {
        "company_id": call.token.company_id,
        "user_id": call.token.user_id,
        "client_hash": call.world.secret(40),
        "created_at": stamp,
        "updated_at": stamp,
    }
    row = cut(values) | own
    row["country_id"] = row.get("country_id") or company["country_id"]
    row["number"] = row.get("number") or next_number(call, company)
    try:
        return insert(call.world.db, "clients", row)
    except sqlite3.IntegrityError:  # a size or an industry that does not exist: the server notices only here
        raise server_error() from None


def next_number(call: Call, company: Row) -> str:
    """The next free automatic number: at least four digits; the counter skips numbers that are taken."""
    db, counter = call.world.db, company["client_number_counter"]
    while db.execute(
        "SELECT 1 FROM clients WHERE company_id = ? AND number = ?", (company["id"], f"{counter:04d}")
    ).fetchone():
        counter += 1
    update(db, "companies", {"client_number_counter": counter + 1}, [company["id"]])
    return f"{counter:04d}"


def save(call: Call) -> Response:
    """PUT and PATCH /clients/{id}: plain fields one by one, settings and contacts as a whole.

    Validation comes before the state of the client. A `documents` array that is not empty swallows all other fields.
    """
    row = editable(call)
    data = for_update(call)
    if call.world.generation.drops_documents_of_put:
        data.pop("documents", None)
    check_files(call)
    check(call, data, row["id"])
    if row["is_deleted"]:
        raise bad_request("Record is deleted and cannot be edited. Restore the record to enable editing")
    swallowed = swallows(call, data) and not call.world.generation.drops_documents_of_put
    changed = {} if swallowed else _changes(call, row, data)
    touched = save_files(call, row) or swallowed or save_contacts(call, row, data)
    if changed or touched:
        _write(call, row["id"], changed | {"updated_at": call.world.clock.stamp()})
    note(call, row["id"], UPDATED)
    return item_answer(call, reread(call, row["id"]))


def _changes(call: Call, row: Row, data: Input) -> Row:
    """The columns with new values. An overlong text never equals its stored form, so it counts each time."""
    values = columns_of(data)
    if not values.get("country_id", row["country_id"]):
        values["country_id"] = company_row(call)["country_id"]
    if not truth(values.get("number", row["number"])):
        values["number"] = next_number(call, company_row(call))
    return cut({name: value for name, value in values.items() if value != row[name]})


def _write(call: Call, number: int, values: Row) -> None:
    try:
        update(call.world.db, "clients", values, [number])
    except sqlite3.IntegrityError:
        raise server_error() from None


def destroy(call: Call) -> Response:
    """DELETE /clients/{id}: soft; nothing happens the second time."""
    row = editable(call)
    delete(call, row)
    return item_answer(call, reread(call, row["id"]))


def delete(call: Call, row: Row) -> None:
    """Mark a client as deleted."""
    if not row["is_deleted"]:
        stamp = call.world.clock.stamp()
        update(call.world.db, "clients", {"is_deleted": 1, "deleted_at": stamp, "updated_at": stamp}, [row["id"]])
        note(call, row["id"], DELETED)

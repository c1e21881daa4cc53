"""The endpoints of a plain record: blank, create, change, archive, restore, delete, alike for every kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from sandbox.clients.listing import envelope
from sandbox.papers import states
from sandbox.papers.bulk import bulk_of, plain_actions
from sandbox.papers.kinds import Kind
from sandbox.papers.lists import edit_of, editable, index_of, item_answer, reread, show_of
from sandbox.papers.numbers import next_number
from sandbox.papers.rules import Errors, label, number_errors
from sandbox.php import hashids
from sandbox.php.input import Input
from sandbox.records.shapes import Shape
from sandbox.store.database import Row, columns, insert, select
from sandbox.wire.answers import bad_request, forbidden, invalid
from sandbox.wire.calls import Call, route

Saved = Callable[[Call, int, Input], None]
"""Called when a record is saved, to keep the rows that belong to it."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A kind without lines. `required` fields must come with a new record; `numbered` ones have automatic numbers."""

    kind: Kind
    shape: Shape
    required: tuple[str, ...] = ()
    numbered: bool = True
    of_company: Callable[[Call], Row] = lambda _: {}
    """Columns of a new record that come from the company."""
    saved: Saved | None = None


def routes_of(what: Plain) -> list[Route]:
    """All paths of a kind, with their handlers."""
    path, kind = f"/{what.kind.table}", what.kind
    return [
        route("GET", path, index_of(kind)),
        route("POST", path, lambda call: _store(call, what)),
        route("GET", f"{path}/create", lambda call: _blank(call, what)),
        route("POST", f"{path}/bulk", bulk_of(kind, plain_actions(kind))),
        route("GET", f"{path}/{{id}}", show_of(kind)),
        route("GET", f"{path}/{{id}}/edit", edit_of(kind)),
        *(route(verb, f"{path}/{{id}}", lambda call: _save(call, what)) for verb in ("PUT", "PATCH")),
        route("DELETE", f"{path}/{{id}}", lambda call: _destroy(call, kind)),
    ]


def _new(call: Call, what: Plain) -> Row:
    """A record before anything is entered."""
    return what.shape.defaults | what.of_company(call) | {"user_id": call.token.user_id}


def _blank(call: Call, what: Plain) -> Response:
    """GET /KIND/create: a record that does not exist yet."""
    _may_create(call, what.kind)
    row = dict.fromkeys(columns(call.world.db, what.kind.table)) | _new(call, what)
    return envelope(call, what.kind.shown(call, [row])[0])


def _may_create(call: Call, kind: Kind) -> None:
    if not call.token.may(f"create_{kind.entity}"):
        raise forbidden()


def _store(call: Call, what: Plain) -> Response:
    """POST /KIND."""
    kind, world = what.kind, call.world
    _may_create(call, kind)
    _check(call, what, None)
    stamp = world.clock.stamp()
    row = _new(call, what) | what.shape.columns_of(call.input)
    row |= {"company_id": call.token.company_id, "created_at": stamp, "updated_at": stamp}
    if what.numbered and not row.get("number"):
        row["number"] = next_number(world, call.token.company_id, kind.table)
    number = insert(world.db, kind.table, row)
    if what.saved is not None:
        what.saved(call, number, call.input)
    return item_answer(call, kind, reread(call, kind, number))


def _save(call: Call, what: Plain) -> Response:
    """PUT /KIND/{id}: only the sent fields change; the stamp moves even if nothing does."""
    kind = what.kind
    row = editable(call, kind)
    _check(call, what, row)
    if row["is_deleted"]:
        raise bad_request("Record is deleted and cannot be edited. Restore the record to enable editing")
    changed = what.shape.columns_of(call.input)
    if what.numbered and "number" in changed and not changed["number"]:
        changed["number"] = next_number(call.world, row["company_id"], kind.table)
    states.write(call.world, kind.table, row["id"], changed)
    if what.saved is not None:
        what.saved(call, row["id"], call.input)
    return item_answer(call, kind, reread(call, kind, row["id"]))


def _destroy(call: Call, kind: Kind) -> Response:
    """DELETE /KIND/{id}: soft; nothing happens the second time."""
    row = editable(call, kind)
    states.delete(call.world, kind.table, row)
    return item_answer(call, kind, reread(call, kind, row["id"]))


def _check(call: Call, what: Plain, own: Row | None) -> None:
    """Refuse a record without its required fields, of an unknown client, or under the number of another one."""
    data, errors = call.input, _client_errors(call, what)
    for name in what.required if own is None else ():
        if data.get(name) in (None, "", [], {}):
            errors[name] = [f"The {label(name)} field is required."]
    if what.numbered:
        errors |= number_errors(call, what.kind, data, own)
    if errors:
        raise invalid(errors)


def _client_errors(call: Call, what: Plain) -> Errors:
    sent = call.input.get("client_id")
    if "client_id" not in what.shape.ids or not sent:
        return {}
    wanted = (hashids.decode(sent), call.token.company_id)
    known = select(call.world.db, "clients", "id = ? AND company_id = ?", wanted)
    return {} if known else {"client_id": ["The selected client id is invalid."]}

"""The endpoints of papers with lines that move no figure of the client: quotes and recurring invoices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from sandbox.clients.listing import envelope
from sandbox.papers import states
from sandbox.papers.bulk import Action, bulk_of
from sandbox.papers.entered import ready
from sandbox.papers.kinds import Kind
from sandbox.papers.lists import edit_of, editable, index_of, item_answer, reread, show_of
from sandbox.papers.rules import Errors, check
from sandbox.papers.saved import blank, change, create
from sandbox.papers.shown import day_at
from sandbox.php.input import Input
from sandbox.store.database import Row
from sandbox.wire.answers import bad_request, forbidden, invalid
from sandbox.wire.calls import Call, route


@dataclass(frozen=True, slots=True)
class Lined:
    """A kind of such papers: what a caller may set, and what each action does."""

    kind: Kind
    fillable: frozenset[str]
    actions: Mapping[str, Action]
    completed: Callable[[Call, Input, Row], Row]
    """Columns of its own, from the data that were sent and the paper as saved."""
    refused: Callable[[Input], Errors] = lambda _: {}
    """The faults of the data of a new one that no other paper has."""
    dated: bool = True
    """Whether a new one is of today, unless another date comes."""


def routes_of(what: Lined) -> list[Route]:
    """All paths of a kind, with their handlers."""
    path, kind = f"/{what.kind.table}", what.kind
    return [
        route("GET", path, index_of(kind)),
        route("POST", path, lambda call: _store(call, what)),
        route("GET", f"{path}/create", lambda call: _blank(call, kind)),
        route("POST", f"{path}/bulk", bulk_of(kind, what.actions)),
        route("GET", f"{path}/{{id}}", show_of(kind)),
        route("GET", f"{path}/{{id}}/edit", edit_of(kind)),
        route("GET", f"{path}/{{id}}/{{action}}", lambda call: _act(call, what)),
        *(route(verb, f"{path}/{{id}}", lambda call: _save(call, what)) for verb in ("PUT", "PATCH")),
        route("DELETE", f"{path}/{{id}}", lambda call: _destroy(call, kind)),
    ]


def _blank(call: Call, kind: Kind) -> Response:
    """GET /KIND/create: a paper that does not exist yet."""
    if not call.token.may(f"create_{kind.entity}"):
        raise forbidden()
    return envelope(call, kind.shown(call, [blank(call, kind, day_at(call.world))])[0])


def _store(call: Call, what: Lined) -> Response:
    """POST /KIND: a draft."""
    kind = what.kind
    if not call.token.may(f"create_{kind.entity}"):
        raise forbidden()
    data = ready(call.input, day_at(call.world), new=True)
    if not what.dated and not call.input.get("date"):
        del data["date"]
    data["line_items"] = [] if data.get("line_items") is None else data["line_items"]
    if errors := what.refused(data):
        raise invalid(errors)
    check(call, kind, data)
    return _completed(call, what, create(call, kind, data, what.fillable))


def _save(call: Call, what: Lined) -> Response:
    """PUT /KIND/{id}: only what is sent changes."""
    kind = what.kind
    row = editable(call, kind)
    data = ready(call.input, day_at(call.world), new=False)
    check(call, kind, data, row)
    if row["is_deleted"]:
        raise bad_request("Record is deleted and cannot be edited. Restore the record to enable editing")
    return _completed(call, what, change(call, kind, row, data, what.fillable - {"client_id"}))


def _completed(call: Call, what: Lined, row: Row) -> Response:
    states.write(call.world, what.kind.table, row["id"], what.completed(call, call.input, row))
    if call.input.get("mark_sent") in ("true", True) and "mark_sent" in what.actions:
        what.actions["mark_sent"](call, reread(call, what.kind, row["id"]))
    return item_answer(call, what.kind, reread(call, what.kind, row["id"]))


def _destroy(call: Call, kind: Kind) -> Response:
    """DELETE /KIND/{id}: soft; nothing happens the second time."""
    row = editable(call, kind)
    states.delete(call.world, kind.table, row)
    return item_answer(call, kind, reread(call, kind, row["id"]))


def _act(call: Call, what: Lined) -> Response:
    """GET /KIND/{id}/{action}: one action on one paper."""
    row, action = editable(call, what.kind), call.ids["action"]
    if action not in what.actions:
        raise bad_request(f"The requested action {action} is not available.")
    what.actions[action](call, row)
    return item_answer(call, what.kind, reread(call, what.kind, row["id"]))

"""One client: its figures, fields, documents and history, and the form that proposes changes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from urllib.parse import quote

from flows.ask.one_client import OneClient, Record, read_by_id
from flows.ask.tell_client import Table, lines_of, not_mirrored, tables_of
from flows.desk.answers import Answer, Page, See, get, post
from flows.desk.pages.clients import not_visible
from flows.desk.visit import Visit
from flows.push.proposal import changes_of, form_of
from flows.push.undo import add_wishes_unless_refused
from flows.session.door import base_url_of, open_door
from flows.show.counted import counted
from flows.show.line import Step, line_of
from flows.show.links import link_in_app
from flows.show.show import amount, harmless
from schemas.errors import SettingsError, SyncError
from warehouse.control.outbox import OF_REJECTED, REFUSED_STATE, WAITING

MOST: Final = 200
"""The most rows of a kind that the page reads; it shows the first of them."""
SHOWN: Final = 20
_QUEUED: Final = {
    WAITING: "in no plan yet", REFUSED_STATE: "refused", OF_REJECTED: "of a rejected plan: see who rejected it and why",
}  # fmt: skip


def client(visit: Visit) -> Answer:
    """Show one client."""
    if (page := not_visible(visit)) is not None:
        return page
    one = _client(visit)
    values = {
        "client": one, "name": _name(one), "lines": _lines(visit, one), "tables": list(tables_of(one, top=SHOWN)),
        "link_of": _link_of(one), "queued": _queued(one),
        "missing": not_mirrored(one), "line": _line(one), "address": _address(one),
        "app": _in_app(visit, one), "changeable": one.found.kind is None and one.found.source in visit.settings.sources,
    }  # fmt: skip
    return Page("clients/one.html", values, f"Client {one.found.number or one.found.id}")  # browsers keep titles


def change(visit: Visit) -> Answer:
    """Show the form to propose changes of a client."""
    if (page := not_visible(visit)) is not None:
        return page
    return _form(visit, _client(visit))


def propose(visit: Visit) -> Answer:
    """Queue the changes of the form, or show it again with the reason at each field that cannot be written."""
    one, form = _client(visit), visit.form
    source, reason = one.found.source, form.get("reason").strip()
    changes = changes_of(form_of(visit.settings, one), form.get)
    if not changes:
        return _form(visit, one, problem="Nothing is changed yet. Change a value, then send the form.")
    if not reason:
        return _form(visit, one, {"reason": "Say why, for the person who approves the plan."})
    try:
        with open_door(visit.settings, source) as door:
            refused = add_wishes_unless_refused(visit.settings, source, door, one.found.id, changes, reason=reason)
    except SyncError as problem:  # the server is away, or the warehouse is busy: nothing of the form is lost
        return _form(visit, one, problem=str(problem))
    if refused:
        return _form(visit, one, {name: f"{why[:1].upper()}{why[1:]}." for name, why in refused.items()})
    visit.note(f"Queued: {counted(len(changes), 'change')}. The next plan of queued changes will include them.")
    return See(_address(one))


def _form(visit: Visit, one: OneClient, wrong: dict[str, str] | None = None, problem: str = "") -> Page:
    """Return the form, with a person's own input if it was sent."""
    fields, form = form_of(visit.settings, one), visit.form
    if not fields:
        raise SettingsError("This client is no longer on the server, so it cannot be changed.")
    sent = bool(form.texts)
    values = {
        "client": one, "name": _name(one),
        "sections": [(name, list(group)) for name, group in groupby(fields, attrgetter("section"))],
        "wrong": wrong or {}, "problem": problem,
        "reason": form.get("reason"), "address": _address(one),
        "typed": {f.name: form.get(f.name) if sent else f.value for f in fields},
        "was": {f.name: form.get(f"was-{f.name}") if sent else f.value for f in fields},
    }  # fmt: skip
    status = HTTPStatus.BAD_REQUEST if wrong or problem else HTTPStatus.OK
    return Page("clients/change.html", values, "Propose a change", status)


def _client(visit: Visit) -> OneClient:
    source, client_id = visit.path["source"], visit.path["id"]
    one = read_by_id(visit.settings, source, client_id, top=MOST)
    if one is None:
        raise SettingsError("The warehouse knows no such client. The list of clients has all of them.")
    return one


def _name(one: OneClient) -> str:
    return harmless(" ".join(filter(None, (one.found.number, one.found.name)))[:MOST]) or "A client without a name"


def _address(one: OneClient) -> str:
    return f"/clients/{quote(one.found.source, safe='')}/{quote(one.found.id, safe='')}"


def _in_app(visit: Visit, one: OneClient) -> str:
    source = visit.settings.sources.get(one.found.source)
    return link_in_app(base_url_of(source), "clients", one.found.id) if source and one.found.kind is None else ""


def _link_of(one: OneClient) -> Any:
    """Return a function from a table and a record to the page of the record; '' without one."""

    def link(table: Table, record: Record) -> str:
        if table.name in {"merged", "duplicates"}:
            return f"/clients/{quote(one.found.source, safe='')}/{quote(str(record['id']), safe='')}"
        if table.name == "plans":
            room = "merges" if record["kind"] == "merge" else "plans"
            return f"/{room}/{quote(str(record['plan_id']), safe='')}"
        return ""

    return link


def _lines(visit: Visit, one: OneClient) -> list[tuple[str, object]]:
    """Return the figures and fields, with the company only where there are several."""
    several = len(visit.settings.sources) > 1
    return [
        ("company" if name == "source" else name, value) for name, value in lines_of(one) if several or name != "source"
    ]


def _queued(one: OneClient) -> dict[str, str]:
    """Return what waits for this client among the queued changes, in words, by the group of the page that lists it."""
    numbers = Counter(str(row["state"]) for row in one.sections["queued"].rows)
    return {state: f"{counted(numbers[state], 'change')} {words}" for state, words in _QUEUED.items() if numbers[state]}


def _line(one: OneClient) -> str:
    """Return the picture of the balance over time, from the versions that are read."""
    steps = sorted(_steps(one), key=lambda step: step.since)
    if len(steps) < 2:  # noqa: PLR2004 - one step is no line
        return ""
    first, last = steps[0], steps[-1]
    title = (
        f"Balance from {first.since:%Y-%m-%d} to {last.until:%Y-%m-%d}: first {amount(first.value, one.currency)}, "
        f"last {amount(last.value, one.currency)} {one.currency or ''}. The changes are listed below."
    )
    return line_of(steps, one.currency, title)


def _steps(one: OneClient) -> Iterator[Step]:
    for row in one.sections["history"].rows:
        since, until, value = row["valid_from"], row["valid_to"] or one.last_load_at, row["balance"]
        if isinstance(since, datetime) and isinstance(until, datetime) and isinstance(value, Decimal):
            yield Step(since, max(since, until), value)  # the server's clock may be ahead of ours


ROUTES: Final = (
    get("/clients/{source}/{id}", client),
    get("/clients/{source}/{id}/change", change),
    post("/clients/{source}/{id}/change", propose, writes=True),
)

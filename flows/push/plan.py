"""Make a plan: compare changes with the server, drop values already set, and refuse those that cannot be written.

Values are compared in the form in which the server stores them, so that after an applied plan there is nothing left to
plan.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final

from connector.clients.changed import server_now
from connector.clients.fields import blank_settings, lists_for, view
from connector.clients.present import Present, read_present
from connector.door.door import Door
from flows.configuration.values import Settings
from flows.plans.client_keys import Meant, keys_of_mirror, lost_zeros
from flows.push.wishes import WishedRow, wishes_of_outbox
from flows.session.api import check_company
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.operator import operator
from flows.session.ready import open_ready
from schemas.entity import Written
from schemas.errors import SettingsError, UnexpectedShape
from schemas.plan import PUSH, UPDATE, Cell, Plan, RefusedWish, Wish, needs_put, with_fewest_calls
from schemas.server_form import GIVEN_BY_PUT, Lists, Refused, as_stored, check_emptied, writable
from warehouse.control.outbox import REFUSED, refuse_unknown_sources
from warehouse.control.plans import note_wishes, store_plan
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

NOTHING_TO_CHANGE: Final = "nothing to change"
"""The text in place of a plan's id in changes of the outbox that left nothing to plan."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The result of planning: the stored plan, or None if nothing changes; the refused changes; the values already set.

    `names` are the clients' names, for the person who reads the plan; `notes` explain how rows were understood. `blank`
    counts, by setting, the clients whose PUT turns that setting from an empty text into null, as every PUT does
    (recorded).
    """

    plan: Plan | None
    refused: Sequence[RefusedWish] = ()
    unchanged: int = 0
    names: Mapping[str, str] = field(default_factory=dict, repr=False)
    notes: Sequence[str] = field(default=(), repr=False)
    blank: Mapping[str, int] = field(default_factory=dict)


def plan_push(
    settings: Settings,
    name: str,
    door: Door,
    rows: Sequence[WishedRow] | None,
    *,
    reason: str = "",
    undoes: Plan | None = None,
    clock: Clock = SYSTEM_CLOCK,
    new_id: Callable[[], str] = lambda: secrets.token_hex(3),
) -> Planned:
    """Compare changes with the server, and store the plan. Without `rows`, take those of the outbox. Sends no change.

    `undoes` is the plan to undo: a value that is no longer the one which that plan wrote was changed by somebody since,
    and is left out. Raises the errors of reading, SettingsError for another company's token, and StalePlan if queued
    changes were withdrawn or planned meanwhile.
    """
    company = check_company(settings, name, door, clock)
    now = clock.now()
    wish_ids: Mapping[tuple[str, str], Sequence[str]] = {}
    with open_ready(settings, clock) as warehouse:
        taken = rows
        lost = [] if taken is not None else refuse_unknown_sources(warehouse, settings.sources)
        if taken is None:
            taken, wish_ids = wishes_of_outbox(warehouse, name, now)
        wishes, refused, notes = _resolved(warehouse, name, taken)
    base = server_now(door)
    state = read_present(door, [wish.client_id for wish in wishes])
    gone = {wish.client_id for wish in wishes} - state.records.keys()
    with open_ready(settings, clock) as warehouse:
        elsewhere = _elsewhere(warehouse, name, gone)
    made = _Making(state, lists_for(door, {wish.column for wish in wishes}), elsewhere, undoes)
    cells = made.cells(wishes)
    refused += made.refused
    if not cells:
        with open_ready(settings, clock) as warehouse, warehouse.transaction():
            note_wishes(warehouse, name, _became(wish_ids, refused, NOTHING_TO_CHANGE), now)
        return Planned(None, [*lost, *refused], made.unchanged, notes=notes)
    plan = Plan(
        plan_id=f"push-{now:%Y%m%d}-{new_id()}", source=name, kind=PUSH, made_at=now,
        expires_at=now + timedelta(hours=settings.push.valid_hours),
        base_at=base.read_at, newest_at=base.newest_at, author=operator(), reason=reason, company=company.fingerprint,
        version=company.version, undoes=undoes.plan_id if undoes else None,
        cells=sorted(with_fewest_calls(cells, made.without_put)),
    )  # fmt: skip
    with open_ready(settings, clock) as warehouse:
        store_plan(warehouse, plan, wishes=_became(wish_ids, refused, plan.plan_id))
    names = {key: str(state.records[key].get("display_name") or key) for key in plan.client_ids}
    return Planned(plan, [*lost, *refused], made.unchanged, names, notes, _blank(state, plan))


def _became(
    wish_ids: Mapping[tuple[str, str], Sequence[str]], refused: Sequence[RefusedWish], plan_id: str
) -> dict[str, list[str]]:
    """Group the changes of the outbox by result: the plan's id, or the reason of a refusal for the author."""
    why = {(change.client_id, change.column): f"{REFUSED}{change.reason}" for change in refused}
    by_result: dict[str, list[str]] = {}
    for wish, ids in wish_ids.items():
        by_result.setdefault(why.get(wish, plan_id), []).extend(ids)
    return by_result


def _blank(state: Present, plan: Plan) -> dict[str, int]:
    """Count the clients that get a PUT and have an empty text in a setting that the plan leaves alone, by setting."""
    changed = {(cell.client_id, cell.column) for cell in plan.cells}
    put = {client_id for call in plan.calls if call.verb == UPDATE for client_id in call.client_ids}
    emptied = ((client_id, name) for client_id in put for name in blank_settings(state.records[client_id]))
    return dict(sorted(Counter(name for client_id, name in emptied if (client_id, name) not in changed).items()))


class _Making:
    """Makes cells from changes, one by one; collects refused changes, and counts values already set."""

    def __init__(self, state: Present, lists: Lists, elsewhere: Mapping[str, str], undoes: Plan | None) -> None:
        self._state, self._lists, self._elsewhere = state, lists, elsewhere
        self._undone = {} if undoes is None else {(c.client_id, c.column): c.after for c in undoes.cells}
        self._views: dict[str, Mapping[str, object]] = {}
        self._places: dict[tuple[str, str], str] = {}
        self.refused: list[RefusedWish] = []
        self.unchanged = 0
        self.without_put: set[str] = set()

    def cells(self, wishes: Sequence[Wish]) -> list[Cell]:
        """Return the cells for values that differ from the server's."""
        cells = [cell for wish in wishes if (cell := self._refusing(wish, partial(self._cell, wish)))]
        named = {(cell.client_id, cell.column) for cell in cells if cell.after is not None}
        return [cell for cell in cells if self._refusing(cell, partial(self._checked_put, cell, named))]

    def _refusing(self, wish: Wish | Cell, make: Callable[[], Cell | None]) -> Cell | None:
        try:
            return make()
        except Refused as reason:
            place = wish.place if isinstance(wish, Wish) else self._places.get((wish.client_id, wish.column), "")
            self.refused.append(RefusedWish(place, wish.client_id, wish.column, str(reason)))
        return None

    def _cell(self, wish: Wish) -> Cell | None:
        self._places[wish.client_id, wish.column] = wish.place
        column = writable(wish.column)
        present = self._view(wish.client_id)
        value = as_stored(column, wish.value, self._lists)
        before = present[wish.column]
        if wish.key != "id" and str(present[wish.key] or "").strip().casefold() != wish.named.casefold():
            raise Refused(f"on the server, another client has this {wish.key} now, or none: pull first")
        if value == before:
            self.unchanged += 1
            return None
        if wish.typed and lost_zeros(before, value):
            raise Refused("lacks only the leading zeros of the present value, which spreadsheets drop: format as text")
        if present["is_deleted"]:
            raise Refused("the client is deleted: restore it first")
        if self._undone.get((wish.client_id, wish.column), before) != before:
            raise Refused("somebody has changed it since")
        if value is None:
            check_emptied(wish.column, by_bulk=column.written is Written.BULK)
        # assign_group silently skips archived clients
        by_put = column.written is Written.GROUP and bool(present["archived_at"])
        return Cell(wish.client_id, wish.column, before, value, by_put)

    def _checked_put(self, cell: Cell, named: Set[tuple[str, str]]) -> Cell:
        """Raises Refused for a cell that needs a PUT, if the PUT would add a value that nobody asked for."""
        present = self._view(cell.client_id)
        given = [n for n in GIVEN_BY_PUT if present[n] is None and (cell.client_id, n) not in named]
        if given:
            self.without_put.add(cell.client_id)
            if needs_put(cell):
                raise Refused(
                    f"the client has no {given[0]}, and this change would give it the company's: add a change of "
                    f"its {given[0]} too"
                )
        return cell

    def _view(self, client_id: str) -> Mapping[str, object]:
        if client_id in self._state.unread:
            raise Refused("the server cannot send this client now")
        if client_id not in self._state.records:
            raise Refused(self._elsewhere.get(client_id, "there is no such client on the server"))
        if client_id not in self._views:
            try:
                self._views[client_id] = view(self._state.records[client_id])
            except UnexpectedShape:
                raise Refused("the server sends this client in an unknown shape") from None
        return self._views[client_id]


def _resolved(
    warehouse: Warehouse, name: str, rows: Sequence[WishedRow]
) -> tuple[list[Wish], list[RefusedWish], list[str]]:
    """Return the changes with their clients' ids, the unreadable or ambiguous ones as refused, and notes."""
    keys = keys_of_mirror(warehouse, name) if any(row.key != "id" for row in rows) else None
    by_client: dict[str, tuple[WishedRow, str]] = {}
    refused: list[RefusedWish] = []
    notes: list[str] = []
    twice: set[str] = set()
    for row in rows:
        refused += [RefusedWish(row.place, row.client, column, why) for column, why in row.wrong.items()]
        meant = Meant(row.client, row.client) if keys is None or row.key == "id" else keys.find(row.key, row.client)
        why = _unclear(row, meant, name)
        if why:
            refused += [RefusedWish(row.place, row.client, column, why) for column in row.values]
        elif meant.client_id in by_client and by_client[meant.client_id][0].values != row.values:
            twice.add(meant.client_id)
            refused += [_doubled(row, meant.client_id, by_client[meant.client_id][0], column) for column in row.values]
        else:
            by_client.setdefault(meant.client_id, (row, meant.number))
            notes += [meant.note] if meant.note else []
    for client_id in twice:
        first, _ = by_client.pop(client_id)
        refused += [_doubled(first, client_id, first, column) for column in first.values]
    wishes = [
        Wish(client_id, column, value, row.place, row.key, number, row.typed)
        for client_id, (row, number) in by_client.items()
        for column, value in row.values.items()
    ]
    return wishes, refused, notes


def _unclear(row: WishedRow, meant: Meant, name: str) -> str:
    if row.source is not None and row.source != name:
        return f"the row is of another source, and the plan of {name!r}"
    if not row.client:
        return f"{row.key} is empty"
    return meant.unclear


def _doubled(row: WishedRow, client_id: str, first: WishedRow, column: str) -> RefusedWish:
    return RefusedWish(row.place, client_id, column, f"the client appears twice, with different values ({first.place})")


def _elsewhere(warehouse: Warehouse, name: str, gone: set[str]) -> dict[str, str]:
    """Return the known fate of clients that the server does not have, by id."""
    if not gone:
        return {}
    reasons = {}
    for key, source, kind, current in warehouse.rows(
        statement("read/elsewhere"), {"source": name, "ids": sorted(gone)}
    ):
        into = f" into {current}" if current else ""
        reasons[str(key)] = f"it was {kind}{into}" if kind else f"it is a client of the source {source!r}"
    return reasons


def check_not_empty(rows: Sequence[WishedRow]) -> None:
    """Raises SettingsError if there are no rows."""
    if not rows:
        raise SettingsError("There are no changes: the query or file has no rows.")

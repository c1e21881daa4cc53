"""Compare changes with the server: drop values already set, and refuse those that cannot be written. Stores nothing.

Values are compared in the form in which the server stores them, so that after an applied plan there is nothing left to
plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import partial

from connector.clients.changed import Changed, server_now
from connector.clients.fields import lists_for, view
from connector.clients.present import Present, read_present
from connector.door.door import Door
from flows.ask.ask import reading
from flows.configuration.values import Settings
from flows.plans.client_keys import EMAIL, NAME, Meant, keys_of_mirror, lost_zeros
from flows.push.wishes import WishedRow
from flows.session.progress import Progress, silent
from schemas.entity import Written
from schemas.errors import UnexpectedShape
from schemas.plan import Cell, Plan, RefusedWish, Wish, needs_put
from schemas.server_form import GIVEN_BY_PUT, Lists, Refused, as_stored, check_emptied, writable
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement


@dataclass(frozen=True, slots=True)
class Compared:
    """Changes beside the server's values: the cells that differ, those already set, and the refused ones.

    `clients` has the client of each row that names one, by the row's place, and `views` the columns of each client.
    `base` is the server's clock before its clients were read. `without_put` are clients to which a PUT would add a
    value that nobody asked for; `lacking` has the columns of these values, by client, if a change was refused for them.
    """

    cells: Sequence[Cell]
    refused: Sequence[RefusedWish]
    same: Set[tuple[str, str]]
    notes: Sequence[str] = field(repr=False)
    clients: Mapping[str, str]
    views: Mapping[str, Mapping[str, object]] = field(repr=False)
    state: Present
    base: Changed
    without_put: Set[str]
    lacking: Mapping[str, Sequence[str]]


def compare(
    settings: Settings,
    name: str,
    door: Door,
    rows: Sequence[WishedRow],
    *,
    undoes: Plan | None = None,
    progress: Progress = silent,
) -> Compared:
    """Compare changes with the clients as the server has them now. The caller has checked the company of the token.

    `undoes` is the plan to undo: a value that is no longer the one which that plan wrote was changed by somebody since,
    and is refused. Raises the errors of reading.
    """
    with reading(settings, newest=True) as warehouse:
        resolved = _resolved(warehouse, name, rows)
    base = server_now(door)
    ids = list(dict.fromkeys(wish.client_id for wish in resolved.wishes))
    state = read_present(door, ids, report=partial(progress, "clients read"))
    gone = set(ids) - state.records.keys()
    with reading(settings, newest=True) as warehouse:
        elsewhere = _elsewhere(warehouse, name, gone)
    made = _Making(state, lists_for(door, {wish.column for wish in resolved.wishes}), elsewhere, undoes)
    cells = made.cells(resolved.wishes)
    refused = [*resolved.refused, *made.refused]
    return Compared(
        cells,
        refused,
        made.same,
        resolved.notes,
        resolved.clients,
        made.views,
        state,
        base,
        made.without_put,
        made.lacking,
    )


class _Making:
    """Makes cells from changes, one by one; collects refused changes, and counts values already set."""

    def __init__(self, state: Present, lists: Lists, elsewhere: Mapping[str, str], undoes: Plan | None) -> None:
        self._state, self._lists, self._elsewhere = state, lists, elsewhere
        self._undone = {} if undoes is None else {(c.client_id, c.column): c.after for c in undoes.cells}
        self.views: dict[str, Mapping[str, object]] = {}
        self._places: dict[tuple[str, str], str] = {}
        self.refused: list[RefusedWish] = []
        self.same: set[tuple[str, str]] = set()
        self.without_put: set[str] = set()
        self.lacking: dict[str, list[str]] = {}

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
        if wish.key != "id" and wish.named.strip().casefold() not in _called(present, wish.key):
            raise Refused(f"on the server, another client has this {wish.key} now, or none: pull first")
        if value == before:
            self.same.add((wish.client_id, wish.column))
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
                self.lacking[cell.client_id] = given
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
        if client_id not in self.views:
            try:
                self.views[client_id] = view(self._state.records[client_id])
            except UnexpectedShape:
                raise Refused("the server sends this client in an unknown shape") from None
        return self.views[client_id]


def _called(present: Mapping[str, object], key: str) -> set[str]:
    """Return the values of a key that a client has on the server, in lower case."""
    values = [present[key]] if key != EMAIL else []
    if key == NAME:
        values.append(present["display_name"])
    if key == EMAIL and isinstance(contacts := present["contacts"], list):
        values += [contact["email"] for contact in contacts]
    return {str(value or "").strip().casefold() for value in values}


@dataclass(frozen=True, slots=True)
class _Resolved:
    """The changes with their clients' ids, the unreadable or ambiguous ones, notes, and the client of each row."""

    wishes: Sequence[Wish]
    refused: Sequence[RefusedWish]
    notes: Sequence[str]
    clients: Mapping[str, str]


def _resolved(warehouse: Warehouse, name: str, rows: Sequence[WishedRow]) -> _Resolved:
    keys = keys_of_mirror(warehouse, name, {row.key for row in rows}) if any(row.key != "id" for row in rows) else None
    by_client: dict[str, tuple[WishedRow, str]] = {}
    refused: list[RefusedWish] = []
    notes: list[str] = []
    twice: dict[str, WishedRow] = {}
    clients: dict[str, str] = {}
    for row in rows:
        refused += [RefusedWish(row.place, row.client, column, why) for column, why in row.wrong.items()]
        meant = Meant(row.client, row.client) if keys is None or row.key == "id" else keys.find(row.key, row.client)
        why = _unclear(row, meant, name)
        if not why:
            clients[row.place] = meant.client_id
        if why:
            refused += [RefusedWish(row.place, row.client, column, why) for column in row.values]
        elif meant.client_id in by_client and by_client[meant.client_id][0].values != row.values:
            twice[meant.client_id] = row
            refused += [_doubled(row, meant.client_id, by_client[meant.client_id][0], column) for column in row.values]
        else:
            by_client.setdefault(meant.client_id, (row, meant.number))
            notes += [meant.note] if meant.note else []
    for client_id, other in twice.items():
        first, _ = by_client.pop(client_id)
        refused += [_doubled(first, client_id, other, column) for column in first.values]
    wishes = [
        Wish(client_id, column, value, row.place, row.key, number, row.typed)
        for client_id, (row, number) in by_client.items()
        for column, value in row.values.items()
    ]
    return _Resolved(wishes, refused, notes, clients)


def _unclear(row: WishedRow, meant: Meant, name: str) -> str:
    if row.source is not None and row.source != name:
        return f"the row is of another source, and the plan of {name!r}"
    if not row.client:
        return f"{row.key} is empty"
    return meant.unclear


def _doubled(row: WishedRow, client_id: str, other: WishedRow, column: str) -> RefusedWish:
    return RefusedWish(row.place, client_id, column, f"the client appears twice, with different values ({other.place})")


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

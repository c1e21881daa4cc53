"""Look at the clients of a plan right before they are written, so that nobody else's change is overwritten.

Invoice Ninja has no conditional write. So the clients of each bulk call are read just before it, and compared with the
plan. A change that lands between that look and the call is overwritten.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from connector.clients.fields import view
from connector.clients.planned import moved
from connector.clients.present import FEW, UNREAD, Record, read_present
from connector.door.door import Door
from flows.push.changed_meanwhile import changed_meanwhile
from flows.session.clock import Clock
from schemas.clocks import Clocks, clocks
from schemas.errors import UnexpectedShape
from schemas.journal import Outcome
from schemas.plan import UPDATE, Cell, CellOutcome, Plan, calls_for

LATE: Final = 60
"""Seconds that a transaction may stay open so that the next look still sees its stamp.

The server ends a request after 45 seconds (BaseController). The longer this is, the more of the plan's own changes are
read again at each look.
"""


@dataclass(slots=True)
class Look:
    """The clients of a plan as last seen on the server; `looked` are both clocks at the last list of changes.

    `missing` clients are not there; `unread` ones are, but their records do not come, or have an unknown shape.
    `ours` are the cells that this plan has sent before and the server has not refused: if their value is there, the
    plan wrote it, perhaps late.
    """

    door: Door
    plan: Plan
    look_back: int
    ours: Collection[tuple[str, str]]
    clock: Clock
    records: dict[str, Record] = field(default_factory=dict, repr=False)
    missing: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)
    looked: Clocks | None = None

    def begin(self, cells: Sequence[Cell]) -> None:
        """Read the clients that have changed since the plan was made, and all clients of the larger bulk calls.

        The latter are read in any case, because the stamps of a server restored from a backup prove nothing. The
        clients of smaller calls are read one by one before their call.
        """
        self._read_changed(self.plan.client_ids, clocks(self.plan.base_at, self.plan.made_at), self.look_back)
        calls = [call.client_ids for call in calls_for(cells) if call.verb != UPDATE]
        known = self.records.keys() | self.unread
        self._read({client_id for ids in calls if len(ids) > FEW for client_id in ids} - known)

    def again(self, ids: Sequence[str]) -> None:
        """Look again at the clients of one call: one by one if they are few, else by one list."""
        if len(ids) <= FEW or self.looked is None:
            self._read(ids)
        else:
            self._read_changed(ids, self.looked, min(self.look_back, LATE))

    def sorted_out(self, cells: Iterable[Cell]) -> tuple[list[Cell], list[CellOutcome]]:
        """Return the cells to send, and the outcomes of the others: there already, changed by others, or unreadable."""
        sendable, left = [], []
        views: dict[str, Mapping[str, object] | None] = {}
        for cell in cells:
            key = cell.client_id
            if key not in views:
                views[key] = self._view(key)
            outcome = self._judged(cell, views.get(key))
            if outcome is None:
                sendable.append(_as_it_is(cell, views.get(key)))
            else:
                left.append(outcome)
        return sendable, left

    def credited(self, outcome: CellOutcome) -> CellOutcome:
        """Return the outcome, or APPLIED if the value is there because this plan sent it before."""
        ours = outcome.outcome is Outcome.THERE_ALREADY and (outcome.client_id, outcome.column) in self.ours
        return replace(outcome, outcome=Outcome.APPLIED) if ours else outcome

    def _judged(self, cell: Cell, present: Mapping[str, object] | None) -> CellOutcome | None:
        """Return the outcome of a cell that need not or must not be sent; None for one to send."""
        key, column = cell.client_id, cell.column
        if key in self.unread:
            return CellOutcome(key, column, Outcome.NOT_SENT, UNREAD)
        if present is None:
            return CellOutcome(key, column, Outcome.CONFLICT, GONE) if key in self.missing else None
        if _is_another(present, self.plan):
            return CellOutcome(key, column, Outcome.CONFLICT, ANOTHER)
        if present[column] == cell.after:
            return self.credited(CellOutcome(key, column, Outcome.THERE_ALREADY))
        if present[column] != cell.before:
            return CellOutcome(key, column, Outcome.CONFLICT, moved(cell, present[column]))
        return CellOutcome(key, column, Outcome.CONFLICT, DELETED) if present["is_deleted"] else None

    def _view(self, client_id: str) -> Mapping[str, object] | None:
        """Return the columns of a client; None if it was not read. A record of an unknown shape makes it `unread`."""
        try:
            return view(self.records[client_id]) if client_id in self.records else None
        except UnexpectedShape:
            del self.records[client_id]
            self.unread.add(client_id)
            return None

    def _read_changed(self, ids: Sequence[str], begun: Clocks, look_back: int) -> None:
        changed, self.looked = changed_meanwhile(self.door, self.plan, ids, begun, look_back, self.clock)
        wanted = set(self.plan.client_ids)
        self._keep({key: record for key, record in changed.records.items() if key in wanted}, changed.unread)

    def _read(self, ids: Iterable[str]) -> None:
        present, asked = read_present(self.door, ids), set(ids)
        self.missing = (self.missing - asked) | (asked - present.records.keys() - present.unread)
        for client_id in self.missing & asked:
            self.records.pop(client_id, None)
        self._keep(present.records, present.unread)

    def _keep(self, records: Mapping[str, Record], unread: Collection[str]) -> None:
        self.records.update(records)
        self.unread = (self.unread - records.keys()) | set(unread)
        for client_id in unread:
            self.records.pop(client_id, None)


GONE: Final = "there is no such client on the server any more, or this token may not see it"
DELETED: Final = "somebody has deleted the client since the plan was made"
ANOTHER: Final = "the server has another client under this id, made after the plan: it was restored from a backup"


def _is_another(present: Mapping[str, object], plan: Plan) -> bool:
    """Whether the client was made after the plan, so that it is not the client in the plan.

    A server restored from a backup gives the ids of lost clients to new ones.
    """
    created = present["created_at"]
    if not isinstance(created, int):
        return False
    # A client made while the server's clock was ahead may have been there before the plan: `newest_at` is later then.
    return created > max(plan.base_at, plan.newest_at).timestamp()


def _as_it_is(cell: Cell, present: Mapping[str, object] | None) -> Cell:
    """Return a cell, by PUT if it sets the group of a client archived meanwhile: assign_group skips that one."""
    if present is not None and cell.column == "group_settings_id" and present["archived_at"]:
        return replace(cell, by_put=True)
    return cell

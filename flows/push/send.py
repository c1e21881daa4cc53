"""Sending what is left of a plan: look, send, read back, record; call by call, until its end or an error."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Final

from connector.api.api import Api
from connector.clients.planned import send_planned
from connector.door.door import Door
from connector.door.password import Password, no_password
from flows.push.look import Look
from flows.session.api import operator
from flows.session.clock import Clock
from flows.session.progress import Progress
from flows.session.writing import settle_open
from schemas.errors import StalePlan, SyncError, WarehouseError
from schemas.journal import Outcome
from schemas.plan import UPDATE, Plan, PlannedCall, calls_for
from warehouse.control.journal import WarehouseJournal
from warehouse.control.plans import (
    APPLIED,
    APPLYING,
    ENDED,
    CellOutcome,
    journaled,
    note_outcomes,
    outcomes_of,
    set_state,
)
from warehouse.engine.seam import Warehouse

MOVED_AT_LEAST: Final = 3
"""So many conflicts are reported one by one, however small the plan is."""
_SURE: Final = frozenset({Outcome.APPLIED, Outcome.OVERWRITTEN})
"""Outcomes that stay as they were recorded, although the journal has one word for all of the client."""


@dataclass(slots=True)
class Sending:
    """One run of a plan: how many calls it has sent, and how many values it has dealt with."""

    warehouse: Warehouse
    door: Door
    plan: Plan
    look_back: int
    progress: Progress
    clock: Clock
    api: Api = field(init=False)
    calls: int = 0
    done: int = 0

    def __post_init__(self) -> None:
        source, warehouse = self.plan.source, self.warehouse
        journal = WarehouseJournal(source, lambda: nullcontext(warehouse), operator=operator(), now=self.clock.now)
        self.api = Api(self.door, journal, Password(no_password), self.plan.plan_id)


def settle_sent(sending: Sending) -> None:
    """Ask the server what became of calls that were cut off, and record what is known of the plan's values.

    Raises UnsafePlan where a call stays unknown.
    """
    plan, now = sending.plan, sending.clock.now
    settle_open(sending.warehouse, plan.source, sending.api, client_ids=plan.client_ids, now=now)
    note_outcomes(sending.warehouse, plan, list(known_so_far(sending.warehouse, plan).values()), now())


def end_unsent(sending: Sending, why: str) -> StalePlan:
    """End a plan of which nothing more may be sent; the error that says so, and how much of it was sent."""
    plan = sending.plan
    left = len(plan.cells) - len(known_so_far(sending.warehouse, plan))
    set_state(sending.warehouse, plan, ENDED, applied_at=sending.clock.now())
    return StalePlan(f"{why} What was sent before is settled; {left:,} of {len(plan.cells):,} values were not sent.")


def send_rest(sending: Sending, *, begins: bool) -> SyncError | None:
    """Send what is still to be sent of a plan; the error at which it stopped.

    `begins`: nothing of it was sent before. Then it raises StalePlan where most of it was changed by others, and
    nothing is sent.
    """
    warehouse, plan = sending.warehouse, sending.plan
    known = known_so_far(warehouse, plan)
    rest = [cell for cell in plan.cells if _is_open(known.get((cell.client_id, cell.column)))]
    look = Look(sending.door, plan, sending.look_back, known.keys(), sending.clock)
    look.begin(rest)
    sendable, left = look.sorted_out(rest)
    if begins:
        _check_base(plan, left)
    set_state(warehouse, plan, APPLYING)
    _note(sending, left)
    sending.done = len(plan.cells) - len(sendable)
    for call in calls_for(sendable):
        sending.progress("sending", sending.done, len(plan.cells))
        try:
            _send(sending, look, call)
        except WarehouseError:
            raise
        except SyncError as problem:
            _note(sending, list(known_so_far(warehouse, plan).values()))
            return problem
        sending.done += len(call.cells)
    set_state(warehouse, plan, APPLIED, applied_at=sending.clock.now())
    return None


def known_so_far(warehouse: Warehouse, plan: Plan) -> dict[tuple[str, str], CellOutcome]:
    """What is known of the plan's values that were sent: by the journal, which knows clients, and what was recorded.

    A value that was recorded as applied is, although the journal has another word for all of its client.
    """
    known = {(one.client_id, one.column): one for one in journaled(warehouse, plan)}
    noted = {(one.client_id, one.column): one for one in outcomes_of(warehouse, plan)}
    return {key: noted[key] if key in noted and noted[key].outcome in _SURE else one for key, one in known.items()}


def _send(sending: Sending, look: Look, call: PlannedCall) -> None:
    """Look at the clients of a bulk call again, send what is as planned, and record it. A PUT looks by itself."""
    cells = list(call.cells)
    if call.verb != UPDATE:
        look.again(call.client_ids)
        cells, left = look.sorted_out(cells)
        _note(sending, left)
    for part in calls_for(cells):
        _note(sending, [CellOutcome(*told) for told in send_planned(sending.api, part, look.records)])
        sending.calls += 1


def _note(sending: Sending, outcomes: Sequence[CellOutcome]) -> None:
    note_outcomes(sending.warehouse, sending.plan, outcomes, sending.clock.now())


def _check_base(plan: Plan, left: Sequence[CellOutcome]) -> None:
    """Raises StalePlan where most of a plan was changed by others since it was made: it is about another state."""
    moved = sum(one.outcome is Outcome.CONFLICT for one in left)
    if moved > MOVED_AT_LEAST and moved * 2 > len(plan.cells):
        raise StalePlan(
            f"Somebody has changed {moved:,} of the {len(plan.cells):,} values since {plan.plan_id} was made: "
            "plan again. Nothing was sent."
        )


def _is_open(known: CellOutcome | None) -> bool:
    """Whether a cell is still to be sent.

    It never was, or the server is known to have done nothing of it: no answer came, or the call was refused, which may
    have been for another client in it.
    """
    if known is None or known.outcome is Outcome.REFUSED:
        return True
    return known.outcome is Outcome.NOT_APPLIED and bool(known.message)

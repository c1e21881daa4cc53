"""Sending what is left of a plan: look, send, read back, record; call by call, until its end or an error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector.clients.planned import send_planned
from flows.plans.applying import Run
from flows.push.look import Look
from schemas.errors import StalePlan, SyncError, WarehouseError
from schemas.journal import Outcome
from schemas.plan import UPDATE, CellOutcome, Plan, PlannedCall, calls_for
from warehouse.control.plans import APPLYING, ENDED, journaled, note_outcomes, outcomes_of
from warehouse.engine.seam import Warehouse

MOVED_AT_LEAST: Final = 3
"""So many conflicts are reported one by one, however small the plan is."""
_SURE: Final = frozenset({Outcome.APPLIED, Outcome.OVERWRITTEN})
"""Outcomes that stay as they were recorded, although the journal has one word for all of the client."""


@dataclass(slots=True)
class Sending:
    """One run of a plan: how many calls it has sent, and how many values it has dealt with."""

    run: Run
    calls: int = 0
    done: int = 0


def send_rest(sending: Sending) -> SyncError | None:
    """Send what is still to be sent of a plan; the error at which it stopped.

    Raises StalePlan where nothing of it was sent before and others have changed most of it; then nothing is sent.
    """
    run, plan = sending.run, sending.run.plan
    note_sent(run.warehouse, plan, run.clock.now())
    known = known_so_far(run.warehouse, plan)
    if run.barred:
        return _end_unsent(run, len(plan.cells) - len(known))
    rest = [cell for cell in plan.cells if _is_open(known.get((cell.client_id, cell.column)))]
    look = Look(run.api.door, plan, run.settings.sources[plan.source].look_back, known.keys(), run.clock)
    look.begin(rest)
    sendable, left = look.sorted_out(rest)
    if run.begins:
        _check_base(plan, left)
    run.note(APPLYING)
    _note(run, left)
    sending.done = len(plan.cells) - len(sendable)
    return _send_calls(sending, look, calls_for(sendable))


def _send_calls(sending: Sending, look: Look, calls: Sequence[PlannedCall]) -> SyncError | None:
    run = sending.run
    for call in calls:
        run.progress("sending", sending.done, len(run.plan.cells))
        try:
            _send(sending, look, call)
        except WarehouseError:
            raise
        except SyncError as problem:
            note_sent(run.warehouse, run.plan, run.clock.now())
            return problem
        sending.done += len(call.cells)
    return None


def _end_unsent(run: Run, left: int) -> StalePlan:
    """End a plan of which nothing more may be sent; the error that says so, and how much of it was sent."""
    run.note(ENDED)
    return StalePlan(
        f"{run.barred}: plan again. What was sent before is settled; {left:,} of {len(run.plan.cells):,} values were "
        "not sent."
    )


def note_sent(warehouse: Warehouse, plan: Plan, now: datetime) -> None:
    """Record what is known of the plan's values that were sent."""
    note_outcomes(warehouse, plan, list(known_so_far(warehouse, plan).values()), now)


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
        _note(sending.run, left)
    for part in calls_for(cells):
        _note(sending.run, [look.credited(one) for one in send_planned(sending.run.api, part, look.records)])
        sending.calls += 1


def _note(run: Run, outcomes: Sequence[CellOutcome]) -> None:
    note_outcomes(run.warehouse, run.plan, outcomes, run.clock.now())


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

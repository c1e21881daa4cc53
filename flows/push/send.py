"""Send the rest of a plan call by call, until its end or an error: look, send, read back, record."""

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
from schemas.plan import CellOutcome, Plan, PlannedCall, calls_for
from warehouse.control.plans import APPLYING, ENDED, journaled, note_outcomes, outcomes_of
from warehouse.engine.seam import Warehouse

MOVED_AT_LEAST: Final = 3
"""Up to this number, conflicts are reported one by one, even in a small plan."""
_SURE: Final = frozenset({Outcome.APPLIED, Outcome.OVERWRITTEN})
"""Recorded outcomes that beat the journal's, which has only one outcome for all values of a client."""


@dataclass(slots=True)
class Sending:
    """One run of a plan, and the number of values done."""

    run: Run
    done: int = 0


def send_rest(sending: Sending) -> SyncError | None:
    """Send the rest of a plan; return the error that stopped it, or None.

    Raises StalePlan, without sending anything, if others have changed most of a plan that was not begun yet.
    """
    run, plan = sending.run, sending.run.plan
    note_sent(run.warehouse, plan, run.clock.now())
    known = known_so_far(run.warehouse, plan)
    if run.barred:
        return _end_unsent(run, len(plan.cells) - len(known))
    rest = [cell for cell in plan.cells if _is_open(known.get((cell.client_id, cell.column)))]
    ours = {key for key, cell in known.items() if cell.outcome is not Outcome.REFUSED}
    look = Look(run.api.door, plan, run.settings.sources[plan.source].look_back, ours, run.clock)
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
    """End a plan that may not be sent any more; return the error with the number of values left."""
    run.note(ENDED)
    return StalePlan(
        f"{run.barred}: plan again. Values sent before are settled; {left:,} of {len(run.plan.cells):,} values were "
        "not sent."
    )


def note_sent(warehouse: Warehouse, plan: Plan, now: datetime) -> None:
    """Record the outcomes of the values that the plan has sent."""
    note_outcomes(warehouse, plan, list(known_so_far(warehouse, plan).values()), now)


def known_so_far(warehouse: Warehouse, plan: Plan) -> dict[tuple[str, str], CellOutcome]:
    """Return the outcomes of the values that were sent: from the journal, which has them by client, and as recorded.

    A value recorded as applied stays applied, even if the journal has another outcome for its client.
    """
    known = {(cell.client_id, cell.column): cell for cell in journaled(warehouse, plan)}
    noted = {(cell.client_id, cell.column): cell for cell in outcomes_of(warehouse, plan)}
    return {key: noted[key] if key in noted and noted[key].outcome in _SURE else cell for key, cell in known.items()}


def _send(sending: Sending, look: Look, call: PlannedCall) -> None:
    """Look at the clients of a call again, send those that have not moved, and record it."""
    look.again(call.client_ids)
    cells, left = look.sorted_out(call.cells)
    _note(sending.run, left)
    for part in calls_for(cells):
        _note(sending.run, [look.credited(cell) for cell in send_planned(sending.run.api, part, look.records)])


def _note(run: Run, outcomes: Sequence[CellOutcome]) -> None:
    note_outcomes(run.warehouse, run.plan, outcomes, run.clock.now())


def _check_base(plan: Plan, left: Sequence[CellOutcome]) -> None:
    """Raises StalePlan if others have changed most of the plan's values: the plan was made for another state."""
    moved = sum(cell.outcome is Outcome.CONFLICT for cell in left)
    if moved > MOVED_AT_LEAST and moved * 2 > len(plan.cells):
        raise StalePlan(
            f"Somebody has changed {moved:,} of the {len(plan.cells):,} values since {plan.plan_id} was made: "
            "plan again. Nothing was sent."
        )


def _is_open(known: CellOutcome | None) -> bool:
    """Whether a cell is still to be sent.

    It is, if it never was, or if the server has certainly not applied it: it never answered, or it refused the call,
    perhaps because of another client in it.
    """
    if known is None or known.outcome is Outcome.REFUSED:
        return True
    return known.outcome is Outcome.NOT_APPLIED and bool(known.message)

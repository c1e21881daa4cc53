"""Applying a plan: what changed since is left alone, each call is noted and read back, every cell has an outcome.

One plan at a time per source, under the lock of its pulls. What a killed run has sent is known from the journal, so
that `resume` ends as if it had not been killed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from connector.api import Api
from connector.clients.fields import view
from connector.clients.planned import send_planned
from connector.clients.present import Record
from connector.door import Door
from connector.password import Password, no_password
from flows.api import check_company, operator
from flows.changed_meanwhile import changed_meanwhile
from flows.cut_off import named_when_cut_off
from flows.job import SYSTEM_CLOCK, Clock, Job, Pulled, Tell, open_ready, silent
from flows.journal import one_writer_at_a_time, settle_open
from flows.pull import pull
from flows.settings import Settings, place_of
from flows.under_way import check_none_under_way
from schemas.clocks import clocks
from schemas.errors import SettingsError, StalePlan, SyncError, TooMuchChange, WarehouseError, WrongDigest
from schemas.journal import Outcome
from schemas.plan import Cell, Plan, PlannedCall, calls_for
from warehouse.control import read_state
from warehouse.engine import Warehouse
from warehouse.journal import WarehouseJournal
from warehouse.lock import one_run_at_a_time
from warehouse.plans import (
    APPLIED,
    APPLYING,
    PLANNED,
    CellOutcome,
    Stored,
    journaled,
    note_outcomes,
    outcomes_of,
    read_plan,
    set_state,
)

Cells = Sequence[Cell]
CHANGED: Final = "somebody has changed it since the plan was made"
"""Why a cell is a conflict that was not sent."""
ALREADY: Final = "it was so already"
"""Why a cell is applied that was not sent."""
MOVED_AT_LEAST: Final = 3
"""So many conflicts are told one by one, however small the plan is."""
LOOK_AGAIN: Final = 20.0
"""Seconds after which it is asked again what others have changed: a bulk call overwrites what is written in between."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a plan: its cells' outcomes, the calls that were sent, and the pull that brought them here.

    `stopped` is the error at which it ended before its end; `resume` goes on from there.
    """

    plan: Plan
    outcomes: Sequence[CellOutcome]
    calls: int
    pulled: Pulled | None
    stopped: SyncError | None = None

    @property
    def counts(self) -> Mapping[str, int]:
        """How many cells came to which outcome; `not sent` are those that were not reached."""
        counted = Counter(one.outcome.value for one in self.outcomes)
        left = len(self.plan.cells) - len(self.outcomes)
        return {**counted, **({"not sent": left} if left else {})}

    @property
    def as_planned(self) -> bool:
        """Whether every cell is as the plan wanted it."""
        return not self.stopped and all(one.outcome is Outcome.APPLIED for one in self.outcomes)


def apply_plan(
    settings: Settings,
    door: Door,
    plan_id: str,
    digest: str,
    *,
    force: bool = False,
    pulls: bool = True,
    tell: Tell = silent,
    clock: Clock = SYSTEM_CLOCK,
) -> Applied:
    """Apply a plan whose digest a person has seen. It is applied once; what was cut off is resumed.

    Afterwards a pull brings what was written into the mirror, unless `pulls` is false.

    Raises WrongDigest, StalePlan (expired, applied already), TooMuchChange (more clients than the settings allow, and
    not `force`), Busy, and UnsafePlan where the outcome of an earlier call is unknown: then nothing was sent.
    """
    stored = _stored(settings, plan_id, clock)
    _check(stored, digest, clock.now())
    _check_company(settings, door, stored.plan, clock)
    if not force:
        check_brake(settings, stored.plan, clock)
    return _run(settings, door, stored.plan, PLANNED, pulls=pulls, tell=tell, clock=clock)


def resume_plan(
    settings: Settings,
    door: Door,
    plan_id: str,
    *,
    pulls: bool = True,
    tell: Tell = silent,
    clock: Clock = SYSTEM_CLOCK,
) -> Applied:
    """Go on with a plan that was cut off: what was sent is settled by reading back, what was not is sent now.

    Raises StalePlan for one that was never begun or has come to its end, UnsafePlan where a call stays unknown.
    """
    stored = _stored(settings, plan_id, clock)
    if stored.state != APPLYING:
        raise StalePlan(f"The plan {plan_id} is {stored.state}: there is nothing to resume.")
    _check_company(settings, door, stored.plan, clock)
    return _run(settings, door, stored.plan, APPLYING, pulls=pulls, tell=tell, clock=clock)


def check_brake(settings: Settings, plan: Plan, clock: Clock = SYSTEM_CLOCK) -> None:
    """Raises TooMuchChange for a plan of more clients than the settings allow without `--force`."""
    with open_ready(settings, clock) as warehouse:
        mirrored = read_state(warehouse, plan.source).mirrored
    clients, push = len(plan.client_ids), settings.push
    most = max(push.at_least, min(push.most_clients, int(mirrored * push.most_share)))
    if clients > most:
        raise TooMuchChange(
            f"The plan changes {clients:,} clients, and {most:,} is the most without --force ([push] of the settings: "
            f"most_clients, most_share). Nothing was sent."
        )


def _check(stored: Stored, digest: str, now: datetime) -> None:
    plan = stored.plan
    if digest != stored.digest:
        raise WrongDigest(f"The digest of {plan.plan_id} is another one: look at it with `ninja-sync push show` again.")
    if plan.digest != stored.digest:
        raise StalePlan(f"The plan {plan.plan_id} is not as it was made (a client in it was erased?): plan anew.")
    if stored.state != PLANNED:
        hint = "resume it" if stored.state == APPLYING else "plan anew"
        raise StalePlan(f"The plan {plan.plan_id} is {stored.state}; a plan is applied once: {hint}.")
    if now > plan.expires_at:
        raise StalePlan(f"The plan {plan.plan_id} has expired: plan anew.")


def _check_company(settings: Settings, door: Door, plan: Plan, clock: Clock) -> None:
    """Raises SettingsError or StalePlan where the token leads to another company than the one that was read."""
    if check_company(settings, plan.source, door, clock) != plan.company:
        raise StalePlan(f"The plan {plan.plan_id} was made for another company: plan anew. Nothing was sent.")


def _stored(settings: Settings, plan_id: str, clock: Clock) -> Stored:
    with open_ready(settings, clock) as warehouse:
        stored = read_plan(warehouse, plan_id)
    if stored.plan.source not in settings.sources:
        raise SettingsError(f"The plan {plan_id} is of the source {stored.plan.source!r}, which is not configured.")
    return stored


def _run(settings: Settings, door: Door, plan: Plan, wanted: str, *, pulls: bool, tell: Tell, clock: Clock) -> Applied:
    alone = one_run_at_a_time(place_of(settings), plan.source, wait=settings.wait)
    cut_off = named_when_cut_off(plan.plan_id, "push", lambda: _stored(settings, plan.plan_id, clock).state)
    with cut_off, one_writer_at_a_time(settings, plan.source), alone, open_ready(settings, clock) as warehouse:
        look_back = settings.sources[plan.source].look_back
        stopped, calls = _applied(warehouse, door, plan, wanted, look_back, tell=tell, clock=clock)
        outcomes = outcomes_of(warehouse, plan)
    pulled, unpulled = _pulled(settings, plan.source, door, tell, clock) if pulls else (None, None)
    return Applied(plan, outcomes, calls, pulled, stopped or unpulled)


def _applied(
    warehouse: Warehouse, door: Door, plan: Plan, wanted: str, look_back: int, *, tell: Tell, clock: Clock
) -> tuple[SyncError | None, int]:
    """Send what is still to be sent; the error at which it stopped, and how many calls were sent."""
    check_none_under_way(warehouse, plan.source, plan.plan_id)
    if read_plan(warehouse, plan.plan_id).state != wanted:
        raise StalePlan(f"Somebody else is applying, or has applied, the plan {plan.plan_id}.")
    journal = WarehouseJournal(plan.source, lambda: nullcontext(warehouse), operator=operator(), now=clock.now)
    api = Api(door, journal, Password(no_password), plan.plan_id)
    settle_open(warehouse, plan.source, api, client_ids=plan.client_ids, now=clock.now)
    known = _so_far(warehouse, plan)
    note_outcomes(warehouse, plan, list(known.values()), clock.now())
    rest = [cell for cell in plan.cells if _is_open(known.get((cell.client_id, cell.column)))]
    looked, sent = clocks(plan.base_at, plan.made_at), 0
    while rest:
        changed, looked = changed_meanwhile(door, plan, looked, look_back, clock)
        sendable, left = _without_conflicts(changed, rest, known)
        if wanted == PLANNED and not sent:
            _check_base(plan, left)
        set_state(warehouse, plan, APPLYING)
        note_outcomes(warehouse, plan, left, clock.now())
        done = {(one.client_id, one.column) for one in left}
        until = clock.monotonic() + LOOK_AGAIN
        for call in calls_for(sendable):
            if done and clock.monotonic() > until:
                break
            tell("sending", len(plan.cells) - len(rest) + len(done), len(plan.cells))
            try:
                note_outcomes(warehouse, plan, _sent(api, call), clock.now())
            except WarehouseError:
                raise
            except SyncError as problem:
                note_outcomes(warehouse, plan, list(_so_far(warehouse, plan).values()), clock.now())
                return problem, sent
            sent += 1
            done |= {(cell.client_id, cell.column) for cell in call.cells}
        rest = [cell for cell in rest if (cell.client_id, cell.column) not in done]
    set_state(warehouse, plan, APPLIED, applied_at=clock.now())
    return None, sent


def _check_base(plan: Plan, left: Sequence[CellOutcome]) -> None:
    """Raises StalePlan where most of a plan was changed by others since it was made: it is about another state."""
    moved = sum(one.outcome is Outcome.CONFLICT for one in left)
    if moved > MOVED_AT_LEAST and moved * 2 > len(plan.cells):
        raise StalePlan(
            f"Somebody has changed {moved:,} of the {len(plan.cells):,} values since {plan.plan_id} was made: "
            "plan anew. Nothing was sent."
        )


def _is_open(known: CellOutcome | None) -> bool:
    """Whether a cell is still to be sent.

    It never was, or the server is known to have done nothing of it: no answer came, or the call was refused, which may
    have been for another client in it.
    """
    if known is None or known.outcome is Outcome.REFUSED:
        return True
    return known.outcome is Outcome.NOT_APPLIED and bool(known.message)


def _sent(api: Api, call: PlannedCall) -> list[CellOutcome]:
    return [CellOutcome(*told) for told in send_planned(api, call)]


def _so_far(warehouse: Warehouse, plan: Plan) -> dict[tuple[str, str], CellOutcome]:
    """What is known of the plan's cells that were sent: by the journal, which tells of clients, and what was noted.

    A cell that was noted as applied is, although the journal has another word for all of its client.
    """
    known = {(one.client_id, one.column): one for one in journaled(warehouse, plan)}
    noted = {(one.client_id, one.column): one for one in outcomes_of(warehouse, plan)}
    return {
        key: noted[key] if key in noted and noted[key].outcome is Outcome.APPLIED else one for key, one in known.items()
    }


def _without_conflicts(
    records: Mapping[str, Record], cells: Cells, known: Mapping[tuple[str, str], CellOutcome]
) -> tuple[list[Cell], list[CellOutcome]]:
    """The cells that may be sent, and those that somebody has changed meanwhile.

    A cell that has its value already is applied: by whoever wrote it, or by ourselves, where it was sent before.
    """
    seen = {key: view(record) for key, record in records.items()}
    sendable, left = [], []
    for cell in cells:
        present = seen.get(cell.client_id)
        if present is None or (present[cell.column] == cell.before and not present["is_deleted"]):
            sendable.append(_as_it_is(cell, present))
        elif present[cell.column] == cell.after:
            why = "" if (cell.client_id, cell.column) in known else ALREADY
            left.append(CellOutcome(cell.client_id, cell.column, Outcome.APPLIED, why))
        else:
            left.append(CellOutcome(cell.client_id, cell.column, Outcome.CONFLICT, CHANGED))
    return sendable, left


def _as_it_is(cell: Cell, present: Mapping[str, object] | None) -> Cell:
    """A group of a client that was archived since goes by a PUT, as assign_group passes over it."""
    if present is not None and cell.column == "group_settings_id" and present["archived_at"]:
        return replace(cell, by_put=True)
    return cell


def _pulled(
    settings: Settings, name: str, door: Door, tell: Tell, clock: Clock
) -> tuple[Pulled | None, SyncError | None]:
    """The pull that brings what was written into the mirror; one that fails is made up for by the next."""
    try:
        return pull(Job(settings, name, door, tell=tell, clock=clock)), None
    except SyncError as problem:
        return None, problem

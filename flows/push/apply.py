"""Applying a plan: checked, sent, read back; each value gets an outcome.

One plan at a time per source, under the lock of its pulls. What a killed run has sent is known from the journal, so
that `resume` ends as if it had not been killed. A plan that is not to go on is closed by a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector.door.door import Door
from flows.configuration.load import place_of
from flows.configuration.values import Settings
from flows.pull.job import Job, Pulled
from flows.pull.pull import pull
from flows.push.send import Sending, end_unsent, known_so_far, send_rest, settle_sent
from flows.session.api import check_company
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.cut_off import named_when_cut_off
from flows.session.progress import Progress, silent
from flows.session.ready import open_ready
from flows.session.under_way import check_none_under_way
from flows.session.writing import one_writer_at_a_time
from schemas.errors import SettingsError, StalePlan, SyncError, TooMuchChange, UnsafePlan, WrongDigest
from schemas.journal import Outcome
from schemas.plan import Plan
from warehouse.control.journal import open_calls
from warehouse.control.plans import (
    APPLYING,
    ENDED,
    PLANNED,
    CellOutcome,
    Stored,
    note_outcomes,
    outcomes_of,
    read_plan,
    set_state,
)
from warehouse.control.state import read_state
from warehouse.engine.seam import Warehouse
from warehouse.locks.lock import one_run_at_a_time

AS_WANTED: Final = frozenset({Outcome.APPLIED, Outcome.THERE_ALREADY})
"""Outcomes of values that are as the plan wants them."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a plan: its values' outcomes, how many calls were sent, and the pull that brought them here.

    `stopped` is the error at which it ended before its end; `resume` goes on from there, unless the plan has ended.
    """

    plan: Plan
    outcomes: Sequence[CellOutcome]
    calls: int
    pulled: Pulled | None
    stopped: SyncError | None = None

    @property
    def counts(self) -> Mapping[str, int]:
        """How many values came to which outcome; `not sent` are those that were not reached."""
        counted = Counter(one.outcome.value for one in self.outcomes)
        left = len(self.plan.cells) - len(self.outcomes)
        return {**counted, **({"not sent": left} if left > 0 else {})}

    @property
    def as_planned(self) -> bool:
        """Whether every value is as the plan wanted it."""
        return not self.stopped and all(one.outcome in AS_WANTED for one in self.outcomes)


def apply_plan(
    settings: Settings,
    door: Door,
    plan_id: str,
    digest: str,
    *,
    force: bool = False,
    pulls: bool = True,
    progress: Progress = silent,
    clock: Clock = SYSTEM_CLOCK,
) -> Applied:
    """Apply a plan whose digest a person has seen. It is applied once; what was cut off is resumed.

    Afterwards a pull brings what was written into the mirror, unless `pulls` is false.

    Raises WrongDigest, StalePlan (expired, applied already), TooMuchChange (more clients than the settings allow, and
    not `force`), Busy, and UnsafePlan where the outcome of an earlier call is unknown: then nothing was sent.
    """
    stored = _stored(settings, plan_id, clock)
    _check_digest(stored, digest)
    if stored.state != PLANNED:
        hint = "resume it" if stored.state == APPLYING else "plan again"
        raise StalePlan(f"The plan {plan_id} is {stored.state}; a plan is applied once: {hint}.")
    if why := _barred(stored, clock.now()):
        raise StalePlan(f"{why}: plan again. Nothing was sent.")
    _check_company(settings, door, stored.plan, clock)
    if not force:
        check_brake(settings, stored.plan, clock)
    return _run(settings, door, stored, pulls=pulls, progress=progress, clock=clock)


def resume_plan(
    settings: Settings,
    door: Door,
    plan_id: str,
    digest: str | None = None,
    *,
    pulls: bool = True,
    progress: Progress = silent,
    clock: Clock = SYSTEM_CLOCK,
) -> Applied:
    """Go on with a plan that was cut off: what was sent is settled by reading back, what was not is sent now.

    A plan that has expired, or is not as it was approved, is settled and ended, and nothing more is sent: the error
    stands in `stopped`. Raises StalePlan for one that was never begun or has come to its end, WrongDigest where a
    digest is given and the plan has another one, UnsafePlan where a call stays unknown.
    """
    stored = _stored(settings, plan_id, clock)
    if stored.state != APPLYING:
        raise StalePlan(f"The plan {plan_id} is {stored.state}: there is nothing to resume.")
    if digest is not None:
        _check_digest(stored, digest)
    _check_company(settings, door, stored.plan, clock)
    return _run(settings, door, stored, pulls=pulls, progress=progress, clock=clock)


def close_plan(settings: Settings, plan_id: str, *, clock: Clock = SYSTEM_CLOCK) -> Applied:
    """End a plan for good, so that it keeps no other waiting. Asks no server and sends nothing; what is done stays.

    Raises StalePlan for a plan that has ended already, UnsafePlan while it is not known what became of a call of it.
    """
    with _alone(settings, _stored(settings, plan_id, clock).plan.source, clock) as warehouse:
        stored = read_plan(warehouse, plan_id)
        plan = stored.plan
        if stored.state not in {PLANNED, APPLYING}:
            raise StalePlan(f"The plan {plan_id} is {stored.state}: there is nothing to close.")
        for one in open_calls(warehouse, plan.source):
            if one.call.plan_id == plan_id:
                raise UnsafePlan(
                    f"It is not known what became of a call of the plan {plan_id}. Settle it first: "
                    f"`ninja-sync journal settle {one.call_id}`."
                )
        note_outcomes(warehouse, plan, list(known_so_far(warehouse, plan).values()), clock.now())
        set_state(warehouse, plan, ENDED, applied_at=clock.now())
        return Applied(plan, outcomes_of(warehouse, plan), 0, None)


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


def _check_digest(stored: Stored, digest: str) -> None:
    if digest != stored.digest:
        plan_id = stored.plan.plan_id
        raise WrongDigest(f"The digest of {plan_id} is another one: look at it with `ninja-sync push show` again.")


def _barred(stored: Stored, now: datetime) -> str:
    """Why nothing of a plan may be sent, whoever asks for it; empty where it may."""
    plan = stored.plan
    if plan.digest != stored.digest:
        return f"The plan {plan.plan_id} is not as it was made (a client in it was erased?)"
    return f"The plan {plan.plan_id} has expired" if now > plan.expires_at else ""


def _check_company(settings: Settings, door: Door, plan: Plan, clock: Clock) -> None:
    """Raises SettingsError or StalePlan where the token leads to another company than the one that was read."""
    if check_company(settings, plan.source, door, clock) != plan.company:
        raise StalePlan(f"The plan {plan.plan_id} was made for another company: plan again. Nothing was sent.")


def _stored(settings: Settings, plan_id: str, clock: Clock) -> Stored:
    with open_ready(settings, clock) as warehouse:
        stored = read_plan(warehouse, plan_id)
    if stored.plan.source not in settings.sources:
        raise SettingsError(f"The plan {plan_id} is of the source {stored.plan.source!r}, which is not configured.")
    return stored


@contextmanager
def _alone(settings: Settings, source: str, clock: Clock) -> Iterator[Warehouse]:
    alone = one_run_at_a_time(place_of(settings), source, wait=settings.wait)
    with one_writer_at_a_time(settings, source), alone, open_ready(settings, clock) as warehouse:
        yield warehouse


def _run(settings: Settings, door: Door, stored: Stored, *, pulls: bool, progress: Progress, clock: Clock) -> Applied:
    source = stored.plan.source
    cut_off = named_when_cut_off(
        stored.plan.plan_id, "push", lambda: _stored(settings, stored.plan.plan_id, clock).state
    )
    with cut_off, _alone(settings, source, clock) as warehouse:
        _check_turn(warehouse, stored)
        now = read_plan(warehouse, stored.plan.plan_id)  # it may have been altered while this run waited for its turn
        sending = Sending(warehouse, door, now.plan, settings.sources[source].look_back, progress, clock)
        stopped = _sent(sending, now, clock)
        outcomes = outcomes_of(warehouse, now.plan)
    pulled, unpulled = _pulled(settings, source, door, progress, clock) if pulls else (None, None)
    return Applied(now.plan, outcomes, sending.calls, pulled, stopped or unpulled)


def _sent(sending: Sending, stored: Stored, clock: Clock) -> SyncError | None:
    """Settle and send what is left of a plan; the error at which it stopped."""
    settle_sent(sending)
    why = _barred(stored, clock.now())
    if not why:
        return send_rest(sending, begins=stored.state == PLANNED)
    if stored.state == PLANNED:
        raise StalePlan(f"{why}: plan again. Nothing was sent.")
    return end_unsent(sending, f"{why}: plan again.")


def _check_turn(warehouse: Warehouse, stored: Stored) -> None:
    """Raises StalePlan where another plan was begun, or where this one has moved on since it was looked at."""
    plan = stored.plan
    check_none_under_way(warehouse, plan.source, plan.plan_id)
    now = read_plan(warehouse, plan.plan_id)
    if now.state != stored.state:
        raise StalePlan(f"Somebody else is applying, or has applied, the plan {plan.plan_id}.")
    if now.digest != stored.digest:
        raise WrongDigest(f"The plan {plan.plan_id} was changed meanwhile: look at it with `ninja-sync push show`.")


def _pulled(
    settings: Settings, name: str, door: Door, progress: Progress, clock: Clock
) -> tuple[Pulled | None, SyncError | None]:
    """The pull that brings what was written into the mirror; one that fails is made up for by the next."""
    try:
        return pull(Job(settings, name, door, progress=progress, clock=clock)), None
    except SyncError as problem:
        return None, problem

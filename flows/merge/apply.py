"""Applying a plan of merges: each backed up, rescued, sent once, checked; it stops at the first surprise.

How far each merge has come is noted, and what was sent is in the journal: a run that was killed is gone on with by
`resume`, which merges nobody twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from connector.api.api import Api
from connector.api.verbs import lister
from connector.clients.merge import check_password
from connector.door.door import Door
from connector.door.halt import rest
from connector.door.password import Password
from connector.door.secret import Secret
from connector.scan.scan import first_look
from flows.configuration.load import place_of
from flows.configuration.values import Settings
from flows.merge.step import REFUSED, Merging, is_merged, note, take_step
from flows.pull.job import Job, Pulled
from flows.pull.pull import pull
from flows.session.api import check_company, operator
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.cut_off import named_when_cut_off
from flows.session.progress import Progress, silent
from flows.session.ready import open_ready
from flows.session.under_way import check_none_under_way
from flows.session.writing import one_writer_at_a_time, settle_open
from schemas.entities import CLIENTS
from schemas.errors import SettingsError, StalePlan, SyncError, UnsafePlan, WrongDigest
from schemas.merge_plan import MergePlan, MergeStep
from warehouse.control.journal import WarehouseJournal, open_calls
from warehouse.control.merge_plans import (
    ENDED,
    FINISHED,
    MERGED,
    PLANNED,
    UNMERGED,
    StoredMerges,
    read_merges,
    set_merges_state,
    set_step,
)
from warehouse.control.plans import APPLIED, APPLYING
from warehouse.locks.lock import one_run_at_a_time


@dataclass(frozen=True, slots=True)
class AppliedMerges:
    """How far a plan and its merges have come, where the backups are, and the error at which they stopped."""

    plan: MergePlan
    state: str
    states: Sequence[str]
    backups: Sequence[str | None]
    pulled: Pulled | None = None
    stopped: SyncError | None = None

    @property
    def merged(self) -> int:
        """How many merges the server has done, with their rescue or without it."""
        return sum(state not in UNMERGED for state in self.states)

    @property
    def finished(self) -> bool:
        """Whether no merge of the plan has anything left to do."""
        return all(state in FINISHED for state in self.states)


def apply_merges(
    settings: Settings,
    door: Door,
    plan_id: str,
    digest: str,
    password: Callable[[], Secret],
    *,
    pulls: bool = True,
    progress: Progress = silent,
    clock: Clock = SYSTEM_CLOCK,
    sleep: Callable[[float], None] = rest,
) -> AppliedMerges:
    """Apply a plan of merges whose digest a person has seen; once. It stops at the first surprise.

    Raises WrongDigest, StalePlan (expired, begun already, another company, another version of the server), Busy, and
    UnsafePlan where the outcome of an earlier call is unknown: then nothing was sent.
    """
    stored = _stored(settings, plan_id, clock)
    if digest != stored.digest:
        raise WrongDigest(f"The digest of {plan_id} is another one: look at it with `ninja-sync merge show` again.")
    _check_unchanged(stored)
    if stored.state != PLANNED:
        hint = "resume it" if stored.state == APPLYING else "plan anew"
        raise StalePlan(f"The plan {plan_id} is {stored.state}; a plan is applied once: {hint}.")
    if why := _barred(stored.plan, door, clock):
        raise StalePlan(why)
    return _run(
        settings, door, stored, password, gives_up=False, pulls=pulls, progress=progress, clock=clock, sleep=sleep
    )


def resume_merges(
    settings: Settings,
    door: Door,
    plan_id: str,
    password: Callable[[], Secret],
    *,
    without_rescue: bool = False,
    pulls: bool = True,
    progress: Progress = silent,
    clock: Clock = SYSTEM_CLOCK,
    sleep: Callable[[float], None] = rest,
) -> AppliedMerges:
    """Go on with a plan that was cut off, or that stopped.

    `without_rescue` finishes merges that are done, and whose last rescue cannot be written, without it; merges that
    were not sent yet are rescued as planned. Raises StalePlan where there is nothing to resume, and for a plan that is
    not as it was approved.
    """
    stored = _stored(settings, plan_id, clock)
    if stored.state != APPLYING:
        raise StalePlan(f"The plan {plan_id} is {stored.state}: there is nothing to resume.")
    _check_unchanged(stored)
    return _run(
        settings,
        door,
        stored,
        password,
        gives_up=without_rescue,
        pulls=pulls,
        progress=progress,
        clock=clock,
        sleep=sleep,
    )


def close_merges(settings: Settings, plan_id: str, *, clock: Clock = SYSTEM_CLOCK) -> AppliedMerges:
    """End a plan for good, so that it keeps no other waiting. Asks no server, and sends nothing; what is done stays.

    Raises StalePlan for a plan that has ended already, UnsafePlan while it is not known what became of a merge of it.
    """
    source = _stored(settings, plan_id, clock).plan.source
    alone = one_run_at_a_time(place_of(settings), source, wait=settings.wait)
    with one_writer_at_a_time(settings, source), alone, open_ready(settings, clock) as warehouse:
        stored = read_merges(warehouse, plan_id)
        if stored.state not in {PLANNED, APPLYING}:
            raise StalePlan(f"The plan {plan_id} is {stored.state}: there is nothing to close.")
        for one in open_calls(warehouse, source):
            if one.call.plan_id == plan_id and one.call.verb == "merge":
                raise UnsafePlan(
                    f"It is not known what became of a merge of the plan {plan_id}. Settle it first: `ninja-sync "
                    f"journal settle {one.call_id}`."
                )
        for place, step, state in zip(stored.places, stored.plan.steps, stored.states, strict=True):
            if state in UNMERGED and is_merged(warehouse, stored.plan, step, state):
                set_step(warehouse, stored.plan, place, MERGED, now=clock.now())
        set_merges_state(warehouse, stored.plan, ENDED, applied_at=clock.now())
        ended = read_merges(warehouse, plan_id)
    return AppliedMerges(ended.plan, ended.state, ended.states, ended.backups)


def _check_unchanged(stored: StoredMerges) -> None:
    """Raises StalePlan for a plan that is not the one which its digest stands for."""
    plan_id = stored.plan.plan_id
    if stored.plan.digest != stored.digest:
        close = f" Close it first: `ninja-sync merge close {plan_id}`." if stored.state == APPLYING else ""
        raise StalePlan(
            f"The plan {plan_id} is not as it was made (a client in it was erased?): plan anew. Nothing was sent."
            f"{close}"
        )


def _barred(plan: MergePlan, door: Door, clock: Clock) -> str:
    """Why no merge of the plan may be sent any more, if so."""
    if clock.now() > plan.expires_at:
        return f"The plan {plan.plan_id} has expired, and what was not sent is not sent: plan anew."
    version = first_look(lister(door, CLIENTS)).version or ""
    if version != plan.version:
        return (
            f"The server is of version {version or 'unknown'} now, and the plan {plan.plan_id} was made for "
            f"{plan.version or 'unknown'}: figures may come out otherwise. Plan anew."
        )
    return ""


def _stored(settings: Settings, plan_id: str, clock: Clock) -> StoredMerges:
    with open_ready(settings, clock) as warehouse:
        stored = read_merges(warehouse, plan_id)
    if stored.plan.source not in settings.sources:
        raise SettingsError(f"The plan {plan_id} is of the source {stored.plan.source!r}, which is not configured.")
    return stored


def _run(
    settings: Settings,
    door: Door,
    stored: StoredMerges,
    password: Callable[[], Secret],
    *,
    gives_up: bool,
    pulls: bool,
    progress: Progress,
    clock: Clock,
    sleep: Callable[[float], None],
) -> AppliedMerges:
    plan, held = stored.plan, Password(password)
    if check_company(settings, plan.source, door, clock) != plan.company:
        raise StalePlan(f"The plan {plan.plan_id} was made for another company: plan anew. Nothing was sent.")
    alone = one_run_at_a_time(place_of(settings), plan.source, wait=settings.wait)
    cut_off = named_when_cut_off(plan.plan_id, "merge", lambda: _stored(settings, plan.plan_id, clock).state)
    with cut_off, one_writer_at_a_time(settings, plan.source), alone, open_ready(settings, clock) as warehouse:
        journal = WarehouseJournal(plan.source, lambda: nullcontext(warehouse), operator=operator(), now=clock.now)
        api = Api(door, journal, held, plan.plan_id)
        try:
            stopped = _applied(Merging(settings, warehouse, api, plan, clock, sleep, gives_up), stored.state, progress)
        finally:
            held.drop()
        ended = read_merges(warehouse, plan.plan_id)
    pulled = None
    if pulls:
        try:
            pulled = pull(Job(settings, plan.source, door, progress=progress, clock=clock))
        except SyncError as problem:  # made up for by the next pull
            stopped = stopped or problem
    return AppliedMerges(plan, ended.state, ended.states, ended.backups, pulled, stopped)


def _applied(merging: Merging, wanted: str, progress: Progress) -> SyncError | None:
    """Do what is left of the plan; the error at which it stopped."""
    warehouse, plan = merging.warehouse, merging.plan
    check_none_under_way(warehouse, plan.source, plan.plan_id)
    stored = read_merges(warehouse, plan.plan_id)
    if stored.state != wanted:
        raise StalePlan(f"Somebody else is applying, or has applied, the plan {plan.plan_id}.")
    _check_unchanged(stored)
    if any(state in UNMERGED for state in stored.states):
        check_password(merging.api)  # a missing or wrong one is reported before anything is written
    settle_open(warehouse, plan.source, merging.api, now=merging.clock.now, sleep=merging.sleep)
    barred = _barred(plan, merging.api.door, merging.clock)
    for place, step, noted in zip(stored.places, plan.steps, stored.states, strict=True):
        progress("merging", place, len(plan.steps))
        # A run that was killed may have merged, and not noted it here.
        state = MERGED if noted in UNMERGED and is_merged(warehouse, plan, step, noted) else noted
        try:
            take_step(merging, place, step, state, barred)
        except SyncError as problem:
            _stop(merging, place, step, problem)
            return problem
    set_merges_state(warehouse, plan, APPLIED, applied_at=merging.clock.now())
    return None


def _stop(merging: Merging, place: int, step: MergeStep, problem: SyncError) -> None:
    """Record where a plan stands that stopped: it may be resumed, unless the same would come of it again."""
    warehouse, plan = merging.warehouse, merging.plan
    now = read_merges(warehouse, plan.plan_id)
    (noted,) = (one for at, one in zip(now.places, now.states, strict=True) if at == place)
    if is_merged(warehouse, plan, step, noted):
        if noted in UNMERGED:
            note(merging, place, MERGED)  # it is done, although something about it is a surprise
    elif isinstance(problem, REFUSED):
        begun = any(one != PLANNED for one in now.states)
        set_merges_state(warehouse, plan, ENDED if begun else PLANNED, applied_at=merging.clock.now())

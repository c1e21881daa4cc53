"""Apply a plan of merges: back up, rescue, send once and check each merge; stop at the first surprise.

The progress of each merge is noted, and the journal shows what was sent. So after a kill, `resume` goes on and merges
nobody twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from connector.clients.merge import check_password
from connector.door.door import Door
from connector.door.halt import rest
from connector.door.secret import Secret
from flows.configuration.values import Settings
from flows.merge.step import REFUSED, Merging, is_merged, note, take_step
from flows.plans.applying import Run, applying, closing, find_plan
from flows.pull.job import Pulled
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.progress import Progress, silent
from schemas.errors import ConnectionLost, StalePlan, SyncError
from schemas.merge_plan import MergeStep
from schemas.plan import MERGE, Plan
from warehouse.control.plans import (
    ENDED,
    FINISHED,
    MERGED,
    PLANNED,
    UNMERGED,
    read_plan,
    set_step,
)


@dataclass(frozen=True, slots=True)
class AppliedMerges:
    """The progress of a plan and its merges, the paths of the backups, and the error that stopped them."""

    plan: Plan
    state: str
    states: Sequence[str]
    backups: Sequence[str | None]
    pulled: Pulled | None = None
    stopped: SyncError | None = None

    @property
    def merged(self) -> int:
        """The number of merges that the server has done, with or without their rescue."""
        return sum(state not in UNMERGED for state in self.states)

    @property
    def finished(self) -> bool:
        """Whether every merge of the plan has come to its end."""
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
    """Apply a plan of merges, once, whose digest a person has seen. Stops at the first surprise.

    Raises the errors of `applying`, and PasswordRequired; then nothing was sent.
    """
    return _applied(
        applying(
            settings, door, MERGE, plan_id, digest, pulls=pulls, password=password, progress=progress, clock=clock,
            sleep=sleep,
        )
    )  # fmt: skip


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
    """Resume a plan that was cut off, or that stopped.

    With `without_rescue`, merges that are done but whose last rescue cannot be written are finished without it. Merges
    not sent yet are rescued as planned. Raises the errors of `applying`, and StalePlan for a plan that was altered
    after its approval.
    """
    turn = applying(
        settings, door, MERGE, plan_id, resumes=True, pulls=pulls, password=password, progress=progress, clock=clock,
        sleep=sleep,
    )  # fmt: skip
    return _applied(turn, gives_up=without_rescue)


def close_merges(settings: Settings, plan_id: str, *, clock: Clock = SYSTEM_CLOCK) -> AppliedMerges:
    """End a plan for good, so that no other plan waits for it. Sends nothing and undoes nothing. See `closing`."""
    with closing(settings, MERGE, plan_id, clock) as (warehouse, plan):
        stored = read_plan(warehouse, plan_id, MERGE)
        for place, step, state in zip(stored.places, plan.steps, stored.states, strict=True):
            if state in UNMERGED and is_merged(warehouse, plan, step, state):
                set_step(warehouse, plan, place, MERGED, clock.now())
    ended = find_plan(settings, MERGE, plan_id, clock)
    return AppliedMerges(ended.plan, ended.state, ended.states, ended.backups)


def _applied(turn: AbstractContextManager[Run], *, gives_up: bool = False) -> AppliedMerges:
    with turn as run:
        _check_unchanged(run)
        if any(state in UNMERGED for state in run.stored.states):
            check_password(run.api)  # reports a missing or wrong one before anything is written
        run.stopped = _merged(Merging(run, gives_up))
    ended = run.stored
    return AppliedMerges(ended.plan, ended.state, ended.states, ended.backups, run.pulled, run.stopped)


def _check_unchanged(run: Run) -> None:
    """Raises StalePlan if the plan does not match its digest."""
    if run.plan.digest != run.stored.digest:
        close = f"ninja-sync merge close {run.plan.plan_id}"
        raise StalePlan(f"{run.barred}: plan again. Nothing more was sent. Close it first: `{close}`.")


def _merged(merging: Merging) -> SyncError | None:
    """Do the rest of the plan; return the error that stopped it, or None."""
    run, plan = merging.run, merging.run.plan
    for place, step, noted in zip(run.stored.places, plan.steps, run.stored.states, strict=True):
        run.progress("merging", place, len(plan.steps))
        # A killed run may have merged without noting it here.
        state = MERGED if noted in UNMERGED and is_merged(run.warehouse, plan, step, noted) else noted
        try:
            take_step(merging, place, step, state)
        except ConnectionLost:  # without its locks, a run notes nothing more
            raise
        except SyncError as problem:
            _stop(run, place, step, problem)
            return problem
    return None


def _stop(run: Run, place: int, step: MergeStep, problem: SyncError) -> None:
    """Record the state of a plan that stopped. It can be resumed, unless the same error would stop it again."""
    now = read_plan(run.warehouse, run.plan.plan_id, MERGE)
    (noted,) = (state for at, state in zip(now.places, now.states, strict=True) if at == place)
    if is_merged(run.warehouse, run.plan, step, noted):
        if noted in UNMERGED:
            note(run, place, MERGED)  # it is done, even if something about it is a surprise
    elif isinstance(problem, REFUSED):
        run.note(ENDED if any(state != PLANNED for state in now.states) else PLANNED)

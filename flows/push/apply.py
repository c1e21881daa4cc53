"""Apply a plan of changes: check, send, read back, and record an outcome for each value.

The journal shows what a killed run has sent, so `resume` ends as if it had not been killed. A person can close a plan
instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from connector.door.door import Door
from flows.configuration.values import Settings
from flows.plans.applying import Run, applying, closing
from flows.pull.job import Pulled
from flows.push.send import Sending, note_sent, send_rest
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.progress import Progress, silent
from schemas.errors import SyncError
from schemas.journal import AS_WANTED, Outcome
from schemas.plan import PUSH, CellOutcome, Plan
from warehouse.control.plans import calls_sent, outcomes_of


@dataclass(frozen=True, slots=True)
class Applied:
    """The result of a plan: the outcomes of its values, the calls that this run sent, and the pull afterwards.

    `stopped` is the error that stopped it early; `resume` goes on from there, unless the plan has ended.
    """

    plan: Plan
    outcomes: Sequence[CellOutcome]
    calls: int
    pulled: Pulled | None
    stopped: SyncError | None = None

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of values for each outcome; `not sent` includes those that were not reached."""
        counted = Counter(cell.outcome.value for cell in self.outcomes)
        counted[Outcome.NOT_SENT.value] += max(0, len(self.plan.cells) - len(self.outcomes))
        return dict(+counted)

    @property
    def as_planned(self) -> bool:
        """Whether every value of the plan is as planned."""
        wanted = sum(cell.outcome in AS_WANTED for cell in self.outcomes)
        return not self.stopped and wanted == len(self.outcomes) >= len(self.plan.cells)


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
    """Apply a plan whose digest a person has seen. A plan is applied once; resume it if it was cut off.

    Afterwards a pull brings the written values into the mirror, unless `pulls` is false. With `force`, the plan may
    change more clients than the settings allow. Raises the errors of `applying`; then nothing was sent.
    """
    return _applied(
        applying(settings, door, PUSH, plan_id, digest, force=force, pulls=pulls, progress=progress, clock=clock),
    )


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
    """Resume a plan that was cut off: settle the values that were sent by reading them back, and send the others.

    A plan that has expired, or was altered after its approval, is settled and ended without sending more; `stopped` has
    the error. Raises the errors of `applying`, WrongDigest only if a digest is given.
    """
    return _applied(
        applying(settings, door, PUSH, plan_id, digest, resumes=True, pulls=pulls, progress=progress, clock=clock),
    )


def close_plan(settings: Settings, plan_id: str, *, clock: Clock = SYSTEM_CLOCK) -> Applied:
    """End a plan for good, so that no other plan waits for it. Sends nothing and undoes nothing. See `closing`."""
    with closing(settings, PUSH, plan_id, clock) as (warehouse, plan):
        note_sent(warehouse, plan, clock.now())
        return Applied(plan, outcomes_of(warehouse, plan), 0, None)


def _applied(turn: AbstractContextManager[Run]) -> Applied:
    with turn as run:
        before = calls_sent(run.warehouse, run.plan)
        run.stopped = send_rest(Sending(run))
        calls = calls_sent(run.warehouse, run.plan) - before
        outcomes = outcomes_of(run.warehouse, run.plan)
    return Applied(run.plan, outcomes, calls, run.pulled, run.stopped)

"""Applying a plan of changes: checked, sent, read back; each value gets an outcome.

The journal knows what a killed run has sent, so that `resume` ends as if it had not been killed. A person closes a plan
that is not to go on.
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
from warehouse.control.plans import outcomes_of


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
        return {**counted, **({Outcome.NOT_SENT.value: left} if left > 0 else {})}

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

    Afterwards a pull brings what was written into the mirror, unless `pulls` is false. With `force`, the plan may
    change more clients than the settings allow. Raises what `applying` raises; then nothing was sent.
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
    """Go on with a plan that was cut off: what was sent is settled by reading back, what was not is sent now.

    A plan that has expired, or is not as it was approved, is settled and ended, and nothing more is sent: the error
    stands in `stopped`. Raises what `applying` raises, WrongDigest only where a digest is given.
    """
    return _applied(
        applying(settings, door, PUSH, plan_id, digest, resumes=True, pulls=pulls, progress=progress, clock=clock),
    )


def close_plan(settings: Settings, plan_id: str, *, clock: Clock = SYSTEM_CLOCK) -> Applied:
    """End a plan for good, so that it keeps no other waiting. Sends nothing; what is done stays. See `closing`."""
    with closing(settings, PUSH, plan_id, clock) as (warehouse, plan):
        note_sent(warehouse, plan, clock.now())
        return Applied(plan, outcomes_of(warehouse, plan), 0, None)


def _applied(turn: AbstractContextManager[Run]) -> Applied:
    with turn as run:
        sending = Sending(run)
        run.stopped = send_rest(sending)
        outcomes = outcomes_of(run.warehouse, run.plan)
    return Applied(run.plan, outcomes, sending.calls, run.pulled, run.stopped)

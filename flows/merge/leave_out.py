"""Plan the merges of a plan again: without some that a person does not want after all, or those it has not done."""

from __future__ import annotations

from collections.abc import Sequence, Set

from connector.door.door import Door
from flows.configuration.values import Settings
from flows.merge.apply import close_merges
from flows.merge.plan import PlannedMerges, plan_merges
from flows.merge.stored import StoredMerges
from flows.session.clock import SYSTEM_CLOCK, Clock
from schemas.errors import SettingsError, StalePlan
from schemas.merge_plan import MergeStep
from warehouse.control.plans import APPLYING, PLANNED, UNMERGED


def plan_without(
    settings: Settings, door: Door, shown: StoredMerges, left_out: Set[int], *, clock: Clock = SYSTEM_CLOCK
) -> PlannedMerges:
    """Plan the merges of a plan again, with its choices but without those at some places; the old plan ends.

    Reads the clients again, so the new plan may refuse some of the others. Raises SettingsError if nothing is left out
    or nothing remains, and StalePlan if the plan was begun.
    """
    plan, steps = shown.stored.plan, [merge.step for merge in shown.merges if merge.place not in left_out]
    if shown.stored.state != PLANNED:
        raise StalePlan(f"The plan {plan.plan_id} is {shown.stored.state}: nothing can be left out of it any more.")
    if len(steps) == len(shown.merges):
        raise SettingsError("Tick the merges to leave out.")
    if not steps:
        raise SettingsError("You leave out all merges. End the plan instead.")
    made = _planned(settings, door, shown, steps, clock)
    if made.plan is not None:
        close_merges(settings, plan.plan_id, clock=clock)
    return made


def plan_again(settings: Settings, door: Door, shown: StoredMerges, *, clock: Clock = SYSTEM_CLOCK) -> PlannedMerges:
    """Plan the merges again that a plan has not done, with its choices; the old plan ends.

    Raises StalePlan if the plan may still be resumed, and SettingsError if it has done all of them.
    """
    stored = shown.stored
    if stored.state == APPLYING:
        raise StalePlan(f"The plan {stored.plan.plan_id} was cut off: go on with it, or end it, then plan again.")
    steps = [merge.step for merge in shown.merges if merge.state in UNMERGED]
    if not steps:
        raise SettingsError("All merges of this plan are done.")
    made = _planned(settings, door, shown, steps, clock)
    if made.plan is not None and stored.state == PLANNED:
        close_merges(settings, stored.plan.plan_id, clock=clock)
    return made


def _planned(
    settings: Settings, door: Door, shown: StoredMerges, steps: Sequence[MergeStep], clock: Clock
) -> PlannedMerges:
    """Plan merges with the choices of the plan that had them."""
    plan = shown.stored.plan
    return plan_merges(
        settings, plan.source, door, [(step.survivor_id, step.mergeable_id) for step in steps],
        allowed={name for step in plan.steps for name in step.allowed}, rescue=all(step.rescue for step in plan.steps),
        public_notes=any(step.public_notes or "public_notes" in step.before.columns for step in plan.steps),
        reason=plan.reason,
        remarks={merge.step.mergeable_id: merge.step.remarks for merge in shown.merges}, clock=clock,
    )  # fmt: skip

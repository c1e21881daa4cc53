"""A person's yes to a plan, push or merge, by its digest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flows.configuration.values import Settings
from flows.session.api import operator
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.ready import open_ready
from schemas.errors import StalePlan
from warehouse.control.approvals import Approval, approval_of, approve, plan_of
from warehouse.control.merge_plans import StoredMerges, read_merges
from warehouse.control.plans import APPLYING, PLANNED, Stored, read_plan
from warehouse.engine.seam import Warehouse

PUSH: Final = "push"
MERGE: Final = "merge"
"""The kinds of plans, and the commands that apply them."""


@dataclass(frozen=True, slots=True)
class Approvable:
    """A plan that may be approved, and its approval, where somebody has given it already."""

    stored: Stored | StoredMerges
    approval: Approval | None

    @property
    def kind(self) -> str:
        """PUSH or MERGE."""
        return PUSH if isinstance(self.stored, Stored) else MERGE


def find_plan_by_digest(settings: Settings, digest: str, clock: Clock = SYSTEM_CLOCK) -> Approvable:
    """The plan that was shown with this digest, which is told whole, as to `push apply` and `merge apply`.

    Raises SettingsError where no plan has it, and StalePlan where it could not be applied any more: it has expired, was
    begun or applied, or is not as it was made.
    """
    with open_ready(settings, clock) as warehouse:
        return _found(warehouse, digest, clock.now())


def approve_digest(settings: Settings, digest: str, clock: Clock = SYSTEM_CLOCK) -> Approval:
    """Approve the plan of a digest, as the user of this machine. Where it is approved already, that approval stays.

    Raises what `find_plan_by_digest` raises.
    """
    with open_ready(settings, clock) as warehouse:
        known = _found(warehouse, digest, clock.now()).approval
        return known or approve(warehouse, digest, operator(), clock.now())


def _found(warehouse: Warehouse, digest: str, now: datetime) -> Approvable:
    kind, _, plan_id = plan_of(warehouse, digest)
    stored = read_plan(warehouse, plan_id) if kind == PUSH else read_merges(warehouse, plan_id)
    _check(stored, now)
    return Approvable(stored, approval_of(warehouse, plan_id, digest))


def _check(stored: Stored | StoredMerges, now: datetime) -> None:
    plan = stored.plan
    if stored.state != PLANNED:
        hint = "resume it" if stored.state == APPLYING else "plan anew"
        raise StalePlan(f"The plan {plan.plan_id} is {stored.state}; a plan is applied once: {hint}.")
    if plan.digest != stored.digest:
        raise StalePlan(f"The plan {plan.plan_id} is not as it was made (a client in it was erased?): plan anew.")
    if now > plan.expires_at:
        raise StalePlan(f"The plan {plan.plan_id} has expired: plan anew.")

"""Approve a plan, push or merge, by its digest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flows.configuration.values import Settings
from flows.plans.applying import check_plan
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.operator import operator
from flows.session.ready import open_ready
from warehouse.control.approvals import Approval, approval_of, approve, plan_of
from warehouse.control.plans import PLANNED, Stored, read_plan
from warehouse.engine.seam import Warehouse


@dataclass(frozen=True, slots=True)
class Approvable:
    """A plan that may be approved, and its approval if it has one already."""

    stored: Stored
    approval: Approval | None


def find_plan_by_digest(settings: Settings, digest: str, clock: Clock = SYSTEM_CLOCK) -> Approvable:
    """Return the plan with this digest. The digest must be complete, as for `push apply` and `merge apply`.

    Raises SettingsError if no plan has it, and StalePlan if the plan can no longer be applied: it has expired, was
    begun or applied, or has changed since it was made.
    """
    with open_ready(settings, clock) as warehouse:
        return _approvable(warehouse, digest, clock.now())


def approve_digest(settings: Settings, digest: str, clock: Clock = SYSTEM_CLOCK) -> Approval:
    """Approve the plan with a digest, as the user of this machine. An earlier approval stays.

    Raises the errors of `find_plan_by_digest`.
    """
    with open_ready(settings, clock) as warehouse:
        known = _approvable(warehouse, digest, clock.now()).approval
        return known or approve(warehouse, digest, operator(), clock.now())


def _approvable(warehouse: Warehouse, digest: str, now: datetime) -> Approvable:
    kind, _, plan_id = plan_of(warehouse, digest)
    stored = read_plan(warehouse, plan_id, kind)
    check_plan(stored, PLANNED, digest, now)
    return Approvable(stored, approval_of(warehouse, plan_id, digest))

"""Approve or reject a plan, push or merge, by its digest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flows.configuration.values import Settings
from flows.plans.applying import check_plan
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.operator import operator
from flows.session.ready import open_ready
from flows.show.show import harmless
from schemas.errors import SettingsError
from warehouse.control.approvals import Approval, approval_of, approve, plan_of, request_of
from warehouse.control.plans import PLANNED, Stored, read_plan
from warehouse.control.rejections import reject
from warehouse.engine.seam import Warehouse

LONGEST: Final = 2_000
"""Most characters of a comment."""


@dataclass(frozen=True, slots=True)
class Approvable:
    """A plan that may be approved, and its approval if it has one already."""

    stored: Stored
    approval: Approval | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A plan that was rejected, and the flow run that waits for it, if any: it ends once it is resumed."""

    stored: Stored
    asked_by: str | None


def find_plan_by_digest(settings: Settings, digest: str, clock: Clock = SYSTEM_CLOCK) -> Approvable:
    """Return the plan with this digest. The digest must be complete, as for `push apply` and `merge apply`.

    Raises SettingsError if no plan has it, and StalePlan if the plan can no longer be applied: it has expired, was
    begun or applied, or has changed since it was made.
    """
    with open_ready(settings, clock) as warehouse:
        return _approvable(warehouse, digest, clock.now())


def approval_of_plan(settings: Settings, stored: Stored, clock: Clock = SYSTEM_CLOCK) -> Approval | None:
    """Return the approval of a plan as it is stored; None if nobody has given one."""
    with open_ready(settings, clock) as warehouse:
        return approval_of(warehouse, stored.plan.plan_id, stored.digest)


def said_of(stored: Stored, approval: Approval | None) -> list[str]:
    """Return who has approved and who has rejected a plan, when, and their comments, for people."""
    said = []
    if approval is not None:
        said.append(_said("Approved", approval.approved_by, approval.approved_at, approval.comment))
    if stored.rejection is not None:
        rejection = stored.rejection
        said.append(_said("Rejected", rejection.rejected_by, rejection.rejected_at, rejection.comment))
    return said


def said_as_json(stored: Stored, approval: Approval | None) -> dict[str, object]:
    """Return the approval and the rejection of a plan for machines; null where there is none."""
    given = approval and {"by": approval.approved_by, "at": approval.approved_at, "comment": approval.comment}
    turned = stored.rejection
    why = turned and {"by": turned.rejected_by, "at": turned.rejected_at, "comment": turned.comment}
    return {"approval": given, "rejection": why}


def _said(what: str, by: str | None, at: datetime | None, comment: str | None) -> str:
    return f"{what} by {by}, {at:%Y-%m-%d %H:%M} UTC" + (f": {harmless(comment)}" if comment else ".")


def approve_digest(settings: Settings, digest: str, clock: Clock = SYSTEM_CLOCK, *, comment: str = "") -> Approval:
    """Approve the plan with a digest, as the operator, perhaps with a comment. An earlier approval stays.

    Raises the errors of `find_plan_by_digest`, and SettingsError for a comment that is too long.
    """
    checked = _checked(comment)
    with open_ready(settings, clock) as warehouse:
        known = _approvable(warehouse, digest, clock.now()).approval
        return known or approve(warehouse, digest, operator(), clock.now(), comment=checked)


def reject_digest(settings: Settings, digest: str, comment: str, clock: Clock = SYSTEM_CLOCK) -> Rejected:
    """Reject the plan with a digest, as the operator; nobody can approve or apply it any more.

    An approval given before does not count then. The changes of a plan of the outbox wait for their author, who queues
    them again or withdraws them. Raises the errors of `find_plan_by_digest`, StalePlan if the plan is begun or rejected
    at the same moment, and SettingsError without a comment.
    """
    checked = _checked(comment)
    if not checked:
        raise SettingsError("Say why the plan is rejected: the person who made it reads the reason.")
    with open_ready(settings, clock) as warehouse:
        approvable = _approvable(warehouse, digest, clock.now())
        plan = approvable.stored.plan
        reject(warehouse, plan, digest, operator(), checked, clock.now())
        asked = request_of(warehouse, plan.plan_id, digest)
        return Rejected(read_plan(warehouse, plan.plan_id, plan.kind), asked.asked_by if asked else None)


def _checked(comment: str) -> str:
    """Return a comment without spaces around it. Raises SettingsError if it is too long."""
    if len(comment) > LONGEST:
        raise SettingsError(f"The comment has {len(comment):,} characters; at most {LONGEST:,} are kept.")
    return comment.strip()


def _approvable(warehouse: Warehouse, digest: str, now: datetime) -> Approvable:
    kind, _, plan_id = plan_of(warehouse, digest)
    stored = read_plan(warehouse, plan_id, kind)
    check_plan(stored, PLANNED, digest, now)
    return Approvable(stored, approval_of(warehouse, plan_id, digest))

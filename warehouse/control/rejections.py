"""Rejections in the warehouse: the plans that a person has turned down, with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from schemas.errors import StalePlan
from schemas.plan import Plan
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement


@dataclass(frozen=True, slots=True)
class Rejection:
    """The rejection of a plan: the person, the time, and the reason in the person's own words."""

    rejected_by: str
    rejected_at: datetime
    comment: str = field(repr=False)


def reject(warehouse: Warehouse, plan: Plan, digest: str, by: str, comment: str, now: datetime) -> None:
    """Note that a person rejects a plan that nobody has begun; from then on it cannot be approved or applied.

    The state changes only if nobody begins the plan at the same moment. Raises StalePlan if somebody has.
    """
    values = {"source": plan.source, "plan_id": plan.plan_id, "digest": digest}
    with warehouse.transaction():
        if not warehouse.rows(statement("approvals/turn_down"), values):
            raise StalePlan(f"The plan {plan.plan_id} was applied, closed or changed meanwhile: it is not rejected.")
        warehouse.execute(statement("approvals/reject"), {**values, "by": by, "now": now, "comment": comment})

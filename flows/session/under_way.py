"""One plan at a time per source: a plan that was cut off is resumed, or closed, before another is applied."""

from __future__ import annotations

from schemas.errors import StalePlan
from warehouse.control.merge_plans import merges_under_way
from warehouse.control.plans import under_way
from warehouse.engine.seam import Warehouse


def check_none_under_way(warehouse: Warehouse, source: str, plan_id: str) -> None:
    """Raises StalePlan, with the command that helps, where another plan of the source was begun and not ended."""
    for other in under_way(warehouse, source):
        if other != plan_id:
            raise _cut_off("push", other)
    for other in merges_under_way(warehouse, source):
        if other != plan_id:
            raise _cut_off("merge", other)


def _cut_off(command: str, plan_id: str) -> StalePlan:
    return StalePlan(
        f"The plan {plan_id} was cut off: resume it first, or close it. `ninja-sync {command} resume {plan_id}` goes "
        f"on; `ninja-sync {command} close {plan_id}` ends it and sends nothing."
    )

"""Plans of merges in the warehouse: stored whole, applied once, each merge with how far it has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from schemas.errors import SettingsError
from schemas.merge_plan import MergePlan, MergeStep, step_from
from schemas.values import to_json
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

PLANNED: Final = "planned"
CHECKED: Final = "checked"
RESCUED: Final = "rescued"
MERGED: Final = "merged"
DONE: Final = "done"
UNRESCUED: Final = "done without rescue"
"""A merge that is done, and whose last rescue a person has given up."""
UNMERGED: Final = (PLANNED, CHECKED, RESCUED)
"""States of a merge that was not sent, as far as is noted."""
FINISHED: Final = (DONE, UNRESCUED)
"""States of a merge that has nothing left to do."""
ENDED: Final = "ended"
"""A plan that stopped for good: the clients have changed, or a person has closed it. Merges already done stay done."""
_JSON = msgspec.json.Decoder()


@dataclass(frozen=True, slots=True)
class StoredMerges:
    """A plan as it lies in the warehouse: how far it and each of its merges have come, and where backups are.

    `places` are the merges' places in the plan as it was made: those of an erased client are taken out of it.
    """

    plan: MergePlan
    state: str
    digest: str
    states: Sequence[str]
    backups: Sequence[str | None]
    applied_at: datetime | None
    places: Sequence[int] = ()


def store_merges(warehouse: Warehouse, plan: MergePlan) -> None:
    """Store a plan, in one transaction."""
    names = ("source", "plan_id", "made_at", "expires_at", "author", "reason", "company", "version", "digest")
    steps = {
        "source": plan.source, "plan_id": plan.plan_id, "places": list(range(len(plan.steps))),
        "survivors": [step.survivor_id for step in plan.steps],
        "mergeables": [step.mergeable_id for step in plan.steps],
        "told": [to_json(step.told) for step in plan.steps],
    }  # fmt: skip
    with warehouse.transaction():
        warehouse.execute(statement("merges/insert_plan"), {name: getattr(plan, name) for name in names})
        warehouse.execute(statement("merges/insert_steps"), steps)


def read_merges(warehouse: Warehouse, plan_id: str) -> StoredMerges:
    """A plan by its id. Raises SettingsError where there is none."""
    columns, rows = warehouse.answer(statement("merges/find"), {"plan_id": plan_id})
    if not rows:
        raise SettingsError(f"There is no plan of merges {plan_id!r}: `ninja-sync merge list` shows them.")
    found: dict[str, Any] = dict(zip(columns, rows[0], strict=True))
    state, digest, applied_at = found.pop("state"), found.pop("digest"), found.pop("applied_at")
    steps: list[MergeStep] = []
    states, backups, places = [], [], []
    for place, told, step_state, backup in warehouse.rows(statement("merges/steps"), found):
        steps.append(step_from(_JSON.decode(str(told))))
        states.append(str(step_state))
        places.append(int(str(place)))
        backups.append(None if backup is None else str(backup))
    return StoredMerges(MergePlan(**found, steps=steps), state, digest, states, backups, applied_at, places)


def set_merges_state(warehouse: Warehouse, plan: MergePlan, state: str, *, applied_at: datetime | None = None) -> None:
    """Note how far a plan has come."""
    values = {"source": plan.source, "plan_id": plan.plan_id, "state": state, "applied_at": applied_at}
    warehouse.execute(statement("merges/set_state"), values)


def set_step(
    warehouse: Warehouse, plan: MergePlan, place: int, state: str, *, now: datetime, backup: str | None = None
) -> None:
    """Note how far one merge has come, and where the backup of its clients is."""
    values = {"source": plan.source, "plan_id": plan.plan_id, "place": place, "state": state}
    warehouse.execute(statement("merges/set_step"), {**values, "backup": backup, "noted_at": now})


def merges_under_way(warehouse: Warehouse, source: str) -> list[str]:
    """The plans of a source whose application was begun and has not come to its end."""
    return [str(plan_id) for (plan_id,) in warehouse.rows(statement("merges/under_way"), {"source": source})]


def merged_by(warehouse: Warehouse, plan: MergePlan) -> set[str]:
    """The clients that this plan has merged away, by the journal: what a killed run has done and not noted here."""
    values = {"source": plan.source, "plan_id": plan.plan_id}
    return {str(client_id) for (client_id,) in warehouse.rows(statement("merges/journaled"), values)}

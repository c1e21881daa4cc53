"""Approvals in the warehouse: which plans a flow run waits for, and who has approved which digest.

They are kept here, and not with Prefect, because whoever reaches Prefect's API could give one there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.errors import SettingsError, StalePlan
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement


@dataclass(frozen=True, slots=True)
class Approval:
    """What is known of the approval of a plan: by which flow run it is asked for, and who has given it, if anybody.

    It is of one digest: a plan that was changed since has none.
    """

    source: str
    plan_id: str
    digest: str
    asked_by: str | None
    asked_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A plan that can be approved: its kind (push or merge), how many clients it is about, which flow run asks."""

    source: str
    plan_id: str
    kind: str
    clients: int
    made_at: datetime
    expires_at: datetime
    digest: str
    asked_by: str | None


def ask(warehouse: Warehouse, source: str, plan_id: str, digest: str, asked_by: str | None, now: datetime) -> None:
    """Note that a flow run asks for a plan to be approved. To ask again takes no approval away."""
    values = {"source": source, "plan_id": plan_id, "digest": digest, "asked_by": asked_by, "now": now}
    _note(warehouse, "ask", values)


def asked_by(warehouse: Warehouse, run_id: str) -> Approval | None:
    """What a flow run has asked for last: by it, a run that was suspended and starts anew finds the plan it made."""
    return _first(warehouse, "asked_by", {"run_id": run_id})


def approve(warehouse: Warehouse, digest: str, by: str, now: datetime) -> Approval:
    """Note that somebody approves the plan of this digest; the first approval of it stays.

    Whether the plan may still be approved is for the caller to say. Raises SettingsError where no plan has the digest.
    """
    _, source, plan_id = plan_of(warehouse, digest)
    values = {"source": source, "plan_id": plan_id, "digest": digest, "by": by, "now": now}
    _note(warehouse, "approve", values)
    return require_approval(warehouse, source, plan_id, digest)


def approval_of(warehouse: Warehouse, plan_id: str, digest: str) -> Approval | None:
    """The approval that a plan has with exactly this digest; None where nobody has given one."""
    found = _first(warehouse, "find", {"plan_id": plan_id, "digest": digest})
    return found if found is not None and found.approved_at is not None else None


def require_approval(warehouse: Warehouse, source: str, plan_id: str, digest: str) -> Approval:
    """The approval of a plan with exactly this digest. Raises StalePlan where nobody has given one."""
    found = approval_of(warehouse, plan_id, digest)
    if found is None or found.source != source:
        raise StalePlan(f"The plan {plan_id} is not approved: ninja-sync approve {digest}")
    return found


def waiting(warehouse: Warehouse, source: str | None, now: datetime) -> list[Waiting]:
    """The plans of a source, or of all, that can be approved and are not, the oldest first."""
    rows: list[tuple[Any, ...]] = warehouse.rows(statement("approvals/waiting"), {"source": source, "now": now})
    return [Waiting(*row) for row in rows]


def plan_of(warehouse: Warehouse, digest: str) -> tuple[str, str, str]:
    """The plan of a digest: its kind (push or merge), its source, its id. Raises SettingsError where there is none."""
    for kind, source, plan_id in warehouse.rows(statement("approvals/plan"), {"digest": digest}):
        return str(kind), str(source), str(plan_id)
    raise SettingsError(f"No plan has the digest {digest!r}: `ninja-sync approve` lists what waits for an approval.")


def _note(warehouse: Warehouse, what: str, values: Mapping[str, object]) -> None:
    plan = {name: values[name] for name in ("source", "plan_id", "digest")}
    with warehouse.transaction():
        warehouse.hold(f"approvals of {plan['source']}")  # two who note the same plan at once make one row
        warehouse.execute(statement("approvals/note"), plan)
        warehouse.execute(statement(f"approvals/{what}"), values)


def _first(warehouse: Warehouse, name: str, values: Mapping[str, object]) -> Approval | None:
    rows: list[tuple[Any, ...]] = warehouse.rows(statement(f"approvals/{name}"), values)
    return Approval(*rows[0]) if rows else None

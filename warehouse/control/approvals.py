"""Approvals in the warehouse: the plans that flow runs wait for, and who approved which digest.

They are stored here and not in Prefect, because access to Prefect's API would be enough to forge one there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from schemas.errors import SettingsError, StalePlan
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement


@dataclass(frozen=True, slots=True)
class Approval:
    """The approval of a plan: the flow run that asks for it, and the person who has given it, if anybody.

    It holds for one digest, so a plan that was changed since has none.
    """

    source: str
    plan_id: str
    digest: str
    asked_by: str | None
    asked_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    comment: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A plan that can be approved: its kind (push or merge), its number of clients, and the flow run that asks."""

    source: str
    plan_id: str
    kind: str
    clients: int
    made_at: datetime
    expires_at: datetime
    digest: str
    asked_by: str | None


def ask(warehouse: Warehouse, source: str, plan_id: str, digest: str, asked_by: str | None, now: datetime) -> None:
    """Note that a flow run asks for the approval of a plan. Asking again withdraws no approval."""
    values = {"source": source, "plan_id": plan_id, "digest": digest, "asked_by": asked_by, "now": now}
    _note(warehouse, "ask", values)


def asked_by(warehouse: Warehouse, run_id: str) -> Approval | None:
    """Return a flow run's last request: through it, a run that was suspended and starts again finds its plan."""
    return _first(warehouse, "asked_by", {"run_id": run_id})


def approve(warehouse: Warehouse, digest: str, by: str, now: datetime, *, comment: str = "") -> Approval:
    """Note that a person approves the plan with this digest, perhaps with a comment; a first approval stays.

    The caller checks that the plan may still be approved. Raises SettingsError if no plan has the digest.
    """
    _, source, plan_id = plan_of(warehouse, digest)
    values = {"source": source, "plan_id": plan_id, "digest": digest, "by": by, "now": now, "comment": comment or None}
    _note(warehouse, "approve", values)
    return require_approval(warehouse, source, plan_id, digest)


def approval_of(warehouse: Warehouse, plan_id: str, digest: str) -> Approval | None:
    """Return the approval of a plan with exactly this digest; None if nobody has given one."""
    approval = request_of(warehouse, plan_id, digest)
    return approval if approval is not None and approval.approved_at is not None else None


def request_of(warehouse: Warehouse, plan_id: str, digest: str) -> Approval | None:
    """Return the request for an approval of this digest, given or not; None if nobody has asked."""
    return _first(warehouse, "find", {"plan_id": plan_id, "digest": digest})


def require_approval(warehouse: Warehouse, source: str, plan_id: str, digest: str) -> Approval:
    """Return the approval of a plan with exactly this digest. Raises StalePlan if nobody has given one."""
    approval = approval_of(warehouse, plan_id, digest)
    if approval is None or approval.source != source:
        raise StalePlan(f"The plan {plan_id} is not approved: ninja-sync approve {digest}")
    return approval


def waiting(warehouse: Warehouse, source: str | None, now: datetime) -> list[Waiting]:
    """Return the plans of a source, or of all, that wait for an approval, the oldest first."""
    rows: list[tuple[Any, ...]] = warehouse.rows(statement("approvals/waiting"), {"source": source, "now": now})
    return [Waiting(*row) for row in rows]


def plan_of(warehouse: Warehouse, digest: str) -> tuple[str, str, str]:
    """Return the kind (push or merge), source and id of the plan with a digest. Raises SettingsError if none has it."""
    for kind, source, plan_id in warehouse.rows(statement("approvals/plan"), {"digest": digest}):
        return str(kind), str(source), str(plan_id)
    raise SettingsError(
        f"No plan has the digest {digest!r}: `ninja-sync approve` lists the plans that wait for approval."
    )


def _note(warehouse: Warehouse, what: str, values: Mapping[str, object]) -> None:
    plan = {name: values[name] for name in ("source", "plan_id", "digest")}
    with warehouse.transaction():
        warehouse.hold(f"approvals of {plan['source']}")  # two requests for one plan at once make one row
        warehouse.execute(statement("approvals/note"), plan)
        warehouse.execute(statement(f"approvals/{what}"), values)


def _first(warehouse: Warehouse, name: str, values: Mapping[str, object]) -> Approval | None:
    rows: list[tuple[Any, ...]] = warehouse.rows(statement(f"approvals/{name}"), values)
    return Approval(*rows[0]) if rows else None

"""The outbox: changes that people have queued, each with its state, until a plan takes it up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from schemas.plan import RefusedWish
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

WAITING: Final = "waiting"
REFUSED_STATE: Final = "refused"
OF_REJECTED: Final = "rejected"
OPEN: Final = frozenset({WAITING, REFUSED_STATE, OF_REJECTED})
"""States of changes that no plan will send: they can be withdrawn. Those of a rejected plan wait for their author."""
HELD: Final = frozenset({REFUSED_STATE, OF_REJECTED})
"""States of changes that the next plan leaves out, until somebody queues them again."""
REFUSED: Final = "refused: "
"""The prefix of the text in `plan_id` of a refused change."""


@dataclass(frozen=True, slots=True)
class Change:
    """One queued change: a field of a client, its new value (None empties it), its author, and its state."""

    change_id: str
    source: str
    client_id: str
    column: str
    value: str | None = field(repr=False)
    reason: str | None
    author: str
    queued_at: datetime
    state: str
    why: str
    plan_id: str | None


def hold_outbox(warehouse: Warehouse) -> None:
    """Hold the outbox until the transaction ends: a change is withdrawn or planned, and never both."""
    warehouse.hold("the outbox")


def free_changes(warehouse: Warehouse, source: str, now: datetime) -> list[tuple[object, ...]]:
    """Return the id, client, field and value of each change that waits for a plan, oldest first."""
    return warehouse.rows(statement("read/outbox"), {"source": source, "now": now})


def queued(warehouse: Warehouse) -> list[Change]:
    """Return all changes of the outbox, oldest first."""
    return _changes(warehouse, "control.outbox", {})


def queued_of_client(warehouse: Warehouse, source: str, client_id: str) -> list[Change]:
    """Return the changes of one client, oldest first."""
    return _changes(warehouse, _part("read/outbox_of_client"), {"source": source, "id": client_id})


def queued_as(warehouse: Warehouse, names: Iterable[str]) -> list[Change]:
    """Return the changes whose id begins with one of these names, oldest first."""
    return _changes(warehouse, _part("read/outbox_named"), {"names": [name for name in names if name]})


def _part(name: str) -> str:
    return f"({statement(name)})"


def _changes(warehouse: Warehouse, outbox: str, params: Mapping[str, object]) -> list[Change]:
    rows: list[tuple[Any, ...]] = warehouse.rows(statement("read/changes").format(outbox=outbox), params)
    changes = [Change(*row) for row in rows]
    return sorted(changes, key=lambda change: (change.queued_at, change.client_id, change.column))


def withdraw(warehouse: Warehouse, change_ids: Sequence[str]) -> None:
    """Remove changes from the outbox."""
    warehouse.execute(statement("plans/withdraw"), {"changes": list(change_ids)})
    warehouse.execute("update control.published set changed_runs = -1")  # the copies still show them


def queue_again(warehouse: Warehouse, change_ids: Sequence[str]) -> None:
    """Have refused changes, and those of rejected plans, wait for the next plan again."""
    warehouse.execute(statement("plans/queue_again"), {"changes": list(change_ids)})
    warehouse.execute("update control.published set changed_runs = -1")  # as above


def refuse_unknown_sources(warehouse: Warehouse, configured: Iterable[str]) -> list[RefusedWish]:
    """Refuse changes of sources that are neither configured here nor in the warehouse, and return them.

    Machines that share a warehouse may configure different sources, so each knows the sources that any has pulled.
    """
    known = {*configured, *(str(name) for (name,) in warehouse.rows("select source from control.sources"))}
    reason = f"no source has the name that the change names; there are {', '.join(sorted(known))}"
    values = {"known": sorted(known), "why": f"{REFUSED}{reason}"}
    with warehouse.transaction():
        rows = warehouse.rows(statement("plans/refuse_sources"), values)
    return [RefusedWish("outbox", str(client_id), str(column), reason) for client_id, column in rows]

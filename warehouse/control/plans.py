"""Plans in the warehouse: stored whole, read back whole, applied once; and what became of each of their cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from schemas.errors import SettingsError
from schemas.journal import Outcome
from schemas.plan import Cell, CellOutcome, Plan
from schemas.values import to_json
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

PLANNED: Final = "planned"
APPLYING: Final = "applying"
APPLIED: Final = "applied"
ENDED: Final = "ended"
"""A plan of which nothing more is sent: it expired or was altered before its end, or a person has closed it."""
NOTHING: Final[Mapping[str, Sequence[str]]] = {}
_JSON = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class Stored:
    """A plan as it lies in the warehouse: how far it has come, and the digest that it was stored with."""

    plan: Plan
    state: str
    digest: str
    applied_at: datetime | None


def store_plan(warehouse: Warehouse, plan: Plan, *, wishes: Mapping[str, Sequence[str]] = NOTHING) -> None:
    """Store a plan, and note what became of wishes of the outbox (see `note_wishes`), in one transaction."""
    values = {
        "source": plan.source, "plan_id": plan.plan_id, "made_at": plan.made_at, "expires_at": plan.expires_at,
        "base_at": plan.base_at, "newest_at": plan.newest_at, "author": plan.author, "reason": plan.reason,
        "undoes": plan.undoes, "digest": plan.digest, "company": plan.company,
    }  # fmt: skip
    cells = {
        "source": plan.source, "plan_id": plan.plan_id, "ids": [c.client_id for c in plan.cells],
        "fields": [c.column for c in plan.cells], "befores": [to_json(c.before) for c in plan.cells],
        "afters": [to_json(c.after) for c in plan.cells], "by_puts": [c.by_put for c in plan.cells],
    }  # fmt: skip
    with warehouse.transaction():
        warehouse.execute(statement("plans/insert_plan"), values)
        warehouse.execute(statement("plans/insert_cells"), cells)
        note_wishes(warehouse, plan.source, wishes)


def note_wishes(warehouse: Warehouse, source: str, wishes: Mapping[str, Sequence[str]]) -> None:
    """Note what became of wishes of the outbox: the id of their plan, or why there is none; their ids by that."""
    for became, wish_ids in wishes.items():
        warehouse.execute(statement("plans/take_up"), {"source": source, "plan_id": became, "wish_ids": list(wish_ids)})


def read_plan(warehouse: Warehouse, plan_id: str) -> Stored:
    """A plan by its id. Raises SettingsError where there is none."""
    columns, rows = warehouse.answer(statement("plans/find"), {"plan_id": plan_id})
    if not rows:
        raise SettingsError(f"There is no plan {plan_id!r} in this warehouse: `ninja-sync push list` shows them.")
    found: dict[str, Any] = dict(zip(columns, rows[0], strict=True))
    state, digest, applied_at = found.pop("state"), found.pop("digest"), found.pop("applied_at")
    cells = [
        Cell(str(key), str(name), _value(before), _value(after), bool(by_put))
        for key, name, before, after, by_put in warehouse.rows(statement("plans/cells"), found)
    ]
    return Stored(Plan(**found, cells=cells), state, digest, applied_at)


def set_state(warehouse: Warehouse, plan: Plan, state: str, *, applied_at: datetime | None = None) -> None:
    """Note how far a plan has come."""
    values = {"source": plan.source, "plan_id": plan.plan_id, "state": state, "applied_at": applied_at}
    warehouse.execute(statement("plans/set_state"), values)


def under_way(warehouse: Warehouse, source: str) -> list[str]:
    """The plans of a source whose application was begun and has not come to its end."""
    return [str(plan_id) for (plan_id,) in warehouse.rows(statement("plans/under_way"), {"source": source})]


def note_outcomes(warehouse: Warehouse, plan: Plan, found: Sequence[CellOutcome], now: datetime) -> None:
    """Note what became of cells; what was noted of them before is replaced."""
    values = {
        "source": plan.source, "plan_id": plan.plan_id, "noted_at": now, "ids": [one.client_id for one in found],
        "fields": [one.column for one in found], "outcomes": [one.outcome.value for one in found],
        "messages": [one.message for one in found],
    }  # fmt: skip
    with warehouse.transaction():
        warehouse.execute(statement("plans/remove_outcomes"), values)
        warehouse.execute(statement("plans/insert_outcomes"), values)


def outcomes_of(warehouse: Warehouse, plan: Plan) -> list[CellOutcome]:
    """What is noted of the cells of a plan."""
    rows = warehouse.rows(statement("plans/outcomes"), {"source": plan.source, "plan_id": plan.plan_id})
    return [CellOutcome(str(k), str(f), Outcome(outcome), str(message)) for k, f, outcome, message in rows]


def journaled(warehouse: Warehouse, plan: Plan) -> list[CellOutcome]:
    """What the journal knows of the cells of a plan, the newest call last: sent, and what became of it.

    A cell whose call was never settled is UNKNOWN.
    """
    rows = warehouse.rows(statement("plans/journaled"), {"source": plan.source, "plan_id": plan.plan_id})
    return [
        CellOutcome(str(key), column, Outcome(outcome or Outcome.UNKNOWN.value), str(message))
        for key, after, outcome, message in rows
        for column in _value(after)
    ]


def _value(text: object) -> Any:
    return _JSON.decode(str(text))

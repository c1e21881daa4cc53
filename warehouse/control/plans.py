"""Plans in the warehouse, stored and read whole, with the outcomes of their cells and merges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from schemas.errors import SettingsError, StalePlan
from schemas.journal import Outcome
from schemas.merge_plan import step_from
from schemas.plan import MERGE, PUSH, Cell, CellOutcome, Plan
from schemas.values import to_json
from warehouse.control.outbox import free_changes, hold_outbox
from warehouse.control.rejections import Rejection
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

PLANNED: Final = "planned"
APPLYING: Final = "applying"
APPLIED: Final = "applied"
ENDED: Final = "ended"
REJECTED: Final = "rejected"
"""States of a plan. An ended plan sends nothing more: it expired, was altered, or a person closed it. A rejected plan
sends nothing either, and stays rejected."""
CHECKED: Final = "checked"
RESCUED: Final = "rescued"
MERGED: Final = "merged"
DONE: Final = "done"
UNRESCUED: Final = "done without rescue"
"""States of a merge, which begins as PLANNED. UNRESCUED: a person gave up the rescue after it."""
UNMERGED: Final = (PLANNED, CHECKED, RESCUED)
"""States of a merge that was not sent, as far as noted."""
FINISHED: Final = (DONE, UNRESCUED)
"""States of a merge that has come to its end."""
NOTHING: Final[Mapping[str, Sequence[str]]] = {}
_WORDS: Final = {PUSH: "plan", MERGE: "plan of merges"}
_JSON = msgspec.json.Decoder(float_hook=Decimal)
_STEPS = msgspec.json.Decoder()


@dataclass(frozen=True, slots=True)
class Stored:
    """A plan in the warehouse, with its state and the digest that it was stored with.

    For each merge, `states` has its state, `backups` the path of its backup, and `places` its place in the original
    plan, because merges of erased clients are removed from it.
    """

    plan: Plan
    state: str
    digest: str
    applied_at: datetime | None
    places: Sequence[int] = ()
    states: Sequence[str] = ()
    backups: Sequence[str | None] = ()
    rejection: Rejection | None = None


def store_plan(warehouse: Warehouse, plan: Plan, *, wishes: Mapping[str, Sequence[str]] = NOTHING) -> None:
    """Store a plan, and note the result of changes in the outbox (see `note_wishes`), in one transaction.

    Raises StalePlan, without storing anything, if one of these changes is not free any more.
    """
    key = {"source": plan.source, "plan_id": plan.plan_id}
    values = {
        **key, "kind": plan.kind, "made_at": plan.made_at, "expires_at": plan.expires_at, "base_at": plan.base_at,
        "newest_at": plan.newest_at, "author": plan.author, "reason": plan.reason, "company": plan.company,
        "version": plan.version, "undoes": plan.undoes, "digest": plan.digest,
    }  # fmt: skip
    cells = {
        **key, "ids": [c.client_id for c in plan.cells], "fields": [c.column for c in plan.cells],
        "befores": [to_json(c.before) for c in plan.cells], "afters": [to_json(c.after) for c in plan.cells],
        "by_puts": [c.by_put for c in plan.cells],
    }  # fmt: skip
    steps = {
        **key, "places": list(range(len(plan.steps))), "survivors": [step.survivor_id for step in plan.steps],
        "mergeables": [step.mergeable_id for step in plan.steps],
        "told": [to_json(step.as_plain) for step in plan.steps],
    }  # fmt: skip
    with warehouse.transaction():
        warehouse.execute(statement("plans/insert"), values)
        warehouse.execute(statement("plans/insert_cells"), cells)
        warehouse.execute(statement("plans/insert_steps"), steps)
        if note_wishes(warehouse, plan.source, wishes, plan.made_at):
            raise StalePlan("Queued changes were withdrawn or planned meanwhile: plan again.")


def note_wishes(warehouse: Warehouse, source: str, wishes: Mapping[str, Sequence[str]], now: datetime) -> int:
    """Note the result of changes in the outbox; `wishes` has their ids by plan id, or by the reason for no plan.

    Leaves alone the changes that were withdrawn or planned meanwhile, and returns their number. Needs a transaction.
    """
    if not wishes:
        return 0
    hold_outbox(warehouse)
    free = {str(waiting) for waiting, *_ in free_changes(warehouse, source, now)}
    left = 0
    for became, wish_ids in wishes.items():
        values = {"source": source, "plan_id": became, "wish_ids": [wish_id for wish_id in wish_ids if wish_id in free]}
        left += len(wish_ids) - len(warehouse.rows(statement("plans/take_up"), values))  # SQL deletes without the hold
    return left


def read_plan(warehouse: Warehouse, plan_id: str, kind: str) -> Stored:
    """Return a plan of this kind by its id. Raises SettingsError if there is none."""
    columns, rows = warehouse.answer(statement("plans/find"), {"plan_id": plan_id, "kind": kind})
    if not rows:
        raise SettingsError(
            f"There is no {_WORDS[kind]} {plan_id!r} in this warehouse: `ninja-sync {kind} list` shows them."
        )
    row: dict[str, Any] = dict(zip(columns, rows[0], strict=True))
    state, digest, applied_at = row.pop("state"), row.pop("digest"), row.pop("applied_at")
    by, at, comment = row.pop("rejected_by"), row.pop("rejected_at"), row.pop("comment")
    cells = [
        Cell(str(key), str(name), _value(before), _value(after), bool(by_put))
        for key, name, before, after, by_put in warehouse.rows(statement("plans/cells"), row)
    ]
    merges: list[tuple[Any, ...]] = warehouse.rows(statement("plans/steps"), row)
    places, contents, states, backups = zip(*merges, strict=True) if merges else ((),) * 4
    steps = [step_from(_STEPS.decode(str(content))) for content in contents]
    plan, rejection = Plan(**row, cells=cells, steps=steps), None if by is None else Rejection(by, at, comment)
    return Stored(plan, state, digest, applied_at, places, states, backups, rejection)


def set_state(warehouse: Warehouse, plan: Plan, state: str, now: datetime) -> None:
    """Note the state of a plan. Raises StalePlan if somebody has rejected it: then it stays rejected."""
    applied_at = now if state in {APPLIED, ENDED} else None
    values = {"source": plan.source, "plan_id": plan.plan_id, "state": state, "applied_at": applied_at}
    if not warehouse.rows(statement("plans/set_state"), values):
        raise StalePlan(f"Somebody has rejected the plan {plan.plan_id} meanwhile. {see_why(plan)}")


def see_why(plan: Plan) -> str:
    """Return how to see why a plan was rejected. No message has the reason itself, which may name a client."""
    return f"`ninja-sync {plan.kind} show {plan.plan_id}` shows why."


def set_step(
    warehouse: Warehouse, plan: Plan, place: int, state: str, now: datetime, *, backup: str | None = None
) -> None:
    """Note the state of one merge, and the path of its backup."""
    values = {"source": plan.source, "plan_id": plan.plan_id, "place": place, "state": state}
    warehouse.execute(statement("plans/set_step"), {**values, "backup": backup, "noted_at": now})


def under_way(warehouse: Warehouse, source: str) -> list[tuple[str, str]]:
    """Return the kind and id of each plan of a source that was begun and has not ended."""
    rows = warehouse.rows(statement("plans/under_way"), {"source": source})
    return [(str(kind), str(plan_id)) for kind, plan_id in rows]


def note_outcomes(warehouse: Warehouse, plan: Plan, outcomes: Sequence[CellOutcome], now: datetime) -> None:
    """Note the outcomes of cells, in place of earlier ones."""
    values = {
        "source": plan.source, "plan_id": plan.plan_id, "noted_at": now, "ids": [cell.client_id for cell in outcomes],
        "fields": [cell.column for cell in outcomes], "outcomes": [cell.outcome.value for cell in outcomes],
        "messages": [cell.message for cell in outcomes],
    }  # fmt: skip
    with warehouse.transaction():
        warehouse.execute(statement("plans/remove_outcomes"), values)
        warehouse.execute(statement("plans/insert_outcomes"), values)


def outcomes_of(warehouse: Warehouse, plan: Plan) -> list[CellOutcome]:
    """Return the noted outcomes of a plan's cells."""
    rows = warehouse.rows(statement("plans/outcomes"), {"source": plan.source, "plan_id": plan.plan_id})
    return [CellOutcome(str(k), str(f), Outcome(outcome), str(message)) for k, f, outcome, message in rows]


def journaled(warehouse: Warehouse, plan: Plan) -> list[CellOutcome]:
    """Return the outcomes of a plan's cells by the journal, the newest call last.

    A cell whose call was never settled is UNKNOWN.
    """
    rows = warehouse.rows(statement("plans/journaled"), {"source": plan.source, "plan_id": plan.plan_id})
    return [
        CellOutcome(str(key), column, Outcome(outcome or Outcome.UNKNOWN.value), str(message))
        for key, after, outcome, message in rows
        for column in _value(after)
    ]


def calls_sent(warehouse: Warehouse, plan: Plan) -> int:
    """Return the number of calls that a plan has sent, by the journal: refused, lost and repeated ones too."""
    ((number,),) = warehouse.rows(statement("plans/calls"), {"source": plan.source, "plan_id": plan.plan_id})
    return int(str(number))


def merged_by(warehouse: Warehouse, plan: Plan) -> set[str]:
    """Return the clients that this plan has merged away, by the journal: a killed run has not noted them here."""
    values = {"source": plan.source, "plan_id": plan.plan_id}
    return {str(client_id) for (client_id,) in warehouse.rows(statement("plans/merged"), values)}


def _value(text: object) -> Any:
    return _JSON.decode(str(text))

"""Plans as people look at them: a page of all plans, one plan, and a page of its values with their outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from flows.ask.ask import reading, reading_itself
from flows.ask.field_names import names_of_fields
from flows.ask.names import Names, names_in
from flows.configuration.values import Settings
from flows.plans.brake import most_clients
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.show.counted import counted
from schemas.errors import SettingsError
from schemas.journal import AS_WANTED, Outcome
from schemas.plan import MERGE, PUSH
from warehouse.control.plans import APPLIED, APPLYING, ENDED, PLANNED, REJECTED
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

AT_ONCE: Final = 50
"""Plans of one page."""
VALUES_AT_ONCE: Final = 100
"""Values of one page."""
LOOK: Final = "look"
"""Stands for all outcomes that are not as planned."""
NOT_SENT: Final = Outcome.NOT_SENT.value
_WANTED: Final = frozenset(outcome.value for outcome in AS_WANTED)
_JSON = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class ShownPlan:
    """A plan without its values: its counts, its state, and who has approved or rejected it.

    `clients` and `cells` are those of changes, `merges` and `merged` those of merges. `as_planned` and `otherwise`
    count the outcomes noted so far. `seen_at` is the moment by which it has expired or not.
    """

    source: str
    plan_id: str
    kind: str
    state: str
    digest: str
    author: str
    reason: str = field(repr=False)
    made_at: datetime
    expires_at: datetime
    applied_at: datetime | None
    undoes: str | None
    clients: int
    cells: int
    merges: int
    merged: int
    as_planned: int
    otherwise: int
    asked_by: str | None
    approved_by: str | None
    approved_at: datetime | None
    approval_comment: str | None = field(repr=False)
    rejected_by: str | None
    rejected_at: datetime | None
    rejection_comment: str | None = field(repr=False)
    seen_at: datetime

    @property
    def is_merge(self) -> bool:
        """Whether it merges clients, rather than changing values."""
        return self.kind == MERGE

    @property
    def is_open(self) -> bool:
        """Whether it can still be approved, rejected and applied."""
        return self.state == PLANNED and self.expires_at >= self.seen_at

    @property
    def is_cut_off(self) -> bool:
        """Whether it was begun and has not ended: somebody applies it at this moment, or it was cut off."""
        return self.state == APPLYING

    @property
    def can_be_closed(self) -> bool:
        """Whether it can be ended for good."""
        return self.state in {PLANNED, APPLYING}

    @property
    def can_be_undone(self) -> bool:
        """Whether it has written values that another plan can put back."""
        return self.kind == PUSH and self.state in {APPLIED, ENDED} and self.as_planned > 0

    @property
    def time_left(self) -> str:
        """When it expires, in words: `in 3 hours`; '' if it has, or if that does not matter any more."""
        if not self.is_open:
            return ""
        minutes = int((self.expires_at - self.seen_at).total_seconds() // 60)
        hours = minutes // 60
        return f"in {counted(hours, 'hour') if hours else counted(minutes, 'minute')}"

    @property
    def words(self) -> str:
        """The state in words."""
        if self.state == PLANNED:
            if not self.is_open:
                return "expired"
            if self.approved_at:
                return "approved"
            return "waits for approval" if self.asked_by else "ready"
        if self.state == APPLIED and self.otherwise:
            return "applied, not all as planned"
        return {APPLYING: "not finished", APPLIED: "applied", ENDED: "closed", REJECTED: "rejected"}[self.state]

    @property
    def next_step(self) -> str:
        """The next thing to do, in words; '' if there is none."""
        return _NEXT.get(self.words, "")


_NEXT: Final = {
    "expired": "Make a new plan.",
    "approved": "Apply it.",
    "waits for approval": "Approve or reject it. A flow run waits for the answer, and then applies it.",
    "ready": "Look at it. Then apply it, or have it approved, or reject it.",
    "applied, not all as planned": "Look at the values that are not as planned.",
    "not finished": "If nobody is applying it at this moment, it was cut off: resume it, or close it.",
    "rejected": "Correct the changes, then make a new plan.",
}


@dataclass(frozen=True, slots=True)
class PlanPage:
    """One page of the plans, and how many plans there are in all."""

    plans: Sequence[ShownPlan]
    total: int


@dataclass(frozen=True, slots=True)
class ShownValue:
    """One value of a plan: its client, its field in words, the value before and after, and its outcome.

    `asked_for` has the reasons and authors of the queued changes that it was made of.
    """

    client_id: str
    number: str | None
    client: str | None = field(repr=False)
    column: str
    field_name: str
    before: object = field(repr=False)
    after: object = field(repr=False)
    outcome: str | None
    message: str = field(repr=False)
    asked_for: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class OnePlan:
    """A plan of changes with one page of its values, and how many there are for the filters.

    `by_outcome` and `by_field` count all values of the plan; a value without an outcome is *not sent*. `allowed` is how
    many clients it may change unless a person confirms more; None if it changes no more. `undone_by` is the plan that
    undoes it, and is applied or still can be. `queued` counts the queued changes that it was made of.
    """

    plan: ShownPlan
    values: Sequence[ShownValue]
    total: int
    by_outcome: Mapping[str, int]
    by_field: Mapping[str, int]
    field_names: Mapping[str, str]
    allowed: int | None
    undone_by: str | None
    queued: int = 0


def plans_page(
    settings: Settings, source: str | None, page: int = 1, *, most: int = AT_ONCE, clock: Clock = SYSTEM_CLOCK
) -> PlanPage:
    """Return a page of the plans of a source, or of all: those that wait for somebody first, then the newest."""
    with reading(settings, newest=True) as warehouse:
        ((total,),) = warehouse.rows(statement("shown_plans/counted"), {"source": source})
        return PlanPage(_plans(warehouse, source, None, page, most, clock.now()), int(str(total)))


def shown_plan(settings: Settings, plan_id: str, clock: Clock = SYSTEM_CLOCK) -> ShownPlan:
    """Return one plan of either kind. Raises SettingsError if there is none, and Busy if a copy without it was read."""
    with reading(settings, newest=True) as warehouse:
        plans = _plans(warehouse, None, plan_id, 1, 1, clock.now())
    if plans:
        return plans[0]
    with reading_itself(settings) as warehouse:  # a new plan is not yet in the copy
        return _plan(warehouse, plan_id, clock.now())


def one_plan(
    settings: Settings,
    plan_id: str,
    page: int = 1,
    *,
    column: str | None = None,
    outcome: str | None = None,
    most: int = VALUES_AT_ONCE,
    clock: Clock = SYSTEM_CLOCK,
) -> OnePlan:
    """Return a plan of changes with a page of its values: those of one field or one outcome, if it is given.

    The outcome LOOK stands for all that are not as planned. Raises SettingsError if there is no such plan.
    """
    with reading(settings, newest=True) as warehouse:
        plan = _plan(warehouse, plan_id, clock.now())
        key = {"source": plan.source, "plan_id": plan.plan_id}
        by_field = _counts(warehouse, "shown_plans/cells_by_field", key)
        by_outcome = _counts(warehouse, "shown_plans/cells_by_outcome", key)
        if left := sum(by_field.values()) - sum(by_outcome.values()):
            by_outcome[NOT_SENT] = by_outcome.get(NOT_SENT, 0) + left
        chosen = {**key, "field": column, "first": (page - 1) * most, "most": most}
        if outcome is None:
            total = by_field.get(column, 0) if column else sum(by_field.values())
            rows = [(*row, total) for row in warehouse.rows(statement("shown_plans/cells"), chosen)]
        else:
            outcomes = [name for name in by_outcome if name not in _WANTED] if outcome == LOOK else [outcome]
            rows = warehouse.rows(statement("shown_plans/cells_of_outcomes"), {**chosen, "outcomes": outcomes})
        names, known = names_of_fields(warehouse, plan.source), names_in(warehouse, plan.source)
        undone = warehouse.rows(statement("shown_plans/undone_by"), {**key, "now": plan.seen_at})
        allowed = _allowed(settings, warehouse, plan)
        taken = warehouse.rows(statement("shown_plans/taken_up"), key)
    asked = _asked_for(taken)
    values = [_value(row, names, known, asked) for row in rows]
    total = int(str(rows[0][-1])) if rows else 0
    undone_by = str(undone[0][0]) if undone else None
    return OnePlan(plan, values, total, by_outcome, by_field, names, allowed, undone_by, len(taken))


def _asked_for(taken: Sequence[Sequence[object]]) -> dict[tuple[str, str], str]:
    """Return the reasons and authors of queued changes, by client and field."""
    told: dict[tuple[str, str], list[str]] = {}
    for client_id, column, reason, author in taken:
        told.setdefault((str(client_id), str(column)), []).append(f"{reason} ({author})".strip())
    return {key: "; ".join(texts) for key, texts in told.items()}


def _plan(warehouse: Warehouse, plan_id: str, now: datetime) -> ShownPlan:
    plans = _plans(warehouse, None, plan_id, 1, 1, now)
    if not plans:
        raise SettingsError(f"There is no plan {plan_id!r}. The page Plans lists them.")
    return plans[0]


def _allowed(settings: Settings, warehouse: Warehouse, plan: ShownPlan) -> int | None:
    """Return how many clients a plan may change if it changes more, and can still be applied; else None."""
    if not plan.is_open or plan.clients <= settings.push.at_least:
        return None
    allowed = most_clients(settings, warehouse, plan.source)
    return allowed if plan.clients > allowed else None


def _counts(warehouse: Warehouse, query: str, key: Mapping[str, object]) -> dict[str, int]:
    return {str(name): int(str(number)) for name, number in warehouse.rows(statement(query), key)}


def _plans(
    warehouse: Warehouse, source: str | None, plan_id: str | None, page: int, most: int, now: datetime
) -> list[ShownPlan]:
    values = {"source": source, "plan_id": plan_id, "now": now, "first": (page - 1) * most, "most": most}
    columns, rows = warehouse.answer(statement("shown_plans/plans"), values)
    plans: list[dict[str, Any]] = [dict(zip(columns, row, strict=True)) for row in rows]
    return [ShownPlan(**plan, seen_at=now) for plan in plans]


def _value(
    row: Sequence[object], fields: Mapping[str, str], known: Names, asked: Mapping[tuple[str, str], str]
) -> ShownValue:
    client_id, number, client, column, before, after, outcome, message, _ = row
    name = str(column)
    return ShownValue(
        str(client_id), _text(number), _text(client), name, fields.get(name, name), _read(name, before, known),
        _read(name, after, known), _text(outcome), str(message), asked.get((str(client_id), name), ""),
    )  # fmt: skip


def _read(column: str, text: object, known: Names) -> object:
    value = _JSON.decode(str(text))
    if value is None or isinstance(value, bool):
        return value if value is None else ("yes" if value else "no")
    return known.get(column.removeprefix("shipping_"), {}).get(str(value), value)


def _text(value: object) -> str | None:
    return None if value is None else str(value)

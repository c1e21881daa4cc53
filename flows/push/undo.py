"""What people do with plans besides making and applying them: wish, look, put back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from connector.clients.fields import checked, lists_for
from connector.door.door import Door
from flows.configuration.values import Settings
from flows.push.plan import Planned, plan_push
from flows.push.wishes import WishedRow
from flows.session.api import operator
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.ready import open_ready
from flows.show.output import write_output
from flows.show.show import plain
from schemas.errors import StalePlan
from schemas.journal import Outcome
from schemas.plan import PUSH, Plan, PlannedCall
from schemas.values import to_json
from warehouse.control.plans import APPLIED, ENDED, outcomes_of, read_plan
from warehouse.engine.sql import statement


def names_of(settings: Settings, source: str, client_ids: Iterable[str], clock: Clock = SYSTEM_CLOCK) -> dict[str, str]:
    """What clients are called, by id, as far as they are in the mirror: for the person who looks at a plan."""
    with open_ready(settings, clock) as warehouse:
        rows = warehouse.rows(statement("read/names"), {"source": source, "ids": sorted(set(client_ids))})
    return {str(key): str(name or key) for key, name in rows}


def add_wishes(
    settings: Settings, name: str, door: Door, client_id: str, values: Mapping[str, object], *, reason: str,
    clock: Clock = SYSTEM_CLOCK,
) -> None:  # fmt: skip
    """Put wishes for one client into `control.outbox`, with their author; the next plan of the outbox takes them up.

    Raises SettingsError for a value that cannot be written.
    """
    stored = checked(values, lists_for(door, values), by_bulk=True)
    with open_ready(settings, clock) as warehouse, warehouse.transaction():
        for field, value in stored.items():
            told = None if value is None else str(plain(value)).lower() if isinstance(value, bool) else str(value)
            row = {
                "source": name, "id": client_id, "field": field, "value": told, "reason": reason,
                "author": operator(), "wished_at": clock.now(),
            }  # fmt: skip
            warehouse.execute(statement("plans/wish"), row)


def undo_plan(
    settings: Settings, door: Door, plan_id: str, *, reason: str = "", clock: Clock = SYSTEM_CLOCK
) -> Planned:
    """A plan that puts back what a plan has applied; what somebody has changed since is left out, and reported.

    Values that were there already are not put back: the plan has not changed them. Raises StalePlan for a plan that was
    not begun, or not brought to its end.
    """
    with open_ready(settings, clock) as warehouse:
        stored = read_plan(warehouse, plan_id, PUSH)
        outcomes = outcomes_of(warehouse, stored.plan)
    if stored.state not in {APPLIED, ENDED}:
        raise StalePlan(f"The plan {plan_id} is {stored.state}: only what was applied to its end can be undone.")
    done = {(o.client_id, o.column) for o in outcomes if o.outcome is Outcome.APPLIED}
    wished: dict[str, dict[str, object]] = {}
    for cell in stored.plan.cells:
        if (cell.client_id, cell.column) in done:
            wished.setdefault(cell.client_id, {})[cell.column] = cell.before
    rows = [WishedRow("undo", "id", client_id, values) for client_id, values in wished.items()]
    told = reason or f"undo of {plan_id}"
    return plan_push(settings, stored.plan.source, door, rows, reason=told, undoes=stored.plan, clock=clock)


def plan_as_json(plan: Plan) -> dict[str, object]:
    """A plan for machines: what changes, cell by cell, and the calls by which it is done."""
    return {
        "plan_id": plan.plan_id, "source": plan.source, "digest": plan.digest, "undoes": plan.undoes,
        "author": plan.author, "reason": plan.reason, "made_at": plan.made_at, "base_at": plan.base_at,
        "expires_at": plan.expires_at,
        "calls": [call_as_json(call) for call in plan.calls],
        "cells": [
            {"id": c.client_id, "field": c.column, "before": c.before, "after": c.after} for c in plan.cells
        ],
    }  # fmt: skip


def call_as_json(call: PlannedCall) -> dict[str, object]:
    """One call for machines: its verb, what it sets, and for how many clients."""
    columns = sorted({cell.column for cell in call.cells})
    return {"verb": call.verb, "fields": columns, "clients": len(call.client_ids)}


def write_plan(plan: Plan, file: Path) -> None:
    """Write a plan into a file (0600) that a person can read and a program can parse: JSON, a cell a line."""
    told = plan_as_json(plan)
    cells = ",\n".join("    " + to_json(plain(cell)) for cell in told.pop("cells"))  # type: ignore[attr-defined]  # a list
    head = ",\n".join(f"  {to_json(key)}: {to_json(plain(value))}" for key, value in told.items())
    write_output(file, f'{{\n{head},\n  "cells": [\n{cells}\n  ]\n}}\n'.encode())

"""Queue changes, show plans, and undo them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from connector.clients.fields import checked, judged, lists_for
from connector.door.door import Door
from flows.ask.ask import reading
from flows.configuration.values import Settings
from flows.push.plan import Planned, plan_push
from flows.push.wishes import WishedRow
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.operator import operator
from flows.session.ready import open_ready
from flows.show.output import write_output
from flows.show.show import plain
from schemas.errors import StalePlan
from schemas.journal import Outcome
from schemas.plan import PUSH, Plan, PlannedCall
from schemas.values import to_json
from warehouse.control.plans import APPLIED, ENDED, outcomes_of, read_plan
from warehouse.engine.sql import statement


def names_of(settings: Settings, source: str, client_ids: Iterable[str]) -> dict[str, str]:
    """Return the names of mirrored clients by id, for the person who reads a plan."""
    with reading(settings, newest=True) as warehouse:
        rows = warehouse.rows(statement("read/names"), {"source": source, "ids": sorted(set(client_ids))})
    return {str(key): str(name or key) for key, name in rows}


def add_wishes(
    settings: Settings, name: str, door: Door, client_id: str, values: Mapping[str, object], *, reason: str,
    clock: Clock = SYSTEM_CLOCK,
) -> None:  # fmt: skip
    """Queue changes of one client in `control.outbox`, with their author; the next plan of the outbox takes them up.

    Raises SettingsError for a value that cannot be written.
    """
    _store_wishes(settings, name, client_id, checked(values, lists_for(door, values), by_bulk=True), reason, clock)


def add_wishes_unless_refused(
    settings: Settings, name: str, door: Door, client_id: str, values: Mapping[str, object], *, reason: str,
    clock: Clock = SYSTEM_CLOCK,
) -> dict[str, str]:  # fmt: skip
    """Queue changes as `add_wishes` does, or return the reason of each refused field and queue nothing."""
    stored, refused = judged(values, lists_for(door, values), by_bulk=True)
    if not refused:
        _store_wishes(settings, name, client_id, stored, reason, clock)
    return refused


def _store_wishes(
    settings: Settings, name: str, client_id: str, stored: Mapping[str, object], reason: str, clock: Clock
) -> None:
    with open_ready(settings, clock) as warehouse, warehouse.transaction():
        for field, value in stored.items():
            text = None if value is None else str(plain(value)).lower() if isinstance(value, bool) else str(value)
            row = {
                "source": name, "id": client_id, "field": field, "value": text, "reason": reason,
                "author": operator(), "wished_at": clock.now(),
            }  # fmt: skip
            warehouse.execute(statement("plans/wish"), row)


def undo_plan(
    settings: Settings, door: Door, plan_id: str, *, reason: str = "", clock: Clock = SYSTEM_CLOCK
) -> Planned:
    """Make a plan that restores the values before a plan. Values that somebody changed since are left out and reported.

    Values that were there already are left alone, because the plan did not write them. Raises StalePlan for a plan that
    was not begun, or has not ended.
    """
    with open_ready(settings, clock) as warehouse:
        stored = read_plan(warehouse, plan_id, PUSH)
        outcomes = outcomes_of(warehouse, stored.plan)
    if stored.state not in {APPLIED, ENDED}:
        raise StalePlan(f"The plan {plan_id} is {stored.state}: only a plan that has ended can be undone.")
    done = {(o.client_id, o.column) for o in outcomes if o.outcome is Outcome.APPLIED}
    wished: dict[str, dict[str, object]] = {}
    for cell in stored.plan.cells:
        if (cell.client_id, cell.column) in done:
            wished.setdefault(cell.client_id, {})[cell.column] = cell.before
    rows = [WishedRow("undo", "id", client_id, values) for client_id, values in wished.items()]
    why = reason or f"undo of {plan_id}"
    return plan_push(settings, stored.plan.source, door, rows, reason=why, undoes=stored.plan, clock=clock)


def plan_as_json(plan: Plan) -> dict[str, object]:
    """Return a plan for machines: its changes, cell by cell, and the calls that make them."""
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
    """Return one call for machines: its verb, its fields, and its number of clients."""
    columns = sorted({cell.column for cell in call.cells})
    return {"verb": call.verb, "fields": columns, "clients": len(call.client_ids)}


def write_plan(plan: Plan, file: Path) -> None:
    """Write a plan into a file (0600) that people and programs can read: JSON, one cell a line."""
    content = plan_as_json(plan)
    cells = ",\n".join("    " + to_json(plain(cell)) for cell in content.pop("cells"))  # type: ignore[attr-defined]  # a list
    head = ",\n".join(f"  {to_json(key)}: {to_json(plain(value))}" for key, value in content.items())
    write_output(file, f'{{\n{head},\n  "cells": [\n{cells}\n  ]\n}}\n'.encode())

"""Show plans and their results, to people and to machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from flows.ask.names import known_names, with_name
from flows.configuration.values import Settings
from flows.push.apply import Applied
from flows.push.plan import Planned
from flows.push.undo import names_of, plan_as_json, write_plan
from flows.session.ready import open_ready
from flows.show.counted import counted
from flows.show.show import say, show_json, show_table
from schemas.errors import LOADED_WITH_FINDINGS, NotVerified
from schemas.journal import AS_WANTED
from schemas.plan import CellOutcome, Plan, calls_without_grouping
from warehouse.control.plans import APPLYING, PLANNED, REJECTED, Stored, outcomes_of

MOST: Final = 50
"""The most lines of a table; --json and --to give all."""


def tell_planned(
    settings: Settings, planned: Planned, to: Path | None, *, as_json: bool, understood: Sequence[str] = ()
) -> int:
    """Report the plan and the refused changes, write the plan into a file if one is named, and return the exit code.

    `understood` explains how a file was read; the plan's own notes follow.
    """
    notes = [*understood, *planned.notes]
    if planned.plan is not None and to is not None:
        write_plan(planned.plan, to)
    refused = [asdict(change) for change in planned.refused]
    if as_json:
        plan = plan_as_json(planned.plan) if planned.plan else None
        show_json({
            "plan": plan, "refused": refused, "unchanged": planned.unchanged, "blank_settings": planned.blank,
            "understood": notes,
        })  # fmt: skip
    else:
        for note in notes[:MOST]:
            say(note)
        if planned.plan is not None:
            show_plan(settings, planned.plan, planned.names)
        if refused:
            rows = [(change.place, change.client_id, change.column, change.reason) for change in planned.refused]
            show_table("Refused", ("where", "client", "field", "why"), rows, most=MOST)
        if planned.unchanged:
            say(f"There already: {counted(planned.unchanged, 'value')}.")
        if planned.blank:
            blank = ", ".join(f"{name} of {counted(number, 'client')}" for name, number in planned.blank.items())
            say(f"Empty settings ('') also become null, which means the same: {blank}. Nothing else changes.")
        say(_next(planned.plan))
    return LOADED_WITH_FINDINGS if refused else 0


def show_plan(settings: Settings, plan: Plan, names: Mapping[str, str]) -> None:
    """Show a plan as tables: the changes, with the names of ids, and the calls that make them."""
    known = known_names(settings, plan.source)

    def shown(column: str, value: object) -> object:
        return "" if value is None else with_name(column, value, known)

    rows = [
        (names.get(c.client_id, c.client_id), c.column, shown(c.column, c.before), shown(c.column, c.after))
        for c in plan.cells
    ]
    show_table(f"Plan {plan.plan_id}", ("client", "field", "before", "after"), rows, most=MOST)
    calls = plan.calls
    alike: Counter[tuple[str, str]] = Counter()
    clients: Counter[tuple[str, str]] = Counter()
    for call in calls:
        kind = call.verb, ", ".join(sorted({cell.column for cell in call.cells}))
        alike[kind] += 1
        clients[kind] += len(call.client_ids)
    lines = [(verb, columns, number, clients[verb, columns]) for (verb, columns), number in alike.items()]
    loop = calls_without_grouping(plan.cells)
    note = f"{counted(len(calls), 'call')} for {counted(len(plan.client_ids), 'client')}"
    if loop > len(calls):
        note += f"; one by one it would be {loop:,}"
    show_table("By these calls", ("verb", "fields", "calls", "clients"), lines, most=MOST, note=note)


def tell_applied(settings: Settings, applied: Applied, *, as_json: bool) -> None:
    """Report the result of a plan. Raises the error that stopped it, or NotVerified if a value is not as planned."""
    if as_json:
        show_json(as_json_of(applied))
    else:
        counts = ", ".join(f"{number:,} {what}" for what, number in applied.counts.items())
        say(f"{applied.plan.plan_id}: {counts}; {counted(applied.calls, 'call')}.")
        _show_unplanned(settings, applied.plan, applied.outcomes)
    if applied.stopped:
        raise applied.stopped
    if not applied.as_planned:
        raise NotVerified(f"Not everything is as planned: `ninja-sync push show {applied.plan.plan_id}` shows all.")


def as_json_of(applied: Applied) -> dict[str, object]:
    """Return the result of a plan for machines."""
    stopped = str(applied.stopped) if applied.stopped else None
    summary = {"plan_id": applied.plan.plan_id, "counts": applied.counts, "calls": applied.calls}
    return {**summary, "outcomes": [_as_json(cell) for cell in applied.outcomes], "stopped": stopped}


def show_outcomes(settings: Settings, stored: Stored) -> None:
    """Show the result of a stored plan: the number of values as planned, and a table of the rest."""
    with open_ready(settings) as warehouse:
        outcomes = outcomes_of(warehouse, stored.plan)
    if not outcomes and stored.state in {PLANNED, APPLYING, REJECTED}:
        say(f"{stored.state}; its digest is {stored.digest}.")
        return
    done = sum(cell.outcome in AS_WANTED for cell in outcomes)
    say(f"{stored.state}: {done:,} of {len(stored.plan.cells):,} values are as planned.")
    _show_unplanned(settings, stored.plan, outcomes)


def _show_unplanned(settings: Settings, plan: Plan, outcomes: Sequence[CellOutcome]) -> None:
    left = [cell for cell in outcomes if cell.outcome not in AS_WANTED]
    if left:
        names = names_of(settings, plan.source, [cell.client_id for cell in left])
        rows = [(names.get(o.client_id, o.client_id), o.column, o.outcome.value, o.message) for o in left]
        show_table("Not as planned", ("client", "field", "outcome", "why"), rows, most=MOST)


def outcomes_for(settings: Settings, plan: Plan) -> list[dict[str, object]]:
    """Return the outcome of each cell of a plan, for tables and JSON; empty before it is applied."""
    with open_ready(settings) as warehouse:
        return [_as_json(cell) for cell in outcomes_of(warehouse, plan)]


def _as_json(cell: CellOutcome) -> dict[str, object]:
    return {"id": cell.client_id, "field": cell.column, "outcome": cell.outcome.value, "message": cell.message}


def _next(plan: Plan | None) -> str:
    if plan is None:
        return "There is nothing to change, so there is no plan."
    until = f"{plan.expires_at:%Y-%m-%d %H:%M} UTC"
    command = f"ninja-sync push apply {plan.plan_id} --digest {plan.digest}"
    return f"Nothing was sent yet. To send it, until {until}:\n{command}"

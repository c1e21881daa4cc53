"""The commands that change many clients by plans: `ninja-sync push`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.ask.ask import asked
from flows.cli.options import AsJson, ConfigFile, DecimalSign, Encoding, NullWords, Separator, SheetName, SourceName
from flows.cli.push_queue import Reason
from flows.configuration.load import choose_source, load_settings
from flows.plans.applying import find_plan
from flows.plans.approvals import approval_of_plan, said_as_json, said_of
from flows.push.apply import apply_plan, close_plan, resume_plan
from flows.push.plan import check_not_empty, plan_push
from flows.push.report import as_json_of, outcomes_for, show_outcomes, show_plan, tell_applied, tell_planned
from flows.push.undo import names_of, plan_as_json, undo_plan, write_plan
from flows.push.wishes import wishes_of_file, wishes_of_query
from flows.session.door import open_door
from flows.sheets.spreadsheets import reading_of
from flows.show.show import progress_bar, say, show_json, show_table
from schemas.errors import SettingsError
from schemas.plan import PUSH

if TYPE_CHECKING:
    from flows.configuration.values import Settings

PlanId = Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id, such as push-20261128-1a2b3c.")]


def plan(
    query: Annotated[
        str | None,
        typer.Option(help="SQL with an id and new values: \"select id, 'VIP' as custom_value1 from mart.clients\""),
    ] = None,
    file: Annotated[Path | None, typer.Option(help="Or a file with such columns: CSV, .xlsx or Parquet.")] = None,
    outbox: Annotated[bool, typer.Option("--outbox", help="Or the queued changes in control.outbox.")] = False,
    null_clears: Annotated[
        bool, typer.Option("--null-clears", help="Let NULL and blanks empty the field; else they change nothing.")
    ] = False,
    reason: Reason = "",
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Also write the plan into this file.")] = None,
    separator: Separator = None,
    decimal: DecimalSign = None,
    encoding: Encoding = None,
    sheet: SheetName = None,
    null_words: NullWords = None,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a plan from changes, and show it.

    Nothing changes yet. Each change is compared with the server's current values. Values already set are dropped;
    values that cannot be written are refused with a reason (exit code 7). Rows name a client by id, number or
    id_number. The other columns are the writable fields of mart.clients.
    """
    how = reading_of(separator, decimal, encoding, sheet, null_words)
    if (query is not None) + (file is not None) + outbox != 1:
        raise SettingsError("Name the source of the changes: one of --query, --file and --outbox.")
    settings = load_settings(config)
    name = choose_source(settings, source)
    rows, understood = None, list[str]()
    if query is not None:
        rows = wishes_of_query(settings, query, null_clears=null_clears)
    elif file is not None:
        rows, understood = wishes_of_file(file, null_clears=null_clears, how=how)
    if rows is not None:
        check_not_empty(rows)
    with open_door(settings, name) as door:
        planned = plan_push(settings, name, door, rows, reason=reason)
    raise typer.Exit(tell_planned(settings, planned, to, as_json=as_json, understood=understood))


def show(
    plan_id: PlanId,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Also write it into this file.")] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show a plan, and its outcomes."""
    settings = load_settings(config)
    stored = find_plan(settings, PUSH, plan_id)
    outcomes, approval = outcomes_for(settings, stored.plan), approval_of_plan(settings, stored)
    if to is not None:
        write_plan(stored.plan, to)
    if as_json:
        said = said_as_json(stored, approval)
        show_json({**plan_as_json(stored.plan), "state": stored.state, **said, "outcomes": outcomes})
        return
    show_plan(settings, stored.plan, names_of(settings, stored.plan.source, stored.plan.client_ids))
    show_outcomes(settings, stored)
    for line in said_of(stored, approval):
        say(line)


def list_plans(
    top: Annotated[int, typer.Option(min=1, help="The number of plans, newest first.")] = 20,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List the newest plans, and their outcomes."""
    plans = asked(load_settings(config), "read/plans", {"source": source, "top": top}, newest=True)
    if as_json:
        show_json(plans.records())
    else:
        show_table("Plans", [column.replace("_", " ") for column in plans.columns], plans.rows)


def apply(
    plan_id: PlanId,
    digest: Annotated[str, typer.Option(help="The plan's digest, as shown with the plan.")],
    force: Annotated[
        bool, typer.Option("--force", help="Apply it even if it changes more clients than [push] allows.")
    ] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Apply a plan: send it, and read it back.

    Values that somebody changed since the plan was made are left alone. Each call is recorded in the journal before and
    after. `push resume` continues an interrupted run. The exit code is 4 if a value is not as planned.
    """
    settings = load_settings(config)
    source = _source_of(settings, plan_id)
    with open_door(settings, source) as door, progress_bar(source, quiet=as_json) as progress:
        applied = apply_plan(settings, door, plan_id, digest, force=force, progress=progress)
    tell_applied(settings, applied, as_json=as_json)


def resume(
    plan_id: PlanId,
    digest: Annotated[str | None, typer.Option(help="The plan's digest, as shown with the plan.")] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Continue a plan that was cut off.

    Asks the server for the outcome of calls that were sent, then sends the rest. If the plan has expired or differs
    from the approved one, nothing more of it is sent (exit code 3).
    """
    settings = load_settings(config)
    source = _source_of(settings, plan_id)
    with open_door(settings, source) as door, progress_bar(source, quiet=as_json) as progress:
        applied = resume_plan(settings, door, plan_id, digest, progress=progress)
    tell_applied(settings, applied, as_json=as_json)


def close(plan_id: PlanId, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """End a plan that will not be applied or resumed.

    Nothing is sent, and values already applied stay; `push undo` puts them back. Queued changes that were not sent can
    go into the next plan.
    """
    closed = close_plan(load_settings(config), plan_id)
    if as_json:
        show_json(as_json_of(closed))
    else:
        counts = ", ".join(f"{number:,} {outcome}" for outcome, number in closed.counts.items())
        say(f"{plan_id} is closed: {counts}.")


def undo(
    plan_id: PlanId,
    reason: Reason = "",
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Also write the plan into this file.")] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a plan that puts back the values a plan changed.

    It is a plan like any other: review it, then apply it. Values that somebody changed since are left out.
    """
    settings = load_settings(config)
    with open_door(settings, _source_of(settings, plan_id)) as door:
        planned = undo_plan(settings, door, plan_id, reason=reason)
    raise typer.Exit(tell_planned(settings, planned, to, as_json=as_json))


def _source_of(settings: Settings, plan_id: str) -> str:
    """Return the source of a plan, as configured here."""
    return choose_source(settings, find_plan(settings, PUSH, plan_id).plan.source)

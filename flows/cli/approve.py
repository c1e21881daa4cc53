"""The command by which a person approves a plan: `ninja-sync approve`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from flows.ask.ask import reading
from flows.cli.options import AsJson, ConfigFile, SourceName
from flows.configuration.load import choose_source, load_settings
from flows.merge.report import show_merges
from flows.merge.stored import read_merges
from flows.plans.applying import check_brake
from flows.plans.approvals import approve_digest, find_plan_by_digest
from flows.push.report import show_plan
from flows.push.undo import names_of
from flows.session.clock import SYSTEM_CLOCK
from flows.show.confirm import confirm
from flows.show.show import say, show_json, show_table
from schemas.errors import SettingsError, TooMuchChange
from schemas.extras import needs
from schemas.plan import PUSH
from warehouse.control.approvals import waiting

if TYPE_CHECKING:
    from flows.configuration.values import Settings
    from flows.plans.approvals import Approvable
    from schemas.plan import Plan
    from warehouse.control.approvals import Approval
    from warehouse.control.plans import Stored


def approve(
    digest: Annotated[
        str | None, typer.Argument(metavar="DIGEST", help="The plan's digest; without it, plans that wait are listed.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the flow run that waits for it.")] = False,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Approve a plan, or list plans that wait for approval.

    Under Prefect, a flow run that writes makes a plan and then waits. It continues only after a person has approved the
    plan here, by its digest. This command shows the plan first. An approval does not lift the limit in [push]: a plan
    that changes too many clients is still refused.
    """
    settings = load_settings(config)
    if source is not None:
        choose_source(settings, source)
    if digest is None:
        if resume:
            raise SettingsError("Say which plan: ninja-sync approve DIGEST --resume.")
        _list(settings, source, as_json=as_json)
        return
    approvable = find_plan_by_digest(settings, digest)
    if source not in {None, approvable.stored.plan.source}:
        raise SettingsError(
            f"The plan with this digest is for the source {approvable.stored.plan.source!r}, not {source!r}."
        )
    brake = _brake(settings, approvable.stored.plan)
    if not as_json:
        _show(settings, approvable.stored)
        if brake:
            say(f"An approval does not lift the limit. {brake}")
    if approvable.approval is None:
        confirm("Approve this plan?", yes=yes, as_json=as_json)
    now = SYSTEM_CLOCK.now()
    given = approve_digest(settings, digest, replace(SYSTEM_CLOCK, now=lambda: now))
    already = given.approved_at != now  # somebody else may have approved it since it was shown
    if resume:
        _resume(given)
    _report(approvable, given, brake, already=already, resumed=resume, as_json=as_json)


def _resume(given: Approval) -> None:
    """Resume the flow run that waits for a plan. Raises SettingsError if it cannot; the approval stays."""
    if given.asked_by is None:
        raise SettingsError("The plan is approved. No flow run waits for it: apply it by its digest.")
    try:
        with needs("prefect"):
            from flows.scheduled.server import resume  # noqa: PLC0415 - Prefect takes seconds to import
        resume(given.asked_by)
    except SettingsError as problem:
        raise SettingsError(f"The plan is approved, but its run was not resumed. {problem}") from None


def _list(settings: Settings, source: str | None, *, as_json: bool) -> None:

    with reading(settings, newest=True) as warehouse:
        plans = waiting(warehouse, source, SYSTEM_CLOCK.now())
    if as_json:
        show_json([asdict(plan) for plan in plans])
    elif plans:
        columns = ("plan", "source", "kind", "clients", "made", "expires", "digest", "asked by run")
        rows = [(p.plan_id, p.source, p.kind, p.clients, p.made_at, p.expires_at, p.digest, p.asked_by) for p in plans]
        note = "a flow run applies its own plan once you approve it; apply the others by digest, approved or not"
        show_table("Plans that can be approved", columns, rows, note=note)
    else:
        say("No plan waits for an approval.")


def _show(settings: Settings, stored: Stored) -> None:
    """Show the plan like `push show` and `merge show` do."""
    plan = stored.plan
    if plan.kind == PUSH:
        show_plan(settings, plan, names_of(settings, plan.source, plan.client_ids))
    else:
        show_merges(read_merges(settings, plan.plan_id))
    say(f"In full: ninja-sync {plan.kind} show {plan.plan_id} --json")


def _brake(settings: Settings, plan: Plan) -> str:
    """Return why the plan is refused even when approved; '' if it is not."""
    try:
        check_brake(settings, plan)
    except TooMuchChange as refused:
        return str(refused)
    return ""


def _report(
    approvable: Approvable, given: Approval, brake: str, *, already: bool, resumed: bool, as_json: bool
) -> None:
    run = given.asked_by
    if run is None:
        do = f"ninja-sync {approvable.stored.plan.kind} apply {given.plan_id} --digest {given.digest}"
        then = f"Next: {do}"
    else:
        do = f"ninja-sync approve {given.digest} --resume"
        then = f"The flow run {run} continues." if resumed else f"The flow run {run} waits. To continue it: {do}"
    if as_json:
        show_json(
            {
                **asdict(given),
                "kind": approvable.stored.plan.kind,
                "already": already,
                "brake": brake or None,
                "resumed": resumed,
                "next": do,
            }
        )
        return
    say(f"Approved {'already, ' * already}by {given.approved_by}, {given.approved_at:%Y-%m-%d %H:%M} UTC.")
    say(then)

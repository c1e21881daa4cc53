"""The command by which a person approves or rejects a plan: `ninja-sync approve`."""

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
from flows.plans.approvals import approve_digest, find_plan_by_digest, reject_digest
from flows.plans.brake import check_brake
from flows.push.report import show_plan
from flows.push.undo import names_of
from flows.scheduled.waiting_run import resume_waiting
from flows.session.clock import SYSTEM_CLOCK
from flows.show.confirm import confirm
from flows.show.show import say, show_json, show_table
from schemas.errors import SettingsError, TooMuchChange
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
    comment: Annotated[str, typer.Option(help="A comment on the approval, for people who read it later.")] = "",
    reject: Annotated[
        str | None, typer.Option(metavar="WHY", help="Reject the plan for this reason: it can never be applied.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the flow run that waits for it.")] = False,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Approve or reject a plan, or list plans that wait.

    Under Prefect, a flow run that writes makes a plan and then waits. It continues only after a person has approved the
    plan here, by its digest. This command shows the plan first. An approval does not lift the limit in [push]: a plan
    that changes too many clients is still refused. A rejected plan is never applied, and the run that waits for it ends
    once it is resumed. Its queued changes wait until somebody runs `push requeue` or `push withdraw`.
    """
    settings = load_settings(config)
    if source is not None:
        choose_source(settings, source)
    if digest is None:
        if resume or comment or reject is not None:
            raise SettingsError("Say which plan: ninja-sync approve DIGEST --resume.")
        _list(settings, source, as_json=as_json)
        return
    if comment and reject is not None:
        raise SettingsError("--reject has the reason: leave --comment out.")
    approvable = _find(settings, source, digest)
    brake = _brake(settings, approvable.stored.plan)
    if not as_json:
        _show(settings, approvable.stored)
        if brake and reject is None:
            say(f"An approval does not lift the limit. {brake}")
    if reject is not None:
        confirm("Reject this plan?", yes=yes, as_json=as_json)
        _reject(settings, digest, reject, resumes=resume, as_json=as_json)
        return
    if approvable.approval is None:
        confirm("Approve this plan?", yes=yes, as_json=as_json)
    now = SYSTEM_CLOCK.now()
    given = approve_digest(settings, digest, replace(SYSTEM_CLOCK, now=lambda: now), comment=comment)
    already = given.approved_at != now  # somebody else may have approved it since it was shown
    if resume:
        resume_waiting(given.asked_by, "approved")
    _report(approvable, given, brake, already=already, resumed=resume, as_json=as_json)


def _find(settings: Settings, source: str | None, digest: str) -> Approvable:
    """Return the plan with a digest. Raises SettingsError if it is of another source than the one that was named."""
    approvable = find_plan_by_digest(settings, digest)
    known = approvable.stored.plan.source
    if source not in {None, known}:
        raise SettingsError(f"The plan with this digest is for the source {known!r}, not {source!r}.")
    return approvable


def _reject(settings: Settings, digest: str, reason: str, *, resumes: bool, as_json: bool) -> None:
    rejected = reject_digest(settings, digest, reason)
    if resumes:
        resume_waiting(rejected.asked_by, "rejected")
    if as_json:
        plan = rejected.stored.plan
        known = {"plan_id": plan.plan_id, "source": plan.source, "kind": plan.kind, "digest": digest}
        why = asdict(rejected.stored.rejection) if rejected.stored.rejection else {}
        show_json({**known, **why, "asked_by": rejected.asked_by, "resumed": resumes})
        return
    say(f"Rejected: nothing of {rejected.stored.plan.plan_id} can be sent.")
    if resumes:
        say(f"The flow run {rejected.asked_by} ends.")
    elif rejected.asked_by:
        say(f"The flow run {rejected.asked_by} still waits. It ends when the plan expires.")


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

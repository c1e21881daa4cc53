"""The pages of plans: all of them, one plan of changes with its values, and what a person decides about it."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Final

from flows.ask.field_names import field_name
from flows.desk.answers import Answer, Page, See, get, post
from flows.desk.pages.corrections_work import file_of_plan
from flows.desk.pages.paging import page_number
from flows.desk.visit import Visit
from flows.plans.approvals import approve_digest, reject_digest
from flows.plans.put_back import clients_called, never_put_back
from flows.plans.shown import (
    AT_ONCE,
    LOOK,
    VALUES_AT_ONCE,
    ShownPlan,
    one_plan,
    plans_page,
    shown_plan,
)
from flows.push.apply import Applied, apply_plan, close_plan, resume_plan
from flows.push.plan import Planned
from flows.push.queue_page import queue_page
from flows.push.undo import undo_plan
from flows.scheduled.waiting_run import resume_waiting
from flows.session.door import open_door
from flows.session.progress import Progress
from flows.show.counted import counted
from schemas.errors import SettingsError, WrongDigest


def plans(visit: Visit) -> Answer:
    """List the plans, those that wait for somebody first."""
    page = page_number(visit.query.get("page", "1"))
    listed = plans_page(visit.settings, visit.source, page)
    pages, queued = max(1, ceil(listed.total / AT_ONCE)), queue_page(visit.settings, visit.source, most=1).total
    values = {"listed": listed, "page": page, "pages": pages, "queued": queued}
    return Page("plans/list.html", values, "Plans")


def plan(visit: Visit) -> Answer:
    """Show a plan of changes; a plan of merges has a page of its own."""
    return _shown(visit, shown_plan(visit.settings, visit.path["plan_id"]))


def decide(visit: Visit) -> Answer:
    """Approve or reject a plan of either kind, as it was shown; then resume the flow run that waits for the answer."""
    shown = _as_shown(visit)
    comment = visit.form.get("comment")
    if visit.form.get("decision") == "reject":
        said, run = "rejected", reject_digest(visit.settings, shown.digest, comment).asked_by
        visit.note(f"You have rejected the plan {shown.plan_id}. Nothing of it can be sent.")
    elif visit.form.get("decision") == "approve":
        approval = approve_digest(visit.settings, shown.digest, comment=comment)
        said, run = "approved", approval.asked_by
        visit.note(f"The plan {shown.plan_id} is approved by {approval.approved_by}.")
    else:
        raise SettingsError("Choose whether to approve or to reject the plan.")
    if run is None:
        return See(page_of_plan(shown))
    return visit.start(
        "Resume the flow run", lambda _: _resumed(run, said), lambda text: _noted(visit, text, page_of_plan(shown))
    )


def apply(visit: Visit) -> Answer:
    """Apply a plan of changes as it was shown. A second click finds it applied, or being applied."""
    shown = _as_shown(visit)
    if not shown.is_open:
        visit.note(f"The plan {shown.plan_id} was not applied again: it is {shown.words}.")
        return See(page_of_plan(shown))
    force = one_plan(visit.settings, shown.plan_id, most=1).allowed is not None
    if force and not _confirmed(visit, shown):
        problem = f"Type the number of clients, {shown.clients}, to apply this plan. Nothing was sent."
        return _shown(visit, shown, problem=problem, status=400)

    def work(progress: Progress) -> Applied:
        with open_door(visit.settings, shown.source) as door:
            return apply_plan(
                visit.settings, door, shown.plan_id, visit.form.get("digest"), force=force, progress=progress
            )

    return visit.start(f"Apply {shown.plan_id}", work, lambda applied: _after(visit, applied), once=shown.plan_id)


def resume(visit: Visit) -> Answer:
    """Resume a plan of changes that was cut off."""
    shown = _as_shown(visit)

    def work(progress: Progress) -> Applied:
        with open_door(visit.settings, shown.source) as door:
            return resume_plan(visit.settings, door, shown.plan_id, visit.form.get("digest"), progress=progress)

    return visit.start(f"Resume {shown.plan_id}", work, lambda applied: _after(visit, applied), once=shown.plan_id)


def close(visit: Visit) -> Answer:
    """End a plan of changes for good."""
    closed = close_plan(visit.settings, visit.path["plan_id"])
    visit.note(f"The plan {closed.plan.plan_id} is closed. Nothing more of it is sent.")
    return See(f"/plans/{closed.plan.plan_id}")


def undo(visit: Visit) -> Answer:
    """Make a plan that puts back the values of a plan."""
    shown = shown_plan(visit.settings, visit.path["plan_id"])

    def work(_progress: Progress) -> Planned:
        with open_door(visit.settings, shown.source) as door:
            return undo_plan(visit.settings, door, shown.plan_id, reason=visit.form.get("reason"))

    return visit.start(
        f"Plan the undoing of {shown.plan_id}", work,
        lambda planned: url_of_planned(visit, planned, shown.source, page_of_plan(shown)),
        once=f"undo {shown.plan_id}", choice=visit.form.get("reason"),
    )  # fmt: skip


def url_of_planned(visit: Visit, planned: Planned, source: str, otherwise: str) -> str:
    """Return the page of a new plan, with the changes that it left out; `otherwise` if there is nothing to change."""
    if planned.plan is not None:
        return f"/plans/{planned.plan.plan_id}?left_out={visit.keep(planned)}"
    there = f" {counted(planned.unchanged, 'value')} there already." if planned.unchanged else ""
    refused = f" {counted(len(planned.refused), 'change')} refused." if planned.refused else ""
    visit.note(f"There is nothing to change, so there is no plan.{there}{refused}")
    called = _called(visit, source, planned)
    for change in planned.refused[:10]:
        client = called.get(change.client_id, change.client_id)
        visit.note(f"{field_name(change.column)} of {client}: {change.reason}")
    return otherwise


def _called(visit: Visit, source: str, planned: Planned) -> Mapping[str, str]:
    """Return the numbers and names of the clients whose changes were refused."""
    return clients_called(visit.settings, source, [change.client_id for change in planned.refused])


def page_of_plan(shown: ShownPlan) -> str:
    """Return the page of a plan of either kind."""
    return f"/{'merges' if shown.is_merge else 'plans'}/{shown.plan_id}"


def _shown(visit: Visit, shown: ShownPlan, *, problem: str = "", status: int = 200) -> Answer:
    if shown.is_merge:
        return See(page_of_plan(shown))
    column, outcome = visit.query.get("field") or None, visit.query.get("outcome") or None
    page = page_number(visit.query.get("page", "1"))
    listed = one_plan(visit.settings, shown.plan_id, page, column=column, outcome=outcome)
    left_out = visit.session.find(visit.query.get("left_out", ""), Planned)
    values = {
        "plan": listed.plan, "listed": listed, "page": page, "pages": max(1, ceil(listed.total / VALUES_AT_ONCE)),
        "column": column, "outcome": outcome, "problem": problem, "look": LOOK,
        "for_good": never_put_back(visit.settings, shown.source, shown.plan_id)
        if shown.is_open or shown.can_be_undone
        else {},
        "called": {} if left_out is None else _called(visit, shown.source, left_out),
        "file": file_of_plan(visit, shown.plan_id),
        "left_out": left_out,
    }  # fmt: skip
    return Page("plans/one.html", values, shown.plan_id, status)


def _as_shown(visit: Visit) -> ShownPlan:
    """Return the plan of a form. Raises WrongDigest if it is not the plan that was shown with the form."""
    shown = shown_plan(visit.settings, visit.path["plan_id"])
    if visit.form.get("digest") != shown.digest:
        raise WrongDigest(f"The plan {shown.plan_id} has changed since this page showed it. Look at it again.")
    return shown


def _confirmed(visit: Visit, shown: ShownPlan) -> bool:
    """Whether the person has typed the number of clients that the plan changes."""
    typed = visit.form.get("clients").strip().replace(",", "").replace(".", "").replace(" ", "")
    return typed == str(shown.clients)


def _resumed(run: str, said: str) -> str:
    """Resume a flow run; return what became of it. The approval or rejection stays in any case."""
    try:
        resume_waiting(run, said)
    except SettingsError as problem:
        return str(problem)
    return (
        "The flow run that waited goes on and applies it." if said == "approved" else "The flow run that waited ends."
    )


def _noted(visit: Visit, text: str, url: str) -> str:
    visit.note(text)
    return url


def _after(visit: Visit, applied: Applied) -> str:
    """Note the result of a plan; return its page."""
    counts = ", ".join(f"{number:,} {outcome}" for outcome, number in applied.counts.items())
    visit.note(f"{applied.plan.plan_id}: {counts}.")
    if applied.stopped:
        visit.note(f"It stopped: {applied.stopped}")
    return f"/plans/{applied.plan.plan_id}" + ("" if applied.as_planned else f"?outcome={LOOK}")


ROUTES: Final = (
    get("/plans", plans),
    get("/plans/{plan_id}", plan),
    post("/plans/{plan_id}/approve", decide, writes=True),
    post("/plans/{plan_id}/apply", apply, writes=True),
    post("/plans/{plan_id}/resume", resume, writes=True),
    post("/plans/{plan_id}/close", close, writes=True),
    post("/plans/{plan_id}/undo", undo, writes=True),
)

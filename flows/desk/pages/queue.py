"""The page of queued changes: look at them, withdraw them, queue them again, and make a plan of them."""

from __future__ import annotations

from http import HTTPStatus
from math import ceil
from typing import Final

from flows.desk.answers import Answer, Page, See, get, post
from flows.desk.pages.paging import page_number
from flows.desk.pages.plans import url_of_planned
from flows.desk.visit import Visit
from flows.push.outbox import requeue_changes, withdraw_changes
from flows.push.plan import Planned, plan_push
from flows.push.queue_page import AT_ONCE, WORDS, queue_page
from flows.session.door import open_door
from flows.session.progress import Progress
from flows.show.counted import counted

PLACE: Final = "/plans/queued"
GROUPS: Final = {**WORDS, "taken": "in a plan, or done"}


def queue(visit: Visit) -> Answer:
    """List the queued changes of one group, or those that no plan will send."""
    return _queue(visit)


def _queue(visit: Visit, problem: str = "") -> Page:
    page, group = page_number(visit.query.get("page", "1")), visit.query.get("group") or None
    listed = queue_page(visit.settings, visit.source, page, group=group)
    values = {
        "listed": listed, "page": page, "pages": max(1, ceil(listed.total / AT_ONCE)), "group": group, "words": GROUPS,
        "may_plan": visit.source is not None,
        "problem": problem,
    }  # fmt: skip
    return Page("plans/queue.html", values, "Queued changes", HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK)


def sort_out(visit: Visit) -> Answer:
    """Withdraw the ticked changes, or queue them again; or one alone, by the button in its row."""
    alone = visit.form.get("withdraw")
    chosen = [alone] if alone else visit.form.getlist("change")
    if not chosen:
        return _queue(visit, "Tick at least one change.")
    if alone or visit.form.get("do") == "withdraw":
        changes = withdraw_changes(visit.settings, chosen)
        visit.note(f"{counted(len(changes), 'change')} withdrawn. Nothing was sent.")
    else:
        changes = requeue_changes(visit.settings, chosen)
        visit.note(f"{counted(len(changes), 'change')} queued again. The next plan includes them.")
    return See(PLACE)


def make_plan(visit: Visit) -> Answer:
    """Make a plan of the changes that wait, in the background: it asks the server for each client."""
    source, reason = visit.one_source(), visit.form.get("reason").strip()

    def work(_progress: Progress) -> Planned:
        with open_door(visit.settings, source) as door:
            return plan_push(visit.settings, source, door, None, reason=reason)

    return visit.start(
        "Make a plan of the queued changes", work, lambda planned: url_of_planned(visit, planned, source, PLACE),
        once=f"plan the queue of {source}", choice=reason,
    )  # fmt: skip


ROUTES: Final = (
    get(PLACE, queue),
    post(f"{PLACE}/sort", sort_out, writes=True),
    post(f"{PLACE}/plan", make_plan, writes=True),
)

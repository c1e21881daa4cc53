"""The pages of one plan of merges: each merge before and after, the merge itself, and the sheet to undo one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final

from connector.door.password import no_password
from connector.door.secret import Secret
from flows.ask.ask import reading_itself
from flows.desk.answers import Answer, Download, Page, See, get, post
from flows.desk.jobs import Job
from flows.desk.pages.merge_errors import for_pages
from flows.desk.pages.merge_rows import shown
from flows.desk.pages.merges import Made, made_page
from flows.desk.pages.paging import page_number
from flows.desk.pages.shared import under_way
from flows.desk.visit import Visit, see_job
from flows.merge.apply import AppliedMerges, apply_merges, close_merges, resume_merges
from flows.merge.assent import assent_for, faults
from flows.merge.leave_out import plan_again, plan_without
from flows.merge.sheet import undo_sheet
from flows.merge.sheet_text import as_markdown
from flows.merge.stored import StoredMerge, StoredMerges, read_merges
from flows.plans.applying import barred
from flows.plans.shown import shown_plan
from flows.session.clock import SYSTEM_CLOCK
from flows.session.door import base_url_of, open_door
from flows.session.progress import Progress
from flows.show.counted import counted
from flows.show.links import link_in_app
from schemas.errors import PasswordRequired, SettingsError, SyncError
from schemas.plan import MERGE
from warehouse.control.plans import APPLYING, FINISHED, MERGED, PLANNED, UNMERGED, read_plan

AT_ONCE: Final = 50
"""Merges on one page."""
OPEN: Final = 3
"""So many merges are unfolded from the start."""


@dataclass(frozen=True, slots=True)
class NotBegun:
    """A form to merge that the server refused before the first merge: the problem of the password, and the words."""

    problem: str
    count: str = ""
    text: str = field(default="", repr=False)


def show(visit: Visit) -> Answer:
    """Show a plan whole: what each merge does or did, its state, and the next step."""
    if job := _running(visit, visit.path["plan_id"]):
        return _under_way(visit, job)
    return _page(visit, _found(visit))


def _found(visit: Visit) -> StoredMerges:
    """Return the plan of the page. Raises SettingsError if there is none, and Busy if a copy without it was read."""
    plan_id = visit.path["plan_id"]
    try:
        return read_merges(visit.settings, plan_id)
    except SettingsError:
        with reading_itself(visit.settings) as warehouse:  # a new plan is not yet in the copy
            read_plan(warehouse, plan_id, MERGE)
        raise


def _page(visit: Visit, found: StoredMerges, wrong: Mapping[str, str] | None = None, status: int = 200) -> Answer:
    stored, plan = found.stored, found.stored.plan
    page = page_number(visit.query.get("page", "1"))
    first = (page - 1) * AT_ONCE
    listed = shown(found)
    ended = visit.session.find(visit.query.get("ended", ""), str) or ""
    refused = visit.session.find(visit.query.get("refused", ""), NotBegun)
    if refused and not wrong:
        wrong = {"password": refused.problem}
    values = {
        "plan": plan, "stored": stored, "merges": listed[first : first + AT_ONCE], "of_all": len(listed),
        "page": page, "pages": -(-len(listed) // AT_ONCE),
        "merged": sum(one.is_merged for one in listed), "opened": visit.query.get("open", ""),
        "few": len(listed) <= OPEN, "left": [one.state for one in listed if not one.is_merged],
        "barred": barred(stored, SYSTEM_CLOCK.now()) if stored.state == PLANNED else "",
        "assent": assent_for(found.merges) if found.merges else None, "wrong": wrong or {}, "ended": ended,
        "made": visit.session.find(_made(visit), Made),
        "made_key": _made(visit),
        "is_planned": stored.state == PLANNED, "is_stopped": stored.state == APPLYING,
        "missing": any(state == MERGED for state in stored.states),
        "needs_password": any(state in UNMERGED for state in stored.states),
        "typed": visit.form.get("count") or (refused.count if refused else ""),
        "typed_text": visit.form.get("text") or (refused.text if refused else ""),
        "plan_shown": shown_plan(visit.settings, plan.plan_id),
        "in_app": partial(link_in_app, _url(visit, plan.source), "clients"),
    }  # fmt: skip
    return Page("merges/one.html", values, _title(found), status)


def _made(visit: Visit) -> str:
    """Return the key of what the form that made the plan has refused."""
    return visit.query.get("made") or visit.form.get("made")


def _url(visit: Visit, source: str) -> str:
    """Return the address of a source's server; '' if it is not configured any more."""
    return base_url_of(visit.settings.sources[source]) if source in visit.settings.sources else ""


def _title(found: StoredMerges) -> str:
    done = sum(merge.state in {MERGED, *FINISHED} for merge in found.merges)
    if found.stored.state == PLANNED:
        return f"{counted(len(found.merges), 'merge')} to look at"
    return f"{done:,} of {counted(len(found.merges), 'merge')} done"


def _running(visit: Visit, plan_id: str) -> Job | None:
    """Return the work that merges a plan at this desk right now, for any person."""
    return next((job for job in visit.desk.jobs.running() if job.once == _once(plan_id)), None)


def _once(plan_id: str) -> str:
    return f"merge {plan_id}"


def _under_way(visit: Visit, job: Job) -> Answer:
    """Show how far the merges are, to the person who began them and to others."""
    if visit.job(job.key) is not None:
        return see_job(job)
    address = f"/merges/{visit.path['plan_id']}"
    return under_way(job, address, at="Merges", others="Somebody at this desk works on this plan right now.")


def merge(visit: Visit) -> Answer:
    """Merge: check the typed words and the password first, then begin in the background."""
    plan_id, form = visit.path["plan_id"], visit.form
    if _running(visit, plan_id):
        return See(f"/merges/{plan_id}")
    found = _found(visit)
    wrong = faults(assent_for(found.merges), form.get("count"), form.get("text")) if found.merges else {}
    password, fault = _password(visit)
    wrong |= {"password": fault} if fault else {}
    if wrong:  # in any state: a plan that stops before its first merge is planned again
        return _page(visit, found, wrong, HTTPStatus.UNPROCESSABLE_ENTITY)
    digest = form.get("digest")
    settings = visit.settings

    def work(progress: Progress) -> AppliedMerges | str:
        with open_door(settings, found.stored.plan.source) as door:
            return apply_merges(settings, door, plan_id, digest, password, progress=_counting(progress))

    return _begun(visit, found, work)


def resume(visit: Visit) -> Answer:
    """Go on with a plan that stopped. Asks for the password again, if anything is still to be merged."""
    plan_id = visit.path["plan_id"]
    if _running(visit, plan_id):
        return See(f"/merges/{plan_id}")
    found = _found(visit)
    password, fault = _password(visit)
    if fault and any(state in UNMERGED for state in found.stored.states):
        return _page(visit, found, {"password": fault}, HTTPStatus.UNPROCESSABLE_ENTITY)
    settings, gives_up = visit.settings, "without_rescue" in visit.form

    def work(progress: Progress) -> AppliedMerges:
        with open_door(settings, found.stored.plan.source) as door:
            return resume_merges(
                settings, door, plan_id, password, without_rescue=gives_up, progress=_counting(progress)
            )

    return _begun(visit, found, work)


def close(visit: Visit) -> Answer:
    """End a plan for good. Sends nothing."""
    plan_id = visit.path["plan_id"]
    if _running(visit, plan_id):
        return See(f"/merges/{plan_id}")
    close_merges(visit.settings, plan_id)
    visit.note("The plan has ended. Nothing more of it is sent.")
    return See(f"/merges/{plan_id}")


def again(visit: Visit) -> Answer:
    """Plan again: without the merges that the person ticked, or what an ended plan has not merged."""
    settings, plan_id, left_out = visit.settings, visit.path["plan_id"], set(visit.form.getlist("without"))
    found = _found(visit)
    places = {merge.place for merge in found.merges if str(merge.place) in left_out}
    rest = "rest" in visit.form
    shown_before = visit.session.find(visit.form.get("made"), Made) or Made()
    named = [(one.kept, one.gone) for one in shown(found) if one.merge.place in places and not rest]
    left = [*shown_before.left_out, *named]

    def work(progress: Progress) -> Made:
        progress("Reading the clients from the server", 0, None)
        try:
            with open_door(settings, found.stored.plan.source) as door:
                planned = plan_again(settings, door, found) if rest else plan_without(settings, door, found, places)
            return Made(planned=planned, left_out=left, before=shown_before.refused)
        except SyncError as problem:
            return Made(problem=for_pages(problem, found.stored.plan))

    def then(made: Made) -> str:
        if made.problem:
            return f"/merges/{plan_id}?ended={visit.keep(made.problem)}"
        if made.planned and made.planned.plan:
            visit.note("This plan takes the place of the one before, which has ended.")
        return made_page(visit, made)

    return visit.start("Planning merges again", work, then, once=_once(plan_id), choice=frozenset(places))


def _password(visit: Visit) -> tuple[Callable[[], Secret], str]:
    """Return what reads the typed password, and what is wrong with it. It is held by the work, and nowhere else."""
    typed = visit.form.get("password")
    if not typed:
        return no_password, "Enter your Invoice Ninja password. Nothing was sent."
    try:
        secret = Secret(typed, name="The password")
    except SettingsError as problem:
        return no_password, str(problem)
    return lambda: secret, ""


def _begun(visit: Visit, found: StoredMerges, work: Callable[[Progress], AppliedMerges | str]) -> Answer:
    """Begin merging in the background, once however often the button is pressed."""
    plan, session = found.stored.plan, visit.session  # the visit has the password: the work must not hold it
    words = (visit.form.get("count"), visit.form.get("text"))

    def guarded(progress: Progress) -> AppliedMerges | NotBegun | str:
        try:
            return work(progress)
        except PasswordRequired:
            return NotBegun("Invoice Ninja does not accept this password. Nothing was sent.", *words)
        except SyncError as problem:  # shown on the page of the plan, beside what to do next
            return for_pages(problem, plan)

    def then(result: AppliedMerges | NotBegun | str) -> str:
        if isinstance(result, NotBegun):
            return f"/merges/{plan.plan_id}?refused={session.keep(result)}"
        text = result if isinstance(result, str) else for_pages(result.stopped, plan) if result.stopped else ""
        if text:
            return f"/merges/{plan.plan_id}?ended={session.keep(text)}"
        session.note(f"Done: {counted(len(plan.steps), 'merge')}, each checked on the server.")
        return f"/merges/{plan.plan_id}"

    title = f"Merging {counted(len(plan.steps), 'pair')} of clients"
    return visit.start(title, guarded, then, once=_once(plan.plan_id))


def _counting(progress: Progress) -> Progress:
    """Return a progress whose words say that these are merges."""
    return lambda phase, done, total: progress("Merged" if phase == "merging" else phase, done, total)


def undo(visit: Visit) -> Answer:
    """Show the sheet to undo a merge by hand."""
    found, merge_ = _merge_of(visit)
    sheet = undo_sheet(visit.settings, Path(str(merge_.backup)), found.stored.plan.source)
    values = {"sheet": sheet, "plan": found.stored.plan, "place": merge_.place}
    return Page("merges/undo.html", values, "Undo a merge by hand")


def undo_file(visit: Visit) -> Answer:
    """Return the sheet to undo a merge as a text file."""
    found, merge_ = _merge_of(visit)
    text = as_markdown(undo_sheet(visit.settings, Path(str(merge_.backup)), found.stored.plan.source))
    return Download(text.encode(), f"undo-{found.stored.plan.plan_id}-{merge_.place + 1}.txt", "text/plain")


def _merge_of(visit: Visit) -> tuple[StoredMerges, StoredMerge]:
    """Return the merge that the path names. Raises SettingsError if it has no backup: then it was not sent."""
    found = _found(visit)
    merges = [one for one in found.merges if str(one.place) == visit.path["place"] and one.backup]
    if not merges:
        raise SettingsError("There is nothing to undo: this merge has no backup, so it was not sent.")
    return found, merges[0]


ROUTES: Final = (
    get("/merges/{plan_id}", show),
    post("/merges/{plan_id}/merge", merge, writes=True),
    post("/merges/{plan_id}/resume", resume, writes=True),
    post("/merges/{plan_id}/close", close, writes=True),
    post("/merges/{plan_id}/again", again, writes=True),
    get("/merges/{plan_id}/{place}/undo", undo),
    get("/merges/{plan_id}/{place}/undo.txt", undo_file),
)

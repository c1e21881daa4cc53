"""What all pages share: the progress of long work, the company chosen, links for colleagues, the way out."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from flows.desk.answers import Answer, Page, See, get, post
from flows.desk.jobs import Job
from flows.desk.visit import NAVIGATION, Visit
from schemas.errors import SettingsError


def progress(visit: Visit) -> Answer:
    """Show how far long work is; go to its result once it has ended."""
    job = visit.job(visit.path["key"])
    if job is None:
        raise SettingsError("This work is not known any more. Its result is on the page of its plan.")
    if job.result_url:
        return See(job.result_url)
    if job.problem:
        return Page("shared/failed.html", {"job": job}, job.title, HTTPStatus.CONFLICT)
    return under_way(job, f"/jobs/{job.key}")


def under_way(job: Job, address: str, *, at: str = "", others: str = "") -> Page:
    """Return the page of work that has not ended. `others` says that a colleague does it."""
    return Page("shared/progress.html", {"job": job, "address": address, "at": at, "others": others}, job.title)


def shown(visit: Visit) -> Answer:
    """Show the page that a form led to, such as the form again with what is wrong in it."""
    return visit.kept(visit.path["key"], Page)


def choose_source(visit: Visit) -> Answer:
    """Choose a company for all pages, or all of them; stay on the page."""
    name, back = visit.form.get("source"), visit.form.get("back")
    visit.session.source = name if name in visit.settings.sources else None
    return See(back if back in dict(NAVIGATION) else "/")


def people(_visit: Visit) -> Answer:
    """Show the form for the link of a colleague."""
    return Page("shared/people.html", {"link": "", "person": None}, "A link for a colleague")


def invite(visit: Visit) -> Answer:
    """Show the link by which a colleague can enter, once."""
    token, person = visit.desk.sessions.invite(visit.form.get("person"), by=visit.operator)
    values = {"link": f"{visit.desk.url}/enter/{token}", "person": person}
    return Page("shared/people.html", values, "A link for a colleague")


def leave(visit: Visit) -> Answer:
    """End the session."""
    visit.desk.sessions.leave(visit.session)
    return See("/")


ROUTES: Final = (
    get("/jobs/{key}", progress),
    get("/shown/{key}", shown),
    post("/source", choose_source, writes=False),
    get("/people", people),
    post("/people", invite, writes=True),
    post("/leave", leave, writes=False),
)

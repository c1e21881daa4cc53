"""Today: how fresh the data is, what waits, who owes how much, and what changed since yesterday."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from typing import Final

from flows.ask.aging_page import prepare_today
from flows.ask.today import Today, read_changes, read_today
from flows.configuration.load import choose_sources
from flows.desk.answers import Answer, Page, get, post
from flows.desk.pages.paging import page_number
from flows.desk.visit import Visit
from flows.pull.by_name import pull_each
from flows.pull.job import Pulled
from flows.pull.summary import summary_of
from flows.session.progress import Progress
from flows.show.counted import counted
from schemas.errors import SyncError

ROWS: Final = 50
TITLES: Final[Mapping[str, str]] = {
    "new": "New clients", "changed": "Changed clients", "moved": "Balances that moved", "vanished": "Vanished clients",
}  # fmt: skip
WAITING: Final[Mapping[str, tuple[str, str, str]]] = {
    "unknown": ("call", "with an unknown outcome", "/health#unknown"),
    "cut off": ("plan", "begun and not ended", "/plans"),
    "held clients": ("client", "that the server no longer lists, kept until you decide", "/health#brake"),
    "held": ("record", "that the server no longer lists, kept until you decide", "/health#brake"),
    "approve": ("plan", "to approve", "/plans"),
    "apply": ("approved plan", "to apply", "/plans"),
    "groups": ("group", "of duplicates to decide on", "/duplicates"),
    "refused": ("queued change", "refused", "/plans/queued?group=refused"),
    "rejected": ("queued change", "of a rejected plan", "/plans/queued?group=rejected"),
    "queued": ("queued change", "in no plan yet", "/plans/queued?group=waiting"),
    "quarantine": ("record", "in quarantine, not loaded", "/health#quarantine"),
}
"""What waits, the most pressing first: the noun, the words after it, and the page."""


@dataclass(frozen=True, slots=True)
class Wait:
    """One line of what waits. `sources` has the number for each company, if there are several."""

    text: str
    url: str
    sources: str = ""


def today(visit: Visit) -> Answer:
    """Show the day's work on one page."""
    found = read_today(visit.settings, visit.source)
    values = {
        "found": found, "waits": _waits(found), "kinds": TITLES, "several": len(found.fresh) > 1,
        "configured": bool(visit.settings.sources),
    }  # fmt: skip
    return Page("today/today.html", values, "Today")


def changes(visit: Visit) -> Answer:
    """Show all clients with one kind of change since yesterday."""
    kind, page = visit.path["kind"], page_number(visit.query.get("page", ""))
    rows, number = read_changes(visit.settings, visit.source, kind, most=ROWS, skip=(page - 1) * ROWS)
    values = {"rows": rows, "number": number, "kind": kind, "page": page, "pages": ceil(number / ROWS)}
    return Page("today/changes.html", values, f"{TITLES[kind]} since yesterday")


def fetch(visit: Visit) -> Answer:
    """Pull the company chosen, or all of them."""
    names = choose_sources(visit.settings, visit.source)

    def work(progress: Progress) -> dict[str, Pulled | SyncError]:
        results = pull_each(visit.settings, names, progress=progress)
        pulled = [name for name, result in results.items() if not isinstance(result, SyncError)]
        if pulled:
            progress("receivables", 0, None)
            with suppress(SyncError):  # the pull is done; the page computes them, or says why it cannot
                prepare_today(visit.settings, pulled)
        return results

    def then(results: dict[str, Pulled | SyncError]) -> str:
        return tell_pulls(visit, results)

    return visit.start("Fetching changes", work, then, once="pull", choice=sorted(names), again="/today/fetch")


def tell_pulls(visit: Visit, results: Mapping[str, Pulled | SyncError]) -> str:
    """Note what pulls have done; return the page to go to. Raises the error of a single pull that failed."""
    for name, result in results.items():
        if isinstance(result, SyncError):
            if len(results) == 1:
                raise result
            visit.note(f"{name} failed: {result}")
        else:
            summary = summary_of(result)
            visit.note(f"{summary}.")
            if summary.held:
                visit.note(f"{name}: some records are no longer on the server, and are kept. See Health.")
    return "/"


def _waits(found: Today) -> list[Wait]:
    """Return a line for each kind that waits. Documents leave with their clients, so they count only without them."""
    lines = []
    for kind, (noun, words, url) in WAITING.items():
        by_source = Counter[str]()
        for (source, key), number in found.waiting.items():
            alone = key.startswith("held ") and (source, "held clients") not in found.waiting
            if key == kind or (kind == "held" and alone):
                by_source[source] += number
        if by_source:
            each = ", ".join(f"{source}: {number:,}" for source, number in by_source.items())
            text = f"{counted(by_source.total(), noun)} {words}"
            lines.append(Wait(text, url, each if len(found.fresh) > 1 else ""))
    return lines


ROUTES: Final = (
    get("/", today),
    get("/today/{kind}", changes),
    post("/today/fetch", fetch, writes=True),
)

"""Health: the checks of `doctor`, the last runs, the brake, records in quarantine, and the journal of writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from math import ceil
from typing import Final

from flows.ask.health import Part, held_records, journal, last_runs, quarantine, read_health
from flows.configuration.load import choose_source, choose_sources
from flows.desk.answers import Answer, Page, See, get, post
from flows.desk.pages.paging import page_number
from flows.desk.pages.today import tell_pulls
from flows.desk.visit import Visit
from flows.pull.brake import check_number, remove_held
from flows.pull.job import Pulled
from flows.session.door import open_door
from flows.session.progress import Progress
from flows.session.settle import settle_by_asking, settle_by_word
from flows.session.writing import Settling
from flows.setup.doctor import Check, examine
from schemas.errors import SettingsError
from schemas.journal import Outcome

Read = Callable[[int, int], Part]
"""Read some rows of a list: the most, and the number to skip."""
FIRST: Final = 10
"""Rows of each list on the page itself; each list has a page of its own."""
ROWS: Final = 50
HELD: Final = 20
"""Records that the page itself names of those that the brake keeps."""
WORDS: Final[Mapping[str, Outcome]] = {"applied": Outcome.APPLIED, "not-applied": Outcome.NOT_APPLIED}


def health(visit: Visit) -> Answer:
    """Show everything that needs a look, with the first rows of each list."""
    return _shown(visit)


def check(visit: Visit) -> Answer:
    """Run the checks of `ninja-sync doctor`, which change nothing."""
    names = choose_sources(visit.settings, visit.source)

    def work(progress: Progress) -> dict[str, list[Check]]:
        results = {}
        for number, name in enumerate(names):
            progress(f"checking {name}", number, len(names))
            results[name] = examine(visit.settings, name)
        return results

    return visit.start(
        "Checking server, token and warehouse",
        work,
        lambda results: f"/health?checks={visit.keep(results)}",
        again="/health/checks",
    )


def release(visit: Visit) -> Answer:
    """Remove the records that the brake keeps, once a person has typed their number."""
    name, typed = choose_source(visit.settings, visit.form.get("source")), visit.form.get("number")
    try:
        check_number(visit.settings, name, typed)
    except SettingsError as problem:
        return _shown(visit, problem=str(problem), problem_of=name)

    def work(progress: Progress) -> Pulled:
        return remove_held(visit.settings, name, typed, progress=progress)

    def then(pulled: Pulled) -> str:
        tell_pulls(visit, {name: pulled})
        return "/health"

    return visit.start("Checking everything, and removing what has vanished", work, then, once=f"remove {name}")


def settle(visit: Visit) -> Answer:
    """Ask the server for the outcome of a call."""
    name, call_id = choose_source(visit.settings, visit.form.get("source")), visit.form.get("call")

    def work(_progress: Progress) -> Sequence[Settling]:
        with open_door(visit.settings, name) as door:
            return settle_by_asking(visit.settings, name, door, call_id=call_id)

    def then(settled: Sequence[Settling]) -> str:
        for one in settled:
            visit.note(_note_of(one))
        return "/health#unknown"

    return visit.start("Asking the server for the outcome", work, then, once=f"settle {name} {call_id}")


def state_outcome(visit: Visit) -> Answer:
    """Note the outcome of a call that a person has looked up in Invoice Ninja."""
    name, outcome = choose_source(visit.settings, visit.form.get("source")), WORDS.get(visit.form.get("outcome"))
    if outcome is None or "looked" not in visit.form:
        raise SettingsError("Look at the clients in Invoice Ninja. Then tick the box, and choose the outcome.")
    visit.note(_note_of(settle_by_word(visit.settings, name, visit.form.get("call"), outcome)))
    return See("/health#unknown")


def runs(visit: Visit) -> Answer:
    """Show all runs, page by page."""
    idle = "all" in visit.query
    return _list(
        visit, "health/runs.html", "Runs", "/health/runs?all&page=" if idle else "/health/runs?page=",
        lambda most, skip: last_runs(visit.settings, visit.source, most=most, skip=skip, idle=idle), idle=idle,
    )  # fmt: skip


def aside(visit: Visit) -> Answer:
    """Show all records in quarantine, page by page."""
    return _list(
        visit, "health/rows.html", "Records in quarantine", "/health/quarantine?page=",
        lambda most, skip: quarantine(visit.settings, visit.source, most=most, skip=skip), table="quarantine",
    )  # fmt: skip


def calls(visit: Visit) -> Answer:
    """Show all calls that wrote to the server, page by page."""
    return _list(
        visit, "health/rows.html", "Journal of writes", "/health/journal?page=",
        lambda most, skip: journal(visit.settings, visit.source, most=most, skip=skip), table="calls",
    )  # fmt: skip


def held(visit: Visit) -> Answer:
    """Show all records that the brake keeps, page by page."""
    name = choose_source(visit.settings, visit.path["source"])

    def read(most: int, skip: int) -> Part:
        kept = held_records(visit.settings, name, most=most, skip=skip)
        return Part(kept[0].records, kept[0].number) if kept else Part((), 0)

    return _list(visit, "health/held.html", "Records that are no longer on the server", "?page=", read, source=name)


def _shown(visit: Visit, *, problem: str = "", problem_of: str = "") -> Page:
    found = read_health(visit.settings, visit.source, most=FIRST, held=HELD)
    key = visit.query.get("checks", "")
    values = {
        "found": found, "checks": visit.kept(key, dict) if key else {}, "problem": problem, "problem_of": problem_of,
        "configured": bool(visit.settings.sources),
    }  # fmt: skip
    return Page("health/health.html", values, "Health", HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK)


def _list(
    visit: Visit,
    template: str,
    title: str,
    address: str,
    read: Read,
    *,
    idle: bool = False,
    source: str = "",
    table: str = "",
) -> Page:
    page = page_number(visit.query.get("page", ""))
    part = read(ROWS, (page - 1) * ROWS)
    values = {
        "part": part,
        "page": page,
        "pages": ceil(part.number / ROWS),
        "address": address,
        "idle": idle,
        "source": source,
        "table": table,
    }
    return Page(template, values, title)


def _note_of(settled: Settling) -> str:
    """Return the outcome of a call as a sentence."""
    if settled.outcomes is None:
        return (
            f"The server's records do not show the outcome of call {settled.call_id}. Look at the clients in Invoice "
            "Ninja, then say below which it is."
        )
    outcomes = sorted({outcome.value for _, outcome in settled.outcomes})
    return f"The outcome of call {settled.call_id} is noted: {', '.join(outcomes)}."


ROUTES: Final = (
    get("/health", health),
    get("/health/runs", runs),
    get("/health/quarantine", aside),
    get("/health/journal", calls),
    get("/health/held/{source}", held),
    post("/health/checks", check, writes=False),
    post("/health/brake", release, writes=True),
    post("/health/settle", settle, writes=True),
    post("/health/state-outcome", state_outcome, writes=True),
)

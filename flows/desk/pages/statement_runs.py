"""Runs of statements in the background, for the debtors that a person has chosen, and their results."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO, Final

from connector.api.api import Api
from connector.clients import Period
from flows.ask.debtors import Debtors, read_debtors
from flows.desk.answers import Answer, Download, Page, get
from flows.desk.visit import Visit
from flows.session.api import open_api
from flows.session.progress import Progress
from flows.statements.run import Run
from schemas.errors import SettingsError

MOST_RESULTS: Final = 3
"""Results of one person that are kept: a ZIP file may have hundreds of megabytes."""
MOST_SHOWN: Final = 500
"""Results of each kind that the page shows."""


@dataclass
class Choice:
    """The debtors who get a statement, and its period.

    `left_out` are the clients whose box is not ticked, and `shown` those of the list as it was last shown.
    """

    source: str
    least: Decimal
    currency: str
    period: Period
    left_out: set[str] = field(default_factory=set)
    shown: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Result:
    """What a run has done, and the ZIP file if there is one: a file without a name, closed when nobody keeps it."""

    run: Run
    place: str = ""
    file: IO[bytes] | None = None


def begin(
    visit: Visit,
    choice: Choice,
    title: str,
    work: Callable[[Api, Progress], Result],
    *,
    once: str = "",
    again: bool = False,
) -> Answer:
    """Do the work with the server of the choice in the background, and show its result.

    With `once`, other work of the kind for the same company is refused as long as it is under way.
    """

    def opened(progress: Progress) -> Result:
        with open_api(choice.source, settings=visit.settings) as api:
            return work(api, progress)

    return visit.start(
        title, opened, lambda done: f"/statements/result/{visit.keep(done, most=MOST_RESULTS)}",
        once=f"{once} {choice.source}" if once else "", choice=(deepcopy(choice), again),
    )  # fmt: skip


def debtors_of(visit: Visit, choice: Choice) -> Debtors:
    """Return the debtors of a choice, as the warehouse has them now."""
    return read_debtors(visit.settings, choice.source, choice.least, choice.currency)


def result(visit: Visit) -> Answer:
    """Show what a run has done for each client."""
    done = visit.kept(visit.path["key"], Result)
    values = {
        "run": done.run, "place": done.place, "key": visit.path["key"], "has_file": done.file is not None,
        "problems": [row for row in done.run.drawn if row.problem], "most": MOST_SHOWN,
        "fetched": [row for row in done.run.drawn if not row.problem],
    }  # fmt: skip
    return Page("statements/result.html", values, "Statements: the result")


def download(visit: Visit) -> Answer:
    """Send the ZIP file of a run."""
    done = visit.kept(visit.path["key"], Result)
    if done.file is None:
        raise SettingsError("This run made no ZIP file.")
    done.file.seek(0)
    return Download(done.file.read(), "statements.zip", "application/zip")


ROUTES: Final = (get("/statements/result/{key}", result), get("/statements/zip/{key}", download))

"""Statements of account for debtors: choose, look at one, fetch them all as a ZIP or into the folder, or mail them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import IO, Any, Final
from weakref import finalize

from connector import clients
from connector.api.api import Api
from connector.clients import Period
from flows.ask.company_day import company_day
from flows.ask.debtors import NOT_AGAIN, PAGE, Debtors, mailed_since, read_debtors, read_rows
from flows.desk.answers import Answer, Download, Page, See, get, post
from flows.desk.pages.clients import not_visible
from flows.desk.pages.paging import page_number
from flows.desk.visit import Visit
from flows.session.api import open_api
from flows.session.clock import SYSTEM_CLOCK
from flows.session.progress import Progress
from flows.show.counted import counted
from flows.statements.fetch import Drawn, amount_of, make_folder, period_of
from flows.statements.run import Run, fetch_as_zip, fetch_into, mail, still_owing, with_address
from schemas.errors import SettingsError

MOST_IN_ZIP: Final = 2_000
"""Statements of one ZIP file: the browser gets it in one piece."""
MOST_RESULTS: Final = 3
"""Results of one person that are kept: a ZIP file may have hundreds of megabytes."""
MOST_ASKED: Final = 10
"""Questions of one person, before mails, that can be answered."""
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
class Asked:
    """The clients whose mails a person was asked to confirm, of one list. Nobody else is mailed."""

    key: str
    ids: Sequence[str]


@dataclass(frozen=True)
class Result:
    """What a run has done, and the ZIP file if there is one: a file without a name, closed when nobody keeps it."""

    run: Run
    place: str = ""
    file: IO[bytes] | None = None


def new(visit: Visit) -> Answer:
    """Show the form that chooses the debtors and the period."""
    if (page := not_visible(visit, "Receivables")) is not None:
        return page
    period = period_of("", "", today=_today(visit))
    return Page("statements/new.html", {"period": period, "least": "", "currency": ""}, "Statements for debtors")


def _today(visit: Visit) -> Callable[[], date]:
    return lambda: company_day(visit.settings, visit.source)


def choose(visit: Visit) -> Answer:
    """Keep the choice of the form, and show its list."""
    form = visit.form
    period = period_of(
        form.get("start").strip(), form.get("end").strip(), payments="payments" in form, credits="credits" in form,
        aging="aging" in form, today=_today(visit),
    )  # fmt: skip
    currency = form.get("currency").strip().upper()
    choice = Choice(visit.one_source(), amount_of(form.get("least").strip()), currency, period)
    _debtors(visit, choice)  # refuses an unknown currency before the list is shown
    return See(f"/statements/{visit.keep(choice)}")


def listed(visit: Visit) -> Answer:
    """Show the debtors who match, and those of them without an address."""
    choice = visit.kept(visit.path["key"], Choice)
    debtors = _debtors(visit, choice)
    choice.shown = frozenset(debtors.ids())
    lists = [
        _one_list(ids, page_number(visit.query.get(name, "")))
        for name, ids in (("page", debtors.with_address), ("without", debtors.without_address))
    ]
    rows = read_rows(visit.settings, choice.source, [key for each in lists for key in each["shown"]])
    for each in lists:
        each["rows"] = [row for row in rows if row["client_id"] in each["shown"]]
    values = {
        "key": visit.path["key"], "choice": choice, "debtors": debtors, "period": choice.period, "reached": lists[0],
        "others": lists[1], "left_out": choice.left_out & set(debtors.ids()), "most": MOST_IN_ZIP,
        "folder": visit.settings.prefect.statements_folder, "chosen": len(_to_fetch(debtors, choice)),
        "mails": len(debtors.to_mail(choice.left_out)),
    }  # fmt: skip
    return Page("statements/list.html", values, "Statements for debtors")


def _one_list(ids: Sequence[str], asked: int) -> dict[str, Any]:
    """Return one page of a list; the last one if it has not so many."""
    pages = max(ceil(len(ids) / PAGE), 1)
    number = min(asked, pages)
    return {"ids": ids, "page": number, "pages": pages, "shown": ids[(number - 1) * PAGE : number * PAGE]}


def mark(visit: Visit) -> Answer:
    """Keep which boxes of the shown lists are ticked; then go on to what the button says."""
    key, form = visit.path["key"], visit.form
    choice = visit.kept(key, Choice)
    choice.left_out.update(form.getlist("shown"))
    choice.left_out.difference_update(form.getlist("chosen"))
    go, numbers = form.get("go"), {name: page_number(form.get(name)) for name in ("page", "without")}
    if go == "zip":
        return _begin_zip(visit, choice)
    if go in ("mail", "folder"):
        return See(f"/statements/{key}/{go}")
    name, _, number = go.partition(" ")
    if name in numbers:
        numbers[name] = page_number(number)
    return See(f"/statements/{key}?page={numbers['page']}&without={numbers['without']}")


def preview(visit: Visit) -> Answer:
    """Show the statement of one client, as the server draws it now."""
    choice = visit.kept(visit.path["key"], Choice)
    with open_api(choice.source, settings=visit.settings) as api:
        content = clients.client_statement(api, visit.path["id"], choice.period)
    return Download(content, "statement.pdf", "application/pdf", inline=True)


def confirm_folder(visit: Visit) -> Answer:
    """Ask before files are written into the folder of the settings."""
    choice = visit.kept(visit.path["key"], Choice)
    number, folder = len(_to_fetch(_debtors(visit, choice), choice)), visit.settings.prefect.statements_folder
    values = {"key": visit.path["key"], "number": number, "folder": folder}
    return Page("statements/folder.html", values, "Statements into the folder")


def into_folder(visit: Visit) -> Answer:
    """Fetch the statements into the folder of the settings."""
    choice = visit.kept(visit.path["key"], Choice)
    ids, again = _to_fetch(_debtors(visit, choice), choice), "again" in visit.form
    folder = Path(visit.settings.prefect.statements_folder)
    make_folder(folder)

    def work(api: Api, progress: Progress) -> Result:
        wanted, left = still_owing(api, ids, choice.least)
        run = fetch_into(api, wanted, left, choice.period, folder, again=again, progress=progress)
        return Result(run, place=str(folder))

    return _begin(visit, choice, f"Fetch {counted(len(ids), 'statement')}", work, once="folder", again=again)


def confirm_mail(visit: Visit, problem: str = "") -> Answer:
    """Ask for the number of mails before they are sent. A pull may have found debtors who were not on the list."""
    choice = visit.kept(visit.path["key"], Choice)
    debtors = _debtors(visit, choice)
    to_mail = debtors.to_mail(choice.left_out)
    ids = [key for key in to_mail if key in choice.shown]
    values = {
        "key": visit.path["key"], "number": len(ids), "problem": problem, "choice": choice,
        "asked": visit.keep(Asked(visit.path["key"], ids), most=MOST_ASKED), "unseen": len(to_mail) - len(ids),
        "period": choice.period, "without": len(debtors.without_address), "hours": NOT_AGAIN.total_seconds() // 3600,
        "left_out": len(choice.left_out & set(debtors.with_address)),
        "mailed": len(set(debtors.mailed) & set(debtors.with_address)),
    }  # fmt: skip
    return Page("statements/mail.html", values, "Mail statements")


def send(visit: Visit) -> Answer:
    """Have the server mail the statements that the person was asked about, if the number that was typed is theirs.

    Who was mailed meanwhile, or owes less by the server, gets none.
    """
    choice, asked = visit.kept(visit.path["key"], Choice), visit.kept(visit.form.get("asked"), Asked)
    number = len(asked.ids)
    theirs = asked.key == visit.path["key"] and not choice.left_out.intersection(asked.ids)
    if not theirs or visit.form.get("number").strip() != str(number):
        return confirm_mail(visit, "Type the number of mails to send them.")
    if not set(asked.ids) - _mailed(visit, choice).keys():
        return confirm_mail(visit)

    def work(api: Api, progress: Progress) -> Result:
        mailed = _mailed(visit, choice)  # others may have mailed some
        already = [Drawn(key, "", problem="it was mailed meanwhile") for key in asked.ids if key in mailed]
        wanted, left = still_owing(api, [key for key in asked.ids if key not in mailed], choice.least)
        reached, others = with_address(wanted)
        return Result(mail(api, reached, [*already, *left, *others], choice.period, progress=progress))

    return _begin(visit, choice, f"Mail {counted(number, 'statement')}", work, once="mail")


def _mailed(visit: Visit, choice: Choice) -> Mapping[str, datetime]:
    """Return who was mailed so recently that there is no second mail. Raises Busy if that is not certain."""
    return mailed_since(visit.settings, choice.source, SYSTEM_CLOCK.now() - NOT_AGAIN, certain=True)


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


def _begin_zip(visit: Visit, choice: Choice) -> Answer:
    ids = _to_fetch(_debtors(visit, choice), choice)
    if len(ids) > MOST_IN_ZIP:
        raise SettingsError(
            f"A ZIP file holds {counted(MOST_IN_ZIP, 'statement')}, and {len(ids):,} are chosen: choose a higher least "
            "amount, or the folder."
        )

    def work(api: Api, progress: Progress) -> Result:
        wanted, left = still_owing(api, ids, choice.least)
        file = tempfile.TemporaryFile()  # noqa: SIM115 - it is read when the person downloads it
        done = Result(fetch_as_zip(api, wanted, left, choice.period, file, progress=progress), file=file)
        finalize(done, file.close)
        return done

    return _begin(visit, choice, f"Fetch {counted(len(ids), 'statement')}", work)


def _begin(
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


def _debtors(visit: Visit, choice: Choice) -> Debtors:
    return read_debtors(visit.settings, choice.source, choice.least, choice.currency)


def _to_fetch(debtors: Debtors, choice: Choice) -> list[str]:
    return [key for key in debtors.ids() if key not in choice.left_out]


ROUTES: Final = (
    get("/statements", new),
    post("/statements", choose, writes=False),
    get("/statements/result/{key}", result),
    get("/statements/zip/{key}", download),
    get("/statements/preview/{key}/{id}", preview),
    get("/statements/{key}", listed),
    post("/statements/{key}", mark, writes=False),
    get("/statements/{key}/folder", confirm_folder),
    post("/statements/{key}/folder", into_folder, writes=True),
    get("/statements/{key}/mail", confirm_mail),
    post("/statements/{key}/mail", send, writes=True),
)

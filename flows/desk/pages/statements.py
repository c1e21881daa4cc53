"""Statements of account for debtors: choose them, look at one, and fetch them all as a ZIP or into the folder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from math import ceil
from pathlib import Path
from typing import Any, Final
from weakref import finalize

from connector import clients
from connector.api.api import Api
from flows.ask.company_day import company_day
from flows.ask.debtors import PAGE, Debtors, read_rows
from flows.desk.answers import Answer, Download, Page, See, get, post
from flows.desk.pages.clients import not_visible
from flows.desk.pages.paging import page_number
from flows.desk.pages.statement_runs import Choice, Result, begin, debtors_of
from flows.desk.visit import Visit
from flows.session.api import open_api
from flows.session.progress import Progress
from flows.show.counted import counted
from flows.statements.fetch import amount_of, make_folder, period_of
from flows.statements.run import fetch_as_zip, fetch_into, still_owing
from schemas.errors import SettingsError

MOST_IN_ZIP: Final = 2_000
"""Statements of one ZIP file: the browser gets it in one piece."""


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
    debtors_of(visit, choice)  # refuses an unknown currency before the list is shown
    return See(f"/statements/{visit.keep(choice)}")


def listed(visit: Visit) -> Answer:
    """Show the debtors who match, and those of them without an address."""
    choice = visit.kept(visit.path["key"], Choice)
    debtors = debtors_of(visit, choice)
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
    number, folder = len(_to_fetch(debtors_of(visit, choice), choice)), visit.settings.prefect.statements_folder
    values = {"key": visit.path["key"], "number": number, "folder": folder}
    return Page("statements/folder.html", values, "Statements into the folder")


def into_folder(visit: Visit) -> Answer:
    """Fetch the statements into the folder of the settings."""
    choice = visit.kept(visit.path["key"], Choice)
    ids, again = _to_fetch(debtors_of(visit, choice), choice), "again" in visit.form
    folder = Path(visit.settings.prefect.statements_folder)
    make_folder(folder)

    def work(api: Api, progress: Progress) -> Result:
        wanted, left = still_owing(api, ids, choice.least)
        run = fetch_into(api, wanted, left, choice.period, folder, again=again, progress=progress)
        return Result(run, place=str(folder))

    return begin(visit, choice, f"Fetch {counted(len(ids), 'statement')}", work, once="folder", again=again)


def _begin_zip(visit: Visit, choice: Choice) -> Answer:
    ids = _to_fetch(debtors_of(visit, choice), choice)
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

    return begin(visit, choice, f"Fetch {counted(len(ids), 'statement')}", work)


def _to_fetch(debtors: Debtors, choice: Choice) -> list[str]:
    return [key for key in debtors.ids() if key not in choice.left_out]


ROUTES: Final = (
    get("/statements", new),
    post("/statements", choose, writes=False),
    get("/statements/preview/{key}/{id}", preview),
    get("/statements/{key}", listed),
    post("/statements/{key}", mark, writes=False),
    get("/statements/{key}/folder", confirm_folder),
    post("/statements/{key}/folder", into_folder, writes=True),
)

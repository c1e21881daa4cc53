"""Receivables: who owes how much for how long, on any day, and the open items of one client."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from math import ceil
from typing import Any, Final
from urllib.parse import urlencode

from flows.ask.aging import BUCKETS, DUE, day_of
from flows.ask.aging_page import NO_CURRENCY, OLDEST, OWED, PAGE, Question, has_many, read_file, read_page, takes_long
from flows.ask.earlier_day import DIFFERENT, EARLIER_DAY
from flows.ask.files import as_csv_file
from flows.ask.open_items import prepare_items, read_items
from flows.desk.answers import WORKBOOK, Answer, Download, Page, get
from flows.desk.pages.paging import page_number
from flows.desk.visit import Visit
from flows.session.progress import Progress
from flows.sheets.workbooks import as_workbook
from flows.show.bars import stacked
from flows.statements.fetch import amount_of
from schemas.errors import SettingsError

ADDRESS: Final = "/receivables"
MOST_FILES: Final = 3
"""Files of one person that are kept; each may be large."""
WIDTH: Final = 320
"""Pixels of a bar; it has room on a telephone."""


def aging(visit: Visit) -> Answer:
    """Show the sums of each currency, and the clients in one of them."""
    question = _question(visit)
    if takes_long(visit.settings, visit.source, question.day):
        return _prepare(visit, question)
    page = read_page(visit.settings, visit.source, question)
    pages = max(ceil(page.of_all / PAGE), 1)
    return Page(
        "receivables/aging.html",
        {
            "page": page, "question": question, "pages": pages, "buckets": BUCKETS[DUE], "width": WIDTH,
            "bars": [_bar(row) for row in page.sums], "others": _others(page.sums), "address": _address,
            "different": DIFFERENT, "earlier_day": EARLIER_DAY, "currencies": _currencies(page.sums),
            "several": len({row["source"] for row in page.sums}) > 1, "orders": (OWED, OLDEST),
        },
        "Receivables",
    )  # fmt: skip


def download(visit: Visit) -> Answer:
    """Send the clients that match, or all of them, as a file. A large one is written in the background."""
    question, kind, every = _question(visit), visit.path["kind"], "all" in visit.query
    if kind not in ("csv", "xlsx"):
        raise SettingsError("There are files for CSV and Excel.")
    if not has_many(visit.settings, visit.source, question, every=every):
        return _file(visit, question, kind, every=every)

    def work(progress: Progress) -> Download:
        progress("The file", 0, None)
        return _file(visit, question, kind, every=every)

    return visit.start(
        "A file of receivables", work, lambda file: f"/receivables-file/{visit.keep(file, most=MOST_FILES)}"
    )


def written(visit: Visit) -> Answer:
    """Show the link to a file that was written in the background."""
    file = visit.kept(visit.path["key"], Download)
    return Page("receivables/file.html", {"file": file, "key": visit.path["key"]}, "A file of receivables")


def kept_file(visit: Visit) -> Answer:
    """Send a file that was written in the background."""
    return visit.kept(visit.path["key"], Download)


def items(visit: Visit) -> Answer:
    """Show the open items of one client."""
    source, client_id, day = visit.path["source"], visit.path["id"], _day(visit)
    found = read_items(visit.settings, source, client_id, day)
    values = {"found": found, "source": source, "client_id": client_id, "day": day}
    return Page("receivables/items.html", values, "Open items")


def _file(visit: Visit, question: Question, kind: str, *, every: bool) -> Download:
    result = read_file(visit.settings, visit.source, question, every=every)
    name = "-".join(filter(None, ("aging", str(question.day or ""), question.currency))) + f".{kind}"
    if kind == "csv":
        return Download(as_csv_file(result), name, "text/csv; charset=utf-8")
    return Download(as_workbook(result.columns, result.rows), name, WORKBOOK)


def _prepare(visit: Visit, question: Question) -> Answer:
    """Compute an earlier day of large books in the background; then show it."""
    settings, source, day = visit.settings, visit.source, question.day

    def work(progress: Progress) -> None:
        progress("What each client owed", 0, None)
        read_page(settings, source, question)
        if day is not None:
            progress("The open items", 0, None)
            prepare_items(settings, day)

    return visit.start(
        f"Receivables at the end of {day}", work, lambda _: _address(question),
        once=f"aging {day}", choice=(source, question),
    )  # fmt: skip


def _question(visit: Visit) -> Question:
    query = visit.query
    return Question(
        _day(visit), query.get("currency", ""), amount_of(query.get("least", "").strip()), "overdue" in query,
        query.get("order", "") or OWED, page_number(query.get("page", "")),
    )  # fmt: skip


def _day(visit: Visit) -> date | None:
    text = visit.query.get("day", "").strip()
    return day_of(text) if text else None


def _address(question: Question, path: str = ADDRESS, **changes: Any) -> str:
    """Return the URL of a page with the same choices, and some others."""
    new = replace(question, **changes)
    values = {
        "day": new.day, "currency": new.currency, "least": new.least or None, "overdue": int(new.overdue) or None,
        "order": new.order if new.order != OWED else None, "page": new.page if new.page > 1 else None,
    }  # fmt: skip
    query = urlencode({name: str(value) for name, value in values.items() if value})
    return f"{path}?{query}" if query else path


def _bar(row: dict[str, Any]) -> list[tuple[str, int, int]]:
    """Return the parts of a currency's bar: the column, the start and the width."""
    amounts: list[Decimal] = [row[name] for name in BUCKETS[DUE]]
    return [(name, *place) for name, place in zip(BUCKETS[DUE], stacked(amounts, WIDTH), strict=True)]


def _others(sums: Any) -> bool:
    """Whether any payment is not applied or any credit is open: else these columns are left out."""
    return any(row["unapplied_payments"] or row["open_credits"] for row in sums)


def _currencies(sums: Any) -> list[str]:
    return list(dict.fromkeys(row["currency"] or NO_CURRENCY for row in sums))


ROUTES: Final = (
    get(ADDRESS, aging),
    get(f"{ADDRESS}/file.{{kind}}", download),
    get("/receivables-file/{key}", written),
    get("/receivables-file/{key}/download", kept_file),
    get(f"{ADDRESS}/{{source}}/{{id}}", items),
)

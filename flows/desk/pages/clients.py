"""The list of clients: search, filters, pages, sums by currency, and the whole list as a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from flows.ask.ask import reading
from flows.ask.client_list import ORDERS, PROBLEMS, STATES, Filter, read_choices, read_export, read_page
from flows.ask.files import MARK, as_csv
from flows.ask.rights import sight_of
from flows.desk.answers import WORKBOOK, Answer, Download, Page, See, get, post
from flows.desk.pages.paging import page_number
from flows.desk.visit import Visit
from flows.sheets.workbooks import as_workbook

FIELDS: Final = ("country", "group", "currency", "state", "problem", "order")
"""The filters in the URL. The text of a search is kept on the server: it may be a name."""


def not_visible(visit: Visit, section: str = "Clients") -> Page | None:
    """Return the page for a role that may not read clients, and for an empty warehouse; None if all is readable."""
    with reading(visit.settings) as warehouse:
        sight = sight_of(warehouse)
    if sight is not None and sight.everything:
        return None
    return Page("clients/not_visible.html", {"sight": sight, "at": section}, section)


def clients(visit: Visit) -> Answer:
    """Show a page of the list."""
    if (page := not_visible(visit)) is not None:
        return page
    wanted = _filter(visit)
    listed = read_page(visit.settings, visit.source, wanted, page_number(visit.query.get("page", "")))
    values = {
        "listed": listed, "wanted": wanted, "choices": read_choices(visit.settings, visit.source), "states": STATES,
        "problems": PROBLEMS, "orders": ORDERS, "address": _address(visit.query, page=""),
        "address_of": lambda order: _address(visit.query, order=order), "query": _parameters(visit.query),
        "several": visit.source is None, "filtered": wanted != Filter(order=wanted.order),
    }  # fmt: skip
    return Page("clients/list.html", values, "Clients")


def search(visit: Visit) -> Answer:
    """Keep the text of a search on the server, and show the clients that it finds."""
    query = {name: visit.form.get(name) for name in FIELDS}
    text = visit.form.get("text").strip()
    return See(_address(query, q=visit.keep(text) if text else ""))


def csv(visit: Visit) -> Answer:
    """Return the whole list as CSV."""
    if (page := not_visible(visit)) is not None:
        return page
    content = MARK + as_csv(read_export(visit.settings, visit.source, _filter(visit)))
    return Download(content.encode("utf-8"), "clients.csv", "text/csv")


def xlsx(visit: Visit) -> Answer:
    """Return the whole list as an Excel workbook."""
    if (page := not_visible(visit)) is not None:
        return page
    result = read_export(visit.settings, visit.source, _filter(visit))
    return Download(as_workbook(result.columns, result.rows), "clients.xlsx", WORKBOOK)


def _filter(visit: Visit) -> Filter:
    chosen = {name: visit.query[name] for name in FIELDS if visit.query.get(name)}
    key = visit.query.get("q")
    return Filter(text=visit.kept(key, str) if key else "", **chosen)


def _parameters(query: Mapping[str, str], **changed: str) -> str:
    """Return the parameters of a list in a URL, without those that have no value."""
    given = {name: query.get(name, "") for name in ("q", *FIELDS)} | changed
    return urlencode({name: value for name, value in given.items() if value or name == "page"})


def _address(query: Mapping[str, str], **changed: str) -> str:
    return "/clients?" + _parameters(query, **changed)


ROUTES: Final = (
    get("/clients", clients),
    post("/clients/search", search, writes=False),
    get("/clients/list.csv", csv),
    get("/clients/list.xlsx", xlsx),
)

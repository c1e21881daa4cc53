"""Clients as a list: searched, filtered, in order, page by page, with the sums of the whole list by currency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from flows.ask.ask import Result, reading
from flows.ask.balances import check_source
from flows.ask.decimals import in_decimals
from flows.ask.kept import KEPT
from flows.ask.letters import pattern_of
from flows.configuration.values import Settings
from schemas.errors import SettingsError
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement
from warehouse.schema.labels import named_columns

Record = dict[str, Any]

SIZE: Final = 50
"""Clients on a page."""
EVERYTHING: Final = 10**12
PRESENT: Final = "present"
STATES: Final[Mapping[str, str]] = {
    PRESENT: "active and archived", "active": "active", "archived": "archived", "deleted": "deleted",
    "vanished": "vanished from the server", "all": "all",
}  # fmt: skip
PROBLEMS: Final[Mapping[str, str]] = {
    "overdue": "owe overdue amounts", "overpaid": "have overpaid", "in_quarantine": "are in quarantine",
    "duplicates": "may be duplicates", "differing": "have figures that do not agree with their documents",
    "with_mail": "have no e-mail address",
}  # fmt: skip
"""The problems to filter by. The statement of each one, if it has one, lists its clients."""
_LAST: Final = 'x.source, x.id collate "C"'
_NAME: Final = 'lower(x.display_name collate "C") nulls last'
ORDERS: Final[Mapping[str, str]] = {
    "name": f"{_NAME}, {_LAST}",
    "number": f'length(x.number) nulls last, x.number collate "C", {_LAST}',
    "owed": f"x.foreign_currency, x.currency_code nulls last, x.balance desc nulls last, {_LAST}",
    "updated": f"x.updated_at desc nulls last, {_LAST}",
}
"""Amounts of two currencies are not compared: the company's currency comes first, then the others."""


@dataclass(frozen=True, slots=True)
class Filter:
    """The clients that a person wants to see. A country or currency of "none" is that of clients without one."""

    text: str = field(default="", repr=False)
    country: str = ""
    group: str = ""
    currency: str = ""
    state: str = PRESENT
    problem: str = ""
    order: str = "name"

    def check(self) -> None:
        """Raises SettingsError for a state, problem or order that does not exist."""
        known = self.state in STATES and self.problem in {"", *PROBLEMS} and self.order in ORDERS
        if not known or any("\x00" in code for code in (self.country, self.group, self.currency)):
            raise SettingsError("There is no such filter. Choose one of the list's own.")


@dataclass(frozen=True, slots=True)
class ClientPage:
    """A page of the list, and the sums of the whole list: each source and currency has owed, overpaid and net."""

    rows: Sequence[Record] = field(repr=False)
    sums: Sequence[Record] = field(repr=False)
    page: int

    @property
    def of_all(self) -> int:
        """The number of clients in the whole list."""
        return sum(record["clients"] for record in self.sums)

    @property
    def pages(self) -> int:
        """The number of pages."""
        return -(-self.of_all // SIZE)


@dataclass(frozen=True, slots=True)
class Choices:
    """The countries, groups and currencies that clients have: the code of each, and its name."""

    countries: Sequence[tuple[str, str]]
    groups: Sequence[tuple[str, str]]
    currencies: Sequence[tuple[str, str]]


def read_page(settings: Settings, source: str | None, wanted: Filter, page: int = 1) -> ClientPage:
    """Return a page of the list. Raises SettingsError for an unknown source or filter."""
    text, params = _list(source, wanted, "page", page)
    with reading(settings) as warehouse:
        check_source(warehouse, settings, source)
        params |= _listed(warehouse, settings, wanted)
        records = in_decimals(warehouse.answer(text, params)).records()
    rows = [record for record in records if record["place"] is not None]
    return ClientPage(rows, [record for record in records if record["place"] is None], page)


def read_export(settings: Settings, source: str | None, wanted: Filter) -> Result:
    """Return all clients of the list with their fields, for a file. Raises SettingsError as `read_page` does.

    The custom fields of a single source have its company's labels as headings.
    """
    text, params = _list(source, wanted, "export", 1)
    with reading(settings) as warehouse:
        check_source(warehouse, settings, source)
        params |= _listed(warehouse, settings, wanted)
        result = in_decimals(warehouse.answer(text, params))
        known = Result(*warehouse.answer(statement("client/known"), {"source": source})).records()
    labels = msgspec.json.decode(str(known[0]["labels"] or "{}")) if known else {}
    names = named_columns(list(result.columns), labels if isinstance(labels, dict) else {}, "client")
    return Result([name for _, name in names], result.rows)


def read_choices(settings: Settings, source: str | None) -> Choices:
    """Return the countries, groups and currencies that clients of a source have, in the order of their names."""
    listed: dict[str, list[tuple[str, str]]] = {"country": [], "group": [], "currency": []}
    with reading(settings) as warehouse:
        found = KEPT.table(warehouse, settings, statement("clients/choices"), {"source": source})
    for choice in found.to_pylist():
        if choice["code"] is not None:
            listed[choice["kind"]].append((choice["code"], choice["name"] or choice["code"]))
    return Choices(listed["country"], listed["group"], listed["currency"])


def _list(source: str | None, wanted: Filter, name: str, page: int) -> tuple[str, dict[str, object]]:
    """Return the statement of a list and its parameters."""
    wanted.check()
    params: dict[str, object] = {
        "source": source, "country": wanted.country, "grouping": wanted.group, "currency": wanted.currency,
        "state": wanted.state, "problem": wanted.problem, "text": pattern_of(wanted.text),
        "top": SIZE, "begin": SIZE * (max(page, 1) - 1),
    }  # fmt: skip
    return statement(f"clients/{name}").format(chosen=_chosen(wanted), order=ORDERS[wanted.order]), params


def _listed(warehouse: Warehouse, settings: Settings, wanted: Filter) -> dict[str, object]:
    """Return the clients of a problem that takes long to find, found once for each load."""
    if wanted.problem != "differing":
        return {}
    found = KEPT.table(warehouse, settings, statement("clients/differing"))
    return {"sources": found["source"].to_pylist(), "ids": found["id"].to_pylist()}


def _chosen(wanted: Filter) -> str:
    """Return the statement of the clients that a filter chooses, by its closed list of names."""
    parts = [statement("clients/mirrored").format(problem=_having(wanted.problem))]
    if wanted.state in {"vanished", "all"} and not wanted.problem:
        parts.append(statement("clients/vanished"))
    if wanted.problem == "in_quarantine":
        parts.append(statement("clients/unstored"))
    return " union all ".join(parts)


def _having(problem: str) -> str:
    if problem in {"", "overpaid"}:
        return "true"
    name = "listed" if problem == "differing" else problem
    listed = f"exists (select 1 from ({statement(f'clients/{name}')}) as y where y.source = c.source and y.id = c.id)"
    return f"not {listed}" if problem == "with_mail" else listed

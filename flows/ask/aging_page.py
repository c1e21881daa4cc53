"""Ageing page by page: sums of each currency, and the clients who owe in one of them, by what is owed or by age.

The figures of all clients are computed once for each day and load (`flows.ask.kept`); a page is cut from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from flows.ask.aging import COLUMNS, DUE, check_day, items_of, nameless_figures
from flows.ask.ask import Result, reading
from flows.ask.converted import converted
from flows.ask.kept import KEPT, last_load, read_names, sight_for
from flows.ask.rights import Sight
from flows.configuration.values import Settings
from flows.session.clock import SYSTEM_CLOCK, Clock
from schemas.errors import SettingsError
from schemas.money import in_own_decimals
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

Record = dict[str, Any]

PAGE: Final = 50
NO_CURRENCY: Final = "none"
"""The word for clients whose currency is not known, where a code is expected."""
OWED, OLDEST = "owed", "oldest"
_LAST: Final = (("owed", "descending"), ("overpaid", "descending"), ("source", "ascending"), ("client_id", "ascending"))
ORDERS: Final = {OWED: list(_LAST), OLDEST: [("most_days_overdue", "descending"), *_LAST]}
FILE_COLUMNS: Final = ("source", "day", "currency", "number", "client", "country", *COLUMNS[DUE])
"""The columns of `ninja-sync aging --csv`."""
MANY: Final = 5_000
"""Clients from which on it takes long enough to compute a day that a person should see how far it is."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to show. `currency` is a code, NO_CURRENCY, or empty for the first one; `least` is owed at least.

    Without a day, it is today. Raises SettingsError for an order that there is not.
    """

    day: date | None = None
    currency: str = ""
    least: Decimal = Decimal(0)
    overdue: bool = False
    order: str = OWED
    page: int = 1

    def __post_init__(self) -> None:
        """Refuse an unknown order."""
        if self.order not in ORDERS:
            raise SettingsError(f"The order is one of {', '.join(ORDERS)}.")


@dataclass(frozen=True, slots=True)
class AgingPage:
    """The sums of each currency, and one page of the clients in one of them; `of_all` clients match.

    `last_load_at` is the end of the last run that stored a change.
    """

    sums: Sequence[Record]
    left_out: Sequence[Record]
    converted: Result
    currency: str | None = None
    clients: Sequence[Record] = field(default=(), repr=False)
    of_all: int = 0
    last_load_at: datetime | None = None


def read_page(settings: Settings, source: str | None, question: Question, *, clock: Clock = SYSTEM_CLOCK) -> AgingPage:
    """Return a page. Raises SettingsError for an unknown source or currency, and for a day that has not come yet."""
    check_day(question.day, clock)
    with reading(settings) as warehouse:
        sight = sight_for(warehouse, settings, source)
        figures = _figures(warehouse, settings, source, question.day, sight)
        left_out = KEPT.table(warehouse, settings, *_left_out(source, question.day, sight), sight=sight)
        sums = _sums(figures)
        in_one = converted(warehouse, _as_result(sums), question.day) if sight.names else Result((), ())
        others, last = [_own(row) for row in left_out.to_pylist()], last_load(warehouse, source, sight)
        if not sums:
            return AgingPage((), others, in_one, last_load_at=last)
        currency = _chosen(question.currency, sums)
        matching = _matching(figures, currency, question)
        first = (max(question.page, 1) - 1) * PAGE
        clients = _named(warehouse, matching.slice(first, PAGE), sight)
    return AgingPage(sums, others, in_one, currency, clients, matching.num_rows, last)


def read_file(
    settings: Settings, source: str | None, question: Question, *, every: bool, clock: Clock = SYSTEM_CLOCK
) -> Result:
    """Return all clients that match, with the columns of the command's files; with `every`, all that there are."""
    check_day(question.day, clock)
    with reading(settings) as warehouse:
        sight = sight_for(warehouse, settings, source)
        figures = _figures(warehouse, settings, source, question.day, sight)
        if not every and (sums := _sums(figures)):
            figures = _matching(figures, _chosen(question.currency, sums), question)
        rows = _named(warehouse, figures, sight)
    return Result(FILE_COLUMNS, [[row[name] for name in FILE_COLUMNS] for row in rows])


def has_many(settings: Settings, source: str | None, question: Question, *, every: bool) -> bool:
    """Whether a file of these clients is so large that it takes long to write."""
    page = read_page(settings, source, question)
    return (sum(row["clients"] for row in page.sums) if every else page.of_all) > MANY


def takes_long(settings: Settings, source: str | None, day: date | None) -> bool:
    """Whether the figures of an earlier day are still to be computed, in books that are large."""
    if day is None:
        return False
    with reading(settings) as warehouse:
        sight = sight_for(warehouse, settings, source)
        asked = [(_sql(day, sight), {}), _left_out(source, day, sight)]
        if all(KEPT.has(warehouse, settings, sql, params, sight=sight) for sql, params in asked):
            return False
        return int(_figures(warehouse, settings, source, None, sight).num_rows) > MANY


def prepare_today(settings: Settings, sources: Iterable[str]) -> None:
    """Compute today's figures of everybody, so that the first person after a pull does not wait for them."""
    with reading(settings) as warehouse:
        sight = sight_for(warehouse, settings, None)
        _figures(warehouse, settings, None, None, sight)
        for source in (None, *sources):
            KEPT.table(warehouse, settings, *_left_out(source, None, sight), sight=sight)


def _sql(day: date | None, sight: Sight) -> str:
    figures = nameless_figures(DUE, day, sight.views)
    return statement("aging/clients").format(columns=", ".join(COLUMNS[DUE]), figures=figures)


def _left_out(source: str | None, day: date | None, sight: Sight) -> tuple[str, Mapping[str, object]]:
    return statement("aging/left_out").format(items=items_of(day, sight.views)), {"source": source}


def _figures(warehouse: Warehouse, settings: Settings, source: str | None, day: date | None, sight: Sight) -> pa.Table:
    """Return the figures of each client on a day, in the command's order."""
    table = KEPT.table(warehouse, settings, _sql(day, sight), sight=sight)
    return table if source is None else table.filter(pc.field("source") == source)


def _sums(figures: pa.Table) -> list[Record]:
    """Return the sums of each source and currency, most owed first. Amounts of two currencies are never added."""
    nothing = pa.scalar(Decimal(0), figures["owed"].type)
    counted = figures.append_column("debtors", pc.greater(figures["owed"], nothing).cast(pa.int64()))
    counted = counted.append_column("creditors", pc.greater(figures["overpaid"], nothing).cast(pa.int64()))
    wanted = [("day", "max"), ("client_id", "count")]
    wanted += [(name, "sum") for name in ("debtors", "creditors", *COLUMNS[DUE])]
    grouped = counted.group_by(["source", "currency"]).aggregate(wanted)
    names = {f"{name}_{how}": name for name, how in wanted} | {"client_id_count": "clients"}
    rows = grouped.rename_columns([names.get(name, name) for name in grouped.column_names]).to_pylist()
    return sorted(map(_own, rows), key=lambda row: (row["source"], -row["owed"], row["currency"] or ""))


def _as_result(sums: Sequence[Record]) -> Result:
    names = ("source", "currency", "owed", "overpaid", "net")
    return Result(names, [[row[name] for name in names] for row in sums])


def _chosen(asked: str, sums: Sequence[Record]) -> str | None:
    """Return the code of the currency to show. Raises SettingsError if nobody has an amount in it."""
    known = [row["currency"] for row in sums]
    code = known[0] if not asked else None if asked == NO_CURRENCY else asked
    if code not in known:
        listed = ", ".join(sorted({str(name or NO_CURRENCY) for name in known}))
        raise SettingsError(f"There is no {asked} here. Currencies: {listed}.")
    return code if code is None else str(code)


def _matching(figures: pa.Table, currency: str | None, question: Question) -> pa.Table:
    own = pc.field("currency").is_null() if currency is None else pc.field("currency") == currency
    if question.least > 0:
        own &= pc.field("owed") >= pa.scalar(question.least, pa.decimal128(38, 6))
    if question.overdue:
        own &= pc.field("owed") > pc.field("not_due")
    found = figures.filter(own)
    order = pc.sort_indices(found, sort_keys=ORDERS[question.order])
    return found.take(order)


def _named(warehouse: Warehouse, figures: pa.Table, sight: Sight) -> list[Record]:
    """Return the rows with the clients' numbers, names and countries, and amounts in the decimals of their currency."""
    rows = figures.to_pylist()
    names = read_names(warehouse, sorted({row["client_id"] for row in rows}), sight)
    unknown = dict.fromkeys(("number", "client", "country"))
    return [_own(row) | {**unknown, **names.get((row["source"], row["client_id"]), {})} for row in rows]


def _own(row: Mapping[str, Any]) -> Record:
    code = row["currency"]
    return {name: in_own_decimals(value, code) if isinstance(value, Decimal) else value for name, value in row.items()}

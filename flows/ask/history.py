"""What clients owed and had overpaid at the end of each day, by currency, and which days are known."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Final

from flows.ask.aging import day_of
from flows.ask.ask import Result, reading
from flows.ask.balances import check_source
from flows.ask.currencies import check_codes, only
from flows.ask.decimals import in_decimals
from flows.ask.names import companies
from flows.configuration.load import place_of
from flows.configuration.values import Settings
from flows.show.show import say, show_table
from schemas.errors import SettingsError
from warehouse.engine.place import PostgresUrl, reader_of
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

PERIODS: Final[Mapping[str, Callable[[date], str]]] = {
    "day": date.isoformat,
    "week": lambda day: f"{day:%G-W%V}",
    "month": lambda day: f"{day:%Y-%m}",
    "quarter": lambda day: f"{day:%Y}-Q{(day.month + 2) // 3}",
    "year": lambda day: f"{day:%Y}",
}
"""The name of the period with a day. Names of one kind sort as their periods."""
AMOUNTS: Final = ("owed", "overpaid", "net")
COUNTS: Final = ("clients", "debtors", "creditors")
COLUMNS: Final = ("source", "currency", "period", "day", *AMOUNTS, "unknown_days", *COUNTS)
SHORT: Final = {"unknown_days": "unknown"}
SPARE: Final = ("day", "net", "unknown")
DAY: Final = timedelta(days=1)
NO_PULL, REMOVED = "no pull", "removed for its age"
MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Series:
    """The sums of one source and currency at the end of each day; `days` are those with a change, in order."""

    source: str
    currency: str | None
    days: Sequence[date]
    sums: Sequence[Mapping[str, object]]

    def at(self, day: date) -> dict[str, object]:
        """Return the sums at the end of a day: all 0 before the currency's first client."""
        place = bisect_right(self.days, day)
        known = self.sums[place - 1] if place else {}
        owed, overpaid = (Decimal(str(known.get(name, 0))) for name in ("owed", "overpaid"))
        return {
            "owed": owed, "overpaid": overpaid, "net": owed - overpaid,
            **{name: known.get(name, 0) for name in COUNTS},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """The days of one source that were asked for, from its first pull on, and why some are unknown."""

    source: str
    days: Sequence[date]
    unknown: Mapping[date, str]

    def known(self) -> list[date]:
        """Return the known days, in order."""
        return [day for day in self.days if day not in self.unknown]

    def gaps(self) -> list[tuple[date, date, str]]:
        """Return the first and the last day of each gap, and its reason."""
        gaps: list[tuple[date, date, str]] = []
        for day in self.days:
            why = self.unknown.get(day)
            if why and gaps and gaps[-1][1] == day - DAY and gaps[-1][2] == why:
                gaps[-1] = (gaps[-1][0], day, why)
            elif why:
                gaps.append((day, day, why))
        return gaps


@dataclass(frozen=True, slots=True)
class History:
    """The days and the sums of each source. Sums of a currency are never added over sources."""

    companies: str
    spans: Mapping[str, Span]
    series: Sequence[Series]
    copied: bool
    """Whether it was read from the published copy, which holds no pull that found nothing new."""


def read_history(
    settings: Settings,
    source: str | None,
    *,
    since: date | None = None,
    until: date | None = None,
    currencies: Sequence[str] = (),
) -> History:
    """Return the history of one source or of all, from day `since` up to and with `until`, at most up to today.

    It asks the warehouse, or its published copy if a run holds it. Raises SettingsError for an unknown source or
    currency, and if the days are in the wrong order.
    """
    if since and until and since > until:
        raise SettingsError(f"--from {since} is after --to {until}.")
    params = {"source": source}
    with reading(settings, newest=True) as warehouse:
        check_source(warehouse, settings, source)
        pulled: dict[str, set[date]] = {}
        for name, day in warehouse.rows(statement("history/pulls"), params):
            pulled.setdefault(str(name), set()).add(_day(day))
        spans = {
            str(name): _span(str(name), pulled[str(name)], _day(today), complete, since, until)
            for name, today, complete in warehouse.rows(statement("history/spans"), params)
            if str(name) in pulled
        }
        sums = in_decimals(warehouse.answer(statement("history/sums"), params))
        check_codes(currencies, [row["currency"] for row in sums.records()])
        series = _series(only(sums, currencies).records(), spans)
        names, _ = companies(warehouse, source)
        return History(names, spans, series, _is_copy(warehouse, settings))


def table_of(history: History, by: str = "month") -> Result:
    """Return a row for each source, currency and period: the sums at the end of the period's last known day.

    `unknown_days` counts the days of the period that are not known. Without a known day, the sums are NULL. Raises
    SettingsError for another period than those of PERIODS.
    """
    if by not in PERIODS:
        raise SettingsError(f"--by is one of {', '.join(PERIODS)}.")
    rows: list[list[object]] = []
    for series in history.series:
        span = history.spans[series.source]
        for period, group in groupby(span.days, PERIODS[by]):
            days = list(group)
            known = [day for day in days if day not in span.unknown]
            sums = series.at(known[-1]) if known else dict.fromkeys((*AMOUNTS, *COUNTS))
            row = {
                "source": series.source, "currency": series.currency, "period": period,
                "day": known[-1] if known else None, "unknown_days": len(days) - len(known), **sums,
            }  # fmt: skip
            rows.append([row[name] for name in COLUMNS])
    return in_decimals((COLUMNS, rows))


def gaps_of(history: History) -> Result:
    """Return the unknown days: each gap's source, first day, last day, number of days and reason."""
    return Result(
        ("source", "first", "last", "days", "why"),
        [
            (span.source, first, last, (last - first).days + 1, why)
            for span in history.spans.values()
            for first, last, why in span.gaps()
        ],
    )


def tell_history(history: History, by: str) -> None:
    """Print a table for each source and currency, and the unknown days. Numbers of clients are in files only."""
    several = len(history.spans) > 1
    if not history.series or not any(span.days for span in history.spans.values()):
        say("Nothing is known of these days: `ninja-sync status` shows the last pull.")
        return
    rows = table_of(history, by).records()
    beside = len({row["period"] for row in rows}) == 1  # then one table holds all currencies
    hidden = [name for name, hide in (("source", not several), ("currency", not beside), ("day", by == "day")) if hide]
    kept = [name for name in COLUMNS if name not in (*hidden, *COUNTS)]
    names = [by if name == "period" else SHORT.get(name, name) for name in kept]
    what = f"at the end of each {by}" + ("" if by == "day" else "'s last known day")
    if beside:
        show_table(f"Owed and overpaid {what}", names, [[row[name] for name in kept] for row in rows], spare=SPARE)
    else:
        _tell_each(rows, [name for name in kept if name != "source"], names[several:], what, several=several)
    for line in lines_about(history):
        say(line)


def _tell_each(
    rows: Sequence[Mapping[str, object]], kept: Sequence[str], names: Sequence[str], what: str, *, several: bool
) -> None:
    for (source, currency), group in groupby(rows, lambda row: (row["source"], row["currency"])):
        title = f"{currency or 'Without a currency'}: owed and overpaid {what}"
        shown = [[row[name] for name in kept] for row in group]
        show_table(f"{source}, {title}" if several else title, names, shown, spare=SPARE, currency=str(currency or ""))


def lines_about(history: History) -> list[str]:
    """Return sentences for people about the unknown days, and about deleted clients."""
    several = len(history.spans) > 1
    lines = []
    for span in history.spans.values():
        of = f" of {span.source}" if several else ""
        for why, sentence in ((NO_PULL, "no pull ran then"), (REMOVED, "versions of then were removed for their age")):
            named = [_shown(first, last) for first, last, reason in span.gaps() if reason == why]
            more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
            if named:
                lines.append(f"Not known{of}: {', '.join(named[:MOST_NAMED])}{more}; {sentence}.")
    if history.copied:
        lines.append(
            "A run holds the warehouse. This is its published copy, without the last pulls that changed nothing."
        )
    return [*lines, "Deleted clients are left out."]


def _shown(first: date, last: date) -> str:
    return f"{first}" if first == last else f"{first} to {last}"


def _span(name: str, pulled: set[date], today: date, complete: object, since: date | None, until: date | None) -> Span:
    """Return the days of a source, from its first pull on.

    A day is known if a pull began on it or on the day after: that pull saw each client's newest change with its time.
    Of a client that changed on a day without one, and again before the next pull, the first change is lost.
    """
    over = today if today in pulled else today - DAY  # the next pull of today may still come
    first, last = max(min(pulled), since or date.min), min(over, until or date.max)
    days = [first + DAY * n for n in range((last - first).days + 1)]
    unknown = {day: NO_PULL for day in days if day not in pulled and day + DAY not in pulled}
    if isinstance(complete, date):
        unknown |= {day: REMOVED for day in days if day < complete}
    return Span(name, days, unknown)


def _series(sums: Sequence[Mapping[str, object]], spans: Mapping[str, Span]) -> list[Series]:
    """Return the sums of each source and currency, the currency with most owed on a known day first."""
    found = []
    for (source, currency), records in groupby(sums, lambda row: (str(row["source"]), row["currency"])):
        rows = list(records)
        if source in spans and spans[source].days:
            found.append(Series(source, str(currency) if currency else None, [_day(r["day"]) for r in rows], rows))
    return sorted(
        found, key=lambda series: (series.source, -_most(series, spans[series.source]), series.currency or "")
    )


def _most(series: Series, span: Span) -> Decimal:
    return max((Decimal(str(series.at(day)["owed"])) for day in span.known()), default=Decimal(0))


def _day(value: object) -> date:
    return value if isinstance(value, date) else day_of(str(value))


def _is_copy(warehouse: Warehouse, settings: Settings) -> bool:
    place = place_of(settings)
    return not isinstance(place, PostgresUrl) and warehouse.shown == str(reader_of(place))

"""Balances as tables: by currency, by country, and the clients who owe most, now or at an earlier moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from itertools import groupby
from typing import Final

from flows.ask.ask import Result, reading
from flows.ask.converted import converted, tell_converted
from flows.ask.currencies import check_codes, heading_of, only
from flows.ask.decimals import in_decimals
from flows.ask.names import companies
from flows.configuration.values import Settings
from flows.show.counted import counted
from flows.show.show import say, show_table
from schemas.errors import SettingsError
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

SPARE = ("credit_balance", "paid_to_date", "clients", "country", "creditors", "debtors")
"""Columns to leave out of a table that is too wide for the terminal, in this order."""
BY: Final = ("client", "country", "currency")
TITLES = {
    "by_client": "Balances by client",
    "by_currency": "Balances by currency",
    "by_country": "Balances by country",
    "top_debtors": "Top debtors",
    "not_listed": "Balances, among these, of clients that the server no longer lists: `ninja-sync sweep`",
    "not_known_yet": "Sources with no data yet at that moment",
}
STATEMENTS = {
    "by_currency": "read/balances_by_currency",
    "by_country": "read/balances_by_country",
    "top_debtors": "read/top_debtors",
}


def moment(text: str) -> datetime:
    """Parse a moment. A date means its last microsecond in UTC; a time without a zone is in UTC.

    Raises SettingsError if the text is neither a date nor a time.
    """
    try:
        return datetime.combine(date.fromisoformat(text), time.max, UTC)
    except ValueError:
        pass
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise SettingsError(f"{text!r} is not a date or time: write 2026-12-31 or 2026-12-31T18:00:00+01:00.") from None


def read_balances(
    settings: Settings,
    source: str | None,
    *,
    top: int,
    at: datetime | None = None,
    by: str | None = None,
    currencies: Sequence[str] = (),
) -> dict[str, Result]:
    """Return the three tables, of one source or of all, now or as of a moment; by client too if that is asked for.

    If there are any, `converted` has the balances in the company's currency, `not_listed` the present balances of
    clients that the server no longer lists, and `not_known_yet` the sources first loaded after the moment. Raises
    SettingsError for an unknown source, currency or grouping, and for a moment before the first load.
    """
    if by not in (None, *BY):
        raise SettingsError(f"--by is one of {', '.join(BY)}.")
    wanted = STATEMENTS | ({"by_client": "read/balances_by_client"} if by == "client" else {})
    params = {"source": source, "most": top, "at": at}
    with reading(settings) as warehouse:
        check_source(warehouse, settings, source)
        balances = "(" + statement("read/balances_at") + ") as balances" if at else "mart.client_balances"
        tables = {
            name: in_decimals(warehouse.answer(statement(file).format(balances=balances), params))
            for name, file in wanted.items()
        }
        unlisted = only(in_decimals(warehouse.answer(statement("read/balances_not_listed"), params)), currencies)
        check_codes(currencies, [row["currency"] for row in tables["by_currency"].records()])
        tables = {name: only(table, currencies) for name, table in tables.items()}
        later = Result(*warehouse.answer(statement("read/known_since"), params)) if at else Result((), ())
        in_one = converted(warehouse, tables["by_currency"], at.date() if at else None)
    if in_one.rows:
        tables["converted"] = in_one
    if unlisted.rows and not at:
        tables["not_listed"] = unlisted
    if not later.rows:
        return tables
    if not tables["by_currency"].rows:
        starts = " and ".join(f"{since:%Y-%m-%d %H:%M:%S} UTC ({name})" for name, since in later.rows)
        raise SettingsError(f"Nothing is known before {starts}, when the first load began.")
    return {**tables, "not_known_yet": later}


def read_heading(settings: Settings, source: str | None, *, at: datetime | None = None) -> str:
    """Return the heading of a picture: the companies, and the moment of the balances or of the last load."""
    with reading(settings) as warehouse:
        names, last = companies(warehouse, source)
    when = at or last
    return ", ".join([names, *([f"as of {_shown(when)}"] if when else [])])


def check_source(warehouse: Warehouse, settings: Settings, source: str | None) -> None:
    """Raises SettingsError if neither the settings nor the warehouse have the source."""
    stored = {str(name) for (name,) in warehouse.rows("select source from control.sources")}
    known = sorted({*settings.sources, *stored})
    if source is not None and source not in known:
        raise SettingsError(f"There is no source {source!r}. Sources: {', '.join(known) or 'none yet'}.")


def tell_balances(
    tables: dict[str, Result], at: datetime | None = None, *, by: str | None = None, top: int = 10
) -> None:
    """Print the tables for people, without the source column if there is only one source.

    With `by`, these are the table by currency and the one asked for, with `top` clients or countries of each currency.
    """
    sources = {row[0] for row in tables["by_currency"].rows}
    several = len(sources) > 1
    if not sources:
        _tell_nobody(at)
        return
    if at is not None:
        say(f"As of {_shown(at)}, by all pulls until now; currencies and countries by today's lists.")
    for name, result in tables.items():
        if name == "converted":
            tell_converted(result, several=several)
        elif name in _hidden(by):
            continue
        elif by in ("client", "country") and name == f"by_{by}":
            _tell_each(TITLES[name], result, several=several, top=top)
        else:
            _tell(name, result, several=several or name == "not_known_yet")


def tell_beside(tables: dict[str, Result], at: datetime | None = None) -> None:
    """Say what a file with balances does not show: whose are in it, and whose are not."""
    if not tables["by_currency"].rows:
        _tell_nobody(at)
    if unlisted := tables.get("not_listed"):
        number = sum(int(str(record["clients"])) for record in unlisted.records())
        say(f"Included: {counted(number, 'client')} that the server no longer lists: `ninja-sync sweep`.")
    if later := tables.get("not_known_yet"):
        say(f"Sources with no data yet at that moment: {', '.join(str(name) for name, *_ in later.rows)}.")


def _hidden(by: str | None) -> set[str]:
    """Return the tables that are not shown if one is asked for."""
    return set() if by is None else {"by_client", *STATEMENTS} - {"by_currency", f"by_{by}"}


def _tell(name: str, result: Result, *, several: bool) -> None:
    kept = [column for column in result.columns if column != "place" and (column != "source" or several)]
    spare = [column for column in SPARE if not (column == "country" and name == "by_country")]
    show_table(TITLES[name], kept, _columns(result, kept), spare=spare)


def _tell_each(title: str, result: Result, *, several: bool, top: int) -> None:
    """Print a table for each source and currency. The balance is left out: it is owed, or overpaid."""
    kept = [name for name in result.columns if name not in ("source", "currency", "balance")]
    places = [result.columns.index(name) for name in ("source", "currency")]
    for (source, currency), rows in groupby(result.rows, lambda row: tuple(row[place] for place in places)):
        heading = heading_of(title, source, currency, several=several)
        spare = [name for name in SPARE if not title.endswith(name)]
        shown = _columns(Result(result.columns, list(rows)), kept)
        show_table(heading, kept, shown, most=top, spare=spare, currency=str(currency or ""))


def _columns(result: Result, kept: Sequence[str]) -> list[list[object]]:
    places = [result.columns.index(name) for name in kept]
    return [[row[place] for place in places] for row in result.rows]


def _tell_nobody(at: datetime | None) -> None:
    when = f"no clients here at {_shown(at)}" if at else "no clients here yet"
    say(f"There are {when}: `ninja-sync pull` reads them, `ninja-sync status` shows the last pull.")


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"

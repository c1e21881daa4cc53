"""Balances as tables: by currency, by country, and the clients who owe most; today's, or those of an earlier moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal

from flows.ask.ask import Result, reading
from flows.configuration.values import Settings
from flows.show.show import harmless, say, show_table
from schemas.errors import SettingsError
from schemas.money import in_own_decimals
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

SPARE = ("credit_balance", "paid_to_date", "clients", "country", "creditors", "debtors")
"""Columns of a table that is too wide for the terminal, the one that is left out first in front."""
TITLES = {
    "by_currency": "Balances by currency",
    "by_country": "Balances by country",
    "top_debtors": "Top debtors",
    "not_listed": "Of these balances, what belongs to clients that the server no longer lists: `ninja-sync sweep`",
    "not_known_yet": "Nothing is known yet of these sources",
}
STATEMENTS = {
    "by_currency": "read/balances_by_currency",
    "by_country": "read/balances_by_country",
    "top_debtors": "read/top_debtors",
}


def moment(text: str) -> datetime:
    """The moment that a person means: a date is its last microsecond in UTC, a time without a zone is in UTC.

    Raises SettingsError for what is neither.
    """
    try:
        return datetime.combine(date.fromisoformat(text), time.max, UTC)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise SettingsError(f"{text!r} is no moment: write it like 2026-12-31 or 2026-12-31T18:00:00+01:00.") from None


def read_balances(settings: Settings, source: str | None, *, top: int, at: datetime | None = None) -> dict[str, Result]:
    """The three tables, of one source or of all; as of a moment, where one is given.

    What of today's is of clients that the server no longer lists stands in `not_listed`; sources that were first loaded
    after the moment in `not_known_yet`; both only where there are any. Raises SettingsError for a
    source that nobody knows, and for a moment at which nothing is known yet.
    """
    params = {"source": source, "most": top, "at": at}
    with reading(settings) as warehouse:
        _check_source(warehouse, settings, source)
        balances = "(" + statement("read/balances_at") + ") as balances" if at else "mart.client_balances"
        found = {
            name: _in_own_decimals(warehouse.answer(statement(file).format(balances=balances), params))
            for name, file in STATEMENTS.items()
        }
        unlisted = _in_own_decimals(warehouse.answer(statement("read/balances_not_listed"), params))
        later = Result(*warehouse.answer(statement("read/known_since"), params)) if at else Result((), ())
    if unlisted.rows and not at:
        found["not_listed"] = unlisted
    if not later.rows:
        return found
    if not found["by_currency"].rows:
        told = " and ".join(f"{since:%Y-%m-%d %H:%M:%S} UTC ({name})" for name, since in later.rows)
        raise SettingsError(f"Nothing is known before {told}, when the first load began.")
    return {**found, "not_known_yet": later}


def read_heading(settings: Settings, source: str | None, *, at: datetime | None = None) -> str:
    """Whose balances these are and of when, for a picture: the companies, and the moment or that of the last load."""
    with reading(settings) as warehouse:
        rows = warehouse.rows(statement("read/companies"), {"source": source})
    names = [str(name or own) for own, name, _ in rows]
    last = max((moment for _, _, moment in rows if isinstance(moment, datetime)), default=None)
    when = at or last
    return ", ".join([harmless(" and ".join(names)), *([f"as of {_told(when)}"] if when else [])])


def _in_own_decimals(answer: tuple[Sequence[str], Sequence[Sequence[object]]]) -> Result:
    """The answer with each amount in the decimals of the currency of its row."""
    columns, rows = answer
    place = columns.index("currency")

    def own(value: object, currency: object) -> object:
        return in_own_decimals(value, str(currency)) if isinstance(value, Decimal) else value

    return Result(columns, [[own(value, row[place]) for value in row] for row in rows])


def _check_source(warehouse: Warehouse, settings: Settings, source: str | None) -> None:
    stored = {str(name) for (name,) in warehouse.rows("select source from control.sources")}
    known = sorted({*settings.sources, *stored})
    if source is not None and source not in known:
        raise SettingsError(f"There is no source {source!r}; there is: {', '.join(known) or 'none yet'}.")


def tell_balances(found: dict[str, Result], at: datetime | None = None) -> None:
    """The tables for people; the source is left out where there is one only."""
    sources = {row[0] for row in found["by_currency"].rows}
    if not sources:
        when = f"no clients here at {_told(at)}" if at else "no clients here yet"
        say(f"There are {when}: `ninja-sync pull` reads them, `ninja-sync status` says what was read.")
        return
    if at is not None:
        say(f"As of {_told(at)}, by what has been read since; currencies and countries by today's lists.")
    for name, result in found.items():
        several = len(sources) > 1 or name == "not_known_yet"
        kept = [n for n, column in enumerate(result.columns) if column != "place" and (n or several)]
        rows = [[row[n] for n in kept] for row in result.rows]
        columns = [result.columns[n] for n in kept]
        spare = [column for column in SPARE if not (column == "country" and name == "by_country")]
        show_table(TITLES[name], columns, rows, spare=spare)


def _told(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"

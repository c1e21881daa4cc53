"""Who owes how much for how long: by client, country or currency, today or at the end of any day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any, Final

from flows.ask.ask import Result, reading
from flows.ask.balances import check_source, read_heading
from flows.ask.converted import converted, tell_converted
from flows.ask.currencies import check_codes, heading_of, only
from flows.ask.decimals import in_decimals
from flows.ask.names import companies
from flows.configuration.values import Settings
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.show.show import fits, say, show_table
from schemas.errors import SettingsError
from warehouse.engine.sql import statement
from warehouse.schema.public import MART

DUE, INVOICE = "due", "invoice"
BASES: Final = (DUE, INVOICE)
BY: Final = ("client", "country", "currency")
STATEMENTS: Final = {
    "by_client": "aging/by_client",
    "by_country": "aging/by_country",
    "by_currency": "aging/by_currency",
    "left_out": "aging/left_out",
}
BESIDE = ("overpaid", "net", "unapplied_payments", "open_credits")
BUCKETS = {
    DUE: ("not_due", "overdue_1_30", "overdue_31_60", "overdue_61_90", "overdue_over_90"),
    INVOICE: ("age_0_30", "age_31_60", "age_61_90", "age_over_90"),
}
COLUMNS = {
    DUE: (*BUCKETS[DUE], "owed", *BESIDE, "without_due_date"),
    INVOICE: (*BUCKETS[INVOICE], "owed", *BESIDE[:2]),
}
SHORT = {
    "currency": "cur", "not_due": "not due", "overdue_1_30": "1-30", "overdue_31_60": "31-60",
    "overdue_61_90": "61-90", "overdue_over_90": "over 90",
    "age_0_30": "0-30", "age_31_60": "31-60", "age_61_90": "61-90", "age_over_90": "over 90",
}  # fmt: skip
"""Names of columns in a table for a terminal of 80 columns."""
SPARE = (
    "country", "without_due_date", "open_credits", "unapplied_payments", "clients", "creditors", "debtors", "net",
    "overpaid",
)  # fmt: skip
"""Columns to leave out of a table that is too wide, in this order."""
AHEAD = timedelta(hours=14)
"""No time zone is further ahead of UTC."""
COUNTS: Final = ("clients", "debtors", "creditors")
HEADED = ("day",)
"""Columns that the heading says."""
WAITING = ("overpaid", "unapplied_payments", "open_credits")


def day_of(text: str) -> date:
    """Parse a day. Raises SettingsError if the text is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{text!r} is not a day: write 2026-12-31.") from None


def check_day(at: date | None, clock: Clock = SYSTEM_CLOCK) -> None:
    """Raises SettingsError for a day that has not come anywhere yet."""
    if at is not None and at > (clock.now() + AHEAD).date():
        raise SettingsError(f"{at} has not come yet. Without a day, it is today.")


def read_aging(
    settings: Settings,
    source: str | None,
    *,
    by: str = "client",
    basis: str = DUE,
    at: date | None = None,
    currencies: Sequence[str] = (),
    clock: Clock = SYSTEM_CLOCK,
) -> dict[str, Result]:
    """Return the table by currency, the one that was asked for, and `left_out`: the sums of deleted clients.

    If a rate of exchange is known, `converted` has owed, overpaid and net in the company's currency.
    Without `at` it is today, in each company's own time zone; without codes of currencies, all are there. Raises
    SettingsError for an unknown source, currency, basis or grouping, and for a day that has not come anywhere yet.
    """
    if by not in BY:
        raise SettingsError(f"--by is one of {', '.join(BY)}.")
    if basis not in BASES:
        raise SettingsError(f"--basis is one of {', '.join(BASES)}.")
    check_day(at, clock)
    listed = ", ".join(COLUMNS[basis])
    sums = ", ".join(f"sum({name}) as {name}" for name in COLUMNS[basis])
    names = {"figures": figures(basis, at), "items": items_of(at), "columns": listed, "sums": sums}
    with reading(settings) as warehouse:
        check_source(warehouse, settings, source)
        tables = {
            name: in_decimals(warehouse.answer(statement(STATEMENTS[name]).format(**names), {"source": source}))
            for name in dict.fromkeys(("by_currency", f"by_{by}", "left_out"))
        }
        check_codes(currencies, [row["currency"] for n in ("by_currency", "left_out") for row in tables[n].records()])
        tables = {name: only(table, currencies) for name, table in tables.items()}
        in_one = converted(warehouse, tables["by_currency"], at)
    return {**tables, "converted": in_one} if in_one.rows else tables


def picture_heading(settings: Settings, source: str | None, at: date | None) -> str:
    """Return the heading of a picture: the companies, and the day or the moment of the last load."""
    if at is None:
        return read_heading(settings, source)
    with reading(settings) as warehouse:
        names, _ = companies(warehouse, source)
    return f"{names}, at the end of {at}"


def tell_aging(tables: dict[str, Result], *, basis: str = DUE, at: date | None = None, top: int = 20) -> None:
    """Print the tables for people, without the source column if there is only one source.

    Of each currency, `top` clients or countries are shown.
    """
    asked = next((name for name in tables if name not in ("by_currency", "left_out", "converted")), "")
    sources = {row[0] for row in tables["by_currency"].rows}
    if not sources:
        say("No client has an open invoice, payment or credit here" + (f" at the end of {at}." if at else "."))
        tell_left_out(tables["left_out"])
        return
    days = "days overdue" if basis == DUE else "days since the invoice"
    title = f"Owed by {days}" + (f", at the end of {at}" if at else "")
    _tell(f"{title}, by currency", tables["by_currency"], several=len(sources) > 1)
    if asked:
        _tell_each(f"{title}, by {asked.removeprefix('by_')}", tables[asked], several=len(sources) > 1, top=top)
    if in_one := tables.get("converted"):
        tell_converted(in_one, several=len(sources) > 1)
    tell_left_out(tables["left_out"])


def _tell(title: str, result: Result, *, several: bool) -> None:
    kept = [name for name in result.columns if name not in HEADED and (name != "source" or several)]
    _show_sums(title, kept, result.records())


def _tell_each(title: str, result: Result, *, several: bool, top: int) -> None:
    """Print a table for each source and currency, which leaves room for names.

    Clients who owe nothing are in a table of their own: they have overpaid, or money or a credit of theirs waits.
    """
    kept = [name for name in result.columns if name not in ("source", "currency", "number", *HEADED)]
    for (source, currency), records in groupby(result.records(), lambda row: (row["source"], row["currency"])):
        heading = heading_of(title, source, currency, several=several)
        rows = list(records)
        owing, others = ([row for row in rows if bool(row["owed"]) is owes] for owes in (True, False))
        if owing:
            show = _show if "client" in kept else _show_sums
            show(heading, kept, owing, most=top, currency=str(currency or ""))
        if others:
            heading = heading_of("nothing owed", source, currency, several=several)
            names = [name for name in kept if name in ("client", "country", *WAITING)]
            _show(heading, names, others, most=top, currency=str(currency or ""))


def _show_sums(title: str, kept: Sequence[str], records: Sequence[Mapping[str, object]], **more: Any) -> None:
    """Print a table of sums. If it is too wide, overpaid and net have a table of their own, but are never left out."""
    wide = [[record[name] for name in kept] for record in records]
    if fits([SHORT.get(name, name) for name in kept], wide, currency=more.get("currency")):
        _show(title, kept, records, **more)
        return
    _show(title, [name for name in kept if name not in (*COUNTS, *BESIDE)], records, **more)
    sides = [name for name in kept if name in ("source", "currency", "country", "owed", *BESIDE)]
    _show(f"{title}: overpaid and net", sides, records, **more)


def _show(title: str, kept: Sequence[str], records: Sequence[Mapping[str, object]], **more: Any) -> None:
    columns = [SHORT.get(name, name.replace("_", " ")) for name in kept]
    spare = [SHORT.get(name, name.replace("_", " ")) for name in SPARE if name != "country" or "client" in kept]
    rows = [[_cell(record, name) for name in kept] for record in records]
    show_table(title, columns, rows, spare=[name for name in spare if name in columns], **more)


def _cell(record: Mapping[str, object], name: str) -> object:
    """Return a value for people. A client's name has its number before it: several clients share a name."""
    if name != "client":
        return record[name]
    return " ".join(str(value) for value in (record["number"], record["client"]) if value)


def tell_left_out(result: Result) -> None:
    """Print the sums of deleted clients on standard error, if there are any."""
    several = len({row[0] for row in result.rows}) > 1
    kept = [*(["source"] if several else []), "currency", "owed", "overpaid"]
    rows = [[record[name] for name in kept] for record in result.records()]
    if rows:
        show_table("Left out: open invoices of deleted clients", kept, rows, stderr=True)


def figures(basis: str, at: date | None) -> str:
    """Return the relation with the figures of each client, and its name; `at` is a date, so it needs no quoting."""
    view = nameless_figures(basis, at)
    if at is None:
        return view
    return (
        f"(select f.*, c.display_name as client_name from {view} as f "
        "left join mart.clients as c on c.source = f.source and c.id = f.client_id) as figures"
    )


def nameless_figures(basis: str, at: date | None, views: str = MART) -> str:
    """Return the relation with the figures of each client; on an earlier day it has no names."""
    view = f"{views}.aging" if basis == DUE else f"{views}.aging_by_invoice_date"
    return f"{view}_as_of(date '{at}')" if at else view


def items_of(at: date | None, views: str = MART) -> str:
    """Return the relation with the open items."""
    return f"{views}.open_items_as_of(date '{at}')" if at else f"{views}.open_items"

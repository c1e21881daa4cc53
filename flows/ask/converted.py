"""Amounts converted into the company's currency: for orientation, beside the exact ones and never added to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from typing import Final

from flows.ask.ask import Result
from flows.show.show import say, show_table
from schemas.money import decimals_of
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

ALL: Final = "sum"
"""The name of the row with the sums. Currencies without a rate are not in them."""
COLUMNS: Final = ("source", "currency", "company_currency", "rate", "rate_day", "owed", "overpaid", "net")
CONVERTED: Final = ("owed", "overpaid")
SHOWN: Final = {
    "of": "currency",
    "rate": "rate",
    "rate day": "rate_day",
    "owed": "owed",
    "overpaid": "overpaid",
    "net": "net",
}
"""Headings of the table for people, with their columns. No heading says that amounts are in the row's own currency."""


def converted(warehouse: Warehouse, by_currency: Result, at: date | None = None) -> Result:
    """Return owed, overpaid and net of each currency in its company's currency, with the sums behind each source.

    `by_currency` has a row for each source and currency. A rate is the last one up to the day `at`, or up to today.
    Amounts are rounded to the company's currency; a currency without a rate has no amounts. Empty where no currency
    but the company's own has a rate.
    """
    found = Result(*warehouse.answer(statement("read/rates_at"), {"at": at}))
    rates = {(row["source"], row["currency_code"]): row for row in found.records()}
    rows: list[list[object]] = []
    for _, records in groupby(by_currency.records(), lambda record: record["source"]):
        own = [_row(record, rates.get((record["source"], record["currency"]))) for record in records]
        if any(row["rate_day"] for row in own):
            rows += [[row[column] for column in COLUMNS] for row in [*own, _sums(own)]]
    return Result(COLUMNS, rows)


def _row(record: Mapping[str, object], rate: Mapping[str, object] | None) -> dict[str, object]:
    known = rate or dict.fromkeys(("company_currency", "rate", "rate_day"))
    row = {"source": record["source"], "currency": record["currency"], **known, **dict.fromkeys((*CONVERTED, "net"))}
    if not isinstance(worth := known["rate"], Decimal):
        return row
    place = Decimal(1).scaleb(-decimals_of(str(known["company_currency"])))
    owed, overpaid = ((Decimal(str(record[name])) * worth).quantize(place, ROUND_HALF_UP) for name in CONVERTED)
    return row | {"owed": owed, "overpaid": overpaid, "net": owed - overpaid}


def _sums(rows: Sequence[Mapping[str, object]]) -> dict[str, object]:
    rated = [row for row in rows if row["rate"] is not None]
    sums = {name: sum((Decimal(str(row[name])) for row in rated), Decimal(0)) for name in (*CONVERTED, "net")}
    known = {"source": rated[0]["source"], "company_currency": rated[0]["company_currency"]}
    return {**known, "currency": ALL, "rate": None, "rate_day": None, **sums}


def tell_converted(result: Result, *, several: bool) -> None:
    """Print a table for each source, and name the currencies that have no rate."""
    for source, records in groupby(result.records(), lambda record: record["source"]):
        rows = list(records)
        into = str(rows[-1]["company_currency"])
        rated = [[row[column] for column in SHOWN.values()] for row in rows if row["owed"] is not None]
        name = f"{source}: converted" if several else "Converted"
        show_table(f"{name} into {into}, by these rates", list(SHOWN), rated, currency=into)
        if missing := [str(row["currency"] or "unknown") for row in rows if row["owed"] is None]:
            say(f"Not in the sum, as no rate is known: {', '.join(missing)}.")

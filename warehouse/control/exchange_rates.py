"""Rates of exchange in the warehouse: a person's from a file, and the server's from its list of currencies.

A rate is the value of one unit of a currency in the company's currency, with eight decimals. It holds from its day
until the next one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

FILE, SERVER = "file", "server"
PLACES = Decimal("0.00000001")
MOST = Decimal(10) ** 10
"""A rate is smaller than this: ten digits before the point."""


class Rate(msgspec.Struct, frozen=True):
    """The value of one unit of `currency_code` in the company's currency, from `day` on."""

    day: date
    currency_code: str
    rate: Decimal


def company_currency(warehouse: Warehouse, source: str) -> str | None:
    """Return the ISO code of the company's currency; None before the first pull."""
    rows = warehouse.rows(statement("rates/company_currency"), {"source": source})
    return str(rows[0][0]) if rows else None


def note_rates(
    warehouse: Warehouse, source: str, rates: Iterable[Rate], *, into: str, origin: str, now: datetime
) -> None:
    """Note rates in two statements, each in place of an earlier one of its day. Call it in a transaction."""
    those = list(rates)
    values = {
        "source": source, "company_currency": into, "origin": origin,
        "days": [rate.day for rate in those], "codes": [rate.currency_code for rate in those],
    }  # fmt: skip
    warehouse.execute(statement("rates/remove"), values)
    warehouse.execute(statement("rates/insert"), {**values, "rates": [rate.rate for rate in those], "now": now})


def note_server_rates(warehouse: Warehouse, source: str, *, now: datetime) -> None:
    """Note the rates of the server's list of currencies that have changed. Call it in a transaction.

    The list has units for one base unit. A server without a service for rates sends 1 for every currency: those are no
    rates, so a number equal to that of the company's own currency is left out.
    """
    into = company_currency(warehouse, source)
    units: dict[object, object] = dict(warehouse.rows(statement("rates/units"), {"source": source}))  # type: ignore[arg-type]  # two columns
    own = units.get(into)
    if into is None or not own:
        return
    values = {"source": source, "company_currency": into, "origin": SERVER}
    known: dict[object, object] = dict(warehouse.rows(statement("rates/last"), values))  # type: ignore[arg-type]  # two columns
    rates = [
        Rate(now.date(), str(code), rate)
        for code, per_base in units.items()
        if code != into and per_base != own and (rate := quotient(own, per_base)) and rate != known.get(code)
    ]
    note_rates(warehouse, source, rates, into=into, origin=SERVER, now=now)


def quotient(own: object, per_base: object) -> Decimal | None:
    """Return a rate with eight decimals; None if it is too small or too large to be one."""
    exact = Decimal(str(own)) / Decimal(str(per_base))
    return (exact.quantize(PLACES, ROUND_HALF_EVEN) or None) if exact < MOST else None

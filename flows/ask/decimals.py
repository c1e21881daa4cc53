"""Amounts of an answer in the decimals of their currency."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from flows.ask.ask import Result
from schemas.money import in_own_decimals

RATE = "rate"
"""The column of a rate of exchange, which is not an amount."""


def in_decimals(answer: tuple[Sequence[str], Sequence[Sequence[object]]], currency: str = "currency") -> Result:
    """Return the answer with each amount in the decimals of its row's currency, named by a column. Rates stay."""
    columns, rows = answer
    place, rate = columns.index(currency), columns.index(RATE) if RATE in columns else None

    def own(value: object, currency: object) -> object:
        return in_own_decimals(value, str(currency)) if isinstance(value, Decimal) else value

    return Result(
        columns, [[value if n == rate else own(value, row[place]) for n, value in enumerate(row)] for row in rows]
    )

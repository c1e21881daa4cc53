"""Amounts of an answer in the decimals of their currency."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from flows.ask.ask import Result
from schemas.money import in_own_decimals


def in_decimals(answer: tuple[Sequence[str], Sequence[Sequence[object]]]) -> Result:
    """Return the answer with each amount in the decimals of its row's currency."""
    columns, rows = answer
    place = columns.index("currency")

    def own(value: object, currency: object) -> object:
        return in_own_decimals(value, str(currency)) if isinstance(value, Decimal) else value

    return Result(columns, [[own(value, row[place]) for value in row] for row in rows])

"""Amounts as the server's decimal columns keep them: 20 digits, six of them decimals."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

from sandbox.books.ledger import MICRO, money

LARGEST = Decimal("99999999999999.999999")
WIDE = Context(prec=400)
"""Wide enough for every float."""


def is_nothing(amount: Decimal) -> bool:
    """Whether PHP's round to cents makes 0 of it."""
    return abs(amount) < Decimal("0.005")


def kept(value: float) -> str:
    """A float in a decimal column: rounded, and at most the largest number that fits."""
    exact = min(max(Decimal(repr(value)), -LARGEST), LARGEST)
    return money(exact.quantize(MICRO, ROUND_HALF_UP))

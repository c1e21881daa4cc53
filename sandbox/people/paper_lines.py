"""The lines of an invented invoice: what was sold, so that the lines and their taxes add up to the invoice's amount."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

CENT = 10_000
"""In millionths, the unit of all amounts here."""
CATALOGUE = (
    ("CONSULT", "Consulting, per hour", 95),
    ("SUPPORT", "Support, per month", 120),
    ("HOSTING", "Hosting, per month", 29),
    ("LICENCE", "Licence, per seat", 49),
    ("TRAINING", "Training day on site", 780),
    ("DESIGN", "Design work – Entwurf", 85),
    ("SPARE-7", "Spare part no. 7", 12),
    ("FREIGHT", "Freight and packing", 35),
    ("PAPER-A4", "Paper A4, box", 24),
    ("日用品", "Office supplies", 8),
)
"""Key, notes and list price of what the company sells. An invoice's own prices are bargained."""
TAXES = (("VAT", 19), ("VAT", 20), ("MwSt.", 7), ("GST", 10), ("IVA", 22))
QUANTITIES = (1, 1, 1, 2, 3, 4, 5, 10, 12)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `quantity` × `cost` is its net, `tax` comes on top. A line without tax has no tax name."""

    product: int
    quantity: int
    cost: int
    tax_name: str = ""
    tax_rate: int = 0
    tax: int = 0

    @property
    def net(self) -> int:
        """Before tax."""
        return self.quantity * self.cost


def lines_of(rng: Random, amount: int, unit: int, *, taxed: tuple[str, int] | None) -> tuple[Line, ...]:
    """Return one to three lines that add up to the amount, the first one with this tax where the amount allows it.

    Not every amount is a whole net and its tax: what the tax cannot reach, and what is less than a coin (as imports
    leave it), stands on a line of its own. The server computes taxes to the cent in every currency.
    """
    if amount < CENT:
        return (Line(rng.randrange(len(CATALOGUE)), 1, amount),)
    lines, left = [], amount
    if taxed and left >= 20 * unit:
        gross = left if rng.random() < 0.6 else left * rng.randrange(30, 80) // 100  # noqa: PLR2004 - or a part of it
        line = _taxed(rng, gross // unit * unit, unit, taxed)
        lines, left = [line], left - line.net - line.tax
    if left >= 20 * unit and rng.random() < 0.4:  # noqa: PLR2004 - some list more
        part = left * rng.randrange(20, 80) // 100 // unit * unit
        lines.append(_untaxed(rng, part, unit))
        left -= part
    if left:
        lines.append(_untaxed(rng, left, unit))
    return tuple(lines)


def _taxed(rng: Random, gross: int, unit: int, taxed: tuple[str, int]) -> Line:
    """The line of the greatest net whose net and tax stay within the gross."""
    name, rate = taxed
    net = gross * 100 // (100 + rate) // unit * unit
    if net + rounded(net * rate, 100, unit) > gross:
        net -= unit
    quantity, cost = _counted(rng, net, unit)
    return Line(rng.randrange(len(CATALOGUE)), quantity, cost, name, rate, rounded(net * rate, 100, unit))


def _untaxed(rng: Random, net: int, unit: int) -> Line:
    return Line(rng.randrange(len(CATALOGUE)), *_counted(rng, net, unit))


def _counted(rng: Random, net: int, unit: int) -> tuple[int, int]:
    """A quantity and a cost of whole units; one piece where they do not fit."""
    quantity = rng.choice(QUANTITIES)
    return (quantity, net // quantity) if net % (quantity * unit) == 0 else (1, net)


def rounded(dividend: int, divisor: int, unit: int) -> int:
    """The quotient in whole units, half a unit up, as PHP rounds what is not negative."""
    return (2 * dividend + divisor * unit) // (2 * divisor * unit) * unit

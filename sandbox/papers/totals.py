"""What a paper amounts to: lines, discounts, taxes, surcharges (InvoiceSum, InvoiceItemSum and their inclusive twins).

The server reckons in PHP's floats, and shows them: a line over 89.99 with taxes of 8.55 has a gross total of
98.53999999999999 (recorded). So this module alone reckons in floats, in the server's order of operations, and hands
exact decimals to its callers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.papers.amounts import WIDE, kept
from sandbox.wire.answers import server_error

Line = dict[str, Any]
TAXES = (1, 2, 3)
SURCHARGES = (1, 2, 3, 4)
SHORTEST_TAX_NAME = 2
"""A tax whose name has one letter is ignored (recorded)."""
CENTS = 2


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of a paper, and its lines with theirs."""

    amount: str
    total_taxes: str
    lines: list[Line]


def php_round(value: float, places: int) -> float:
    """PHP's round: half away from zero, of the number that 15 digits show; so 1.005 is 1.01, not 1."""
    if not math.isfinite(value):
        raise server_error()  # PHP has INF, which no JSON and no column holds
    shown = Decimal(format(value, ".14e"))
    return float(shown.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, WIDE))


def reckon(paper: Mapping[str, Any], lines: Sequence[Line], *, precision: int, tax_exempt: bool = False) -> Totals:
    """The totals of a paper with these columns and cleaned lines, in a currency with so many decimals."""
    reckoning = _Reckoning(paper, precision, tax_exempt=tax_exempt)
    done = [reckoning.line(line) for line in lines]
    return reckoning.total(done)


class _Reckoning:
    """One paper on its way to its totals."""

    def __init__(self, paper: Mapping[str, Any], precision: int, *, tax_exempt: bool) -> None:
        self.paper, self.precision, self.tax_exempt = paper, precision, tax_exempt
        self.discount, self.by_amount = float(paper["discount"] or 0), bool(paper["is_amount_discount"])
        self.inclusive = bool(paper["uses_inclusive_taxes"])

    def line(self, line: Line) -> Line:
        """The line with its total after its own discount."""
        line = dict(line)
        if self.tax_exempt:
            line |= {f"tax_rate{n}": 0.0 for n in TAXES} | {f"tax_name{n}": "" for n in TAXES}
        line["line_total"] = self._line_total(line)
        line["is_amount_discount"] = self.by_amount
        return line

    def _line_total(self, line: Line) -> float:
        full, discount = line["cost"] * line["quantity"], line["discount"]
        if self.by_amount:
            total = full - php_round(discount, self.precision)
        elif self.inclusive:
            total = full - php_round(full * (discount / 100), self.precision)
        else:
            total = full - full * (discount / 100)
        return php_round(total, self.precision)

    def _tax_line(self, line: Line, taxed: float) -> None:
        """Set `tax_amount` and `gross_line_total`, for a line that is taxed on this amount."""
        line["tax_amount"] = sum((self._line_tax(line, n, taxed) for n in TAXES), 0.0)
        line["gross_line_total"] = line["line_total"] + (0 if self.inclusive else line["tax_amount"])

    def _line_tax(self, line: Line, number: int, taxed: float) -> float:
        rate = line[f"tax_rate{number}"]
        return self._inclusive_tax(taxed, rate) if self.inclusive else php_round(taxed * rate / 100, CENTS)

    @staticmethod
    def _inclusive_tax(taxed: float, rate: float) -> float:
        return php_round(taxed - taxed / (1 + rate / 100), CENTS)

    def total(self, lines: list[Line]) -> Totals:
        """Add the lines up. Inclusive taxes are reported, but change no amount."""
        subtotal = sum((line["line_total"] for line in lines), 0.0)
        total = subtotal - self._discount_of(subtotal)
        taxes = 0.0 if self.tax_exempt else self._paper_taxes(total)
        total += sum((self._surcharge(n) for n in SURCHARGES), 0.0)
        taxes += self._taxes_of(lines, subtotal)
        amount = total if self.inclusive else total + taxes
        return Totals(kept(php_round(amount, self.precision)), kept(taxes), lines)

    def _discount_of(self, amount: float) -> float:
        return self.discount if self.by_amount else php_round(amount * (self.discount / 100), CENTS)

    def _surcharge(self, number: int) -> float:
        return float(self.paper[f"custom_surcharge{number}"] or 0)

    def _paper_taxes(self, total: float) -> float:
        """The taxes of the whole paper."""
        surcharged = [self._surcharge(n) for n in SURCHARGES if self.paper[f"custom_surcharge_tax{n}"]]
        taxes = 0.0
        for n in TAXES:
            rate = float(self.paper[f"tax_rate{n}"] or 0)
            if len(self.paper[f"tax_name{n}"] or "") < SHORTEST_TAX_NAME:
                continue
            if self.inclusive:
                taxes += self._inclusive_tax(total + sum(x for x in surcharged if x > 0), rate)
            else:
                taxes += php_round(total * (rate / 100), CENTS)
                taxes += sum((php_round(x * (rate / 100), CENTS) for x in surcharged), 0.0)
        return taxes

    def _taxes_of(self, lines: list[Line], subtotal: float) -> float:
        """The taxes of all lines, added tax by tax; each line learns its own."""
        groups: dict[tuple[str, float], float] = {}
        for line in lines:
            taxed = self._taxed(line["line_total"], subtotal)
            self._tax_line(line, taxed)
            for n in TAXES:
                name, rate = line[f"tax_name{n}"], line[f"tax_rate{n}"]
                if self.by_amount or len(name) >= SHORTEST_TAX_NAME:
                    groups[name, rate] = groups.get((name, rate), 0.0) + self._line_tax(line, n, taxed)
        return sum(groups.values(), 0.0)

    def _taxed(self, line_total: float, subtotal: float) -> float:
        """The part of a line that is taxed: a discount by amount is spread over all lines."""
        if self.by_amount:
            return line_total - line_total * (self.discount / subtotal) if subtotal else line_total
        return line_total - line_total * (self.discount / 100)

"""Amounts converted into the company's currency: for orientation, beside the exact ones and never added to them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from flows.ask.ask import Result
from flows.ask.decimals import in_decimals
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

ALL: Final = "all of these"
"""The name of the row with the sums. Currencies without a rate are not in them."""
SUMMED: Final = ("owed", "overpaid", "net")


def converted_balances(warehouse: Warehouse, source: str | None) -> Result:
    """Return the balances by currency in the company's currency, with the sums of each source behind its rows.

    Empty where no other currency has a rate. A row without a rate has no amounts.
    """
    answer = warehouse.answer(statement("read/balances_converted"), {"source": source})
    result = in_decimals(answer, currency="company_currency")
    by_source: dict[object, list[dict[str, object]]] = {}
    for record in result.records():
        by_source.setdefault(record["source"], []).append(record)
    rows: list[list[object]] = []
    for name, records in by_source.items():
        sums: dict[str, object] = {column: _sum(records, column) for column in SUMMED}
        known = {"source": name, "currency": ALL, "company_currency": records[0]["company_currency"], **sums}
        rows += [[record.get(column) for column in result.columns] for record in [*records, known]]
    return Result(result.columns, rows)


def _sum(records: list[dict[str, object]], column: str) -> Decimal:
    return sum((amount for record in records if isinstance(amount := record[column], Decimal)), Decimal(0))

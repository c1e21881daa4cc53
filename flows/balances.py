"""Balances as tables: by currency, by country, and the clients who owe most."""

from __future__ import annotations

from flows.ask import Result, asked
from flows.settings import Settings
from flows.show import show_table

MOST_LINES = 12
TITLES = {
    "by_currency": "Balances by currency",
    "by_country": "Balances by country",
    "top_debtors": "Top debtors",
}


def read_balances(settings: Settings, source: str | None, *, top: int) -> dict[str, Result]:
    """The three tables; of one source, or of all."""
    params = {"source": source, "most": top}
    return {
        "by_currency": asked(settings, "balances_by_currency", params),
        "by_country": asked(settings, "balances_by_country", params),
        "top_debtors": asked(settings, "top_debtors", params),
    }


def tell_balances(found: dict[str, Result]) -> None:
    """The three tables for people; the source is left out where there is one only."""
    several = len({row[0] for row in found["by_currency"].rows}) > 1
    for name, result in found.items():
        first = 0 if several else 1
        shown = [row[first:] for row in (result.rows if name == "top_debtors" else result.rows[:MOST_LINES])]
        more = len(result.rows) - len(shown)
        show_table(
            TITLES[name], result.columns[first:], shown, note=f"and {more} more; --json gives all" if more else ""
        )

"""Balances as tables: by currency, by country, and the clients who owe most."""

from __future__ import annotations

from flows.ask import Result, asked
from flows.settings import Settings
from flows.show import say, show_table
from schemas.errors import SettingsError

MOST_LINES = 12
TITLES = {
    "by_currency": "Balances by currency",
    "by_country": "Balances by country",
    "top_debtors": "Top debtors",
}


def read_balances(settings: Settings, source: str | None, *, top: int) -> dict[str, Result]:
    """The three tables; of one source, or of all. Raises SettingsError for a source that nobody knows."""
    if source is not None:
        stored = asked(settings, "sources", {}).records()
        known = sorted({*settings.sources, *(str(record["source"]) for record in stored)})
        if source not in known:
            raise SettingsError(f"There is no source {source!r}; there is: {', '.join(known) or 'none yet'}.")
    params = {"source": source, "most": top}
    return {
        "by_currency": asked(settings, "balances_by_currency", params),
        "by_country": asked(settings, "balances_by_country", params),
        "top_debtors": asked(settings, "top_debtors", params),
    }


def tell_balances(found: dict[str, Result]) -> None:
    """The three tables for people; the source is left out where there is one only."""
    sources = {row[0] for row in found["by_currency"].rows}
    if not sources:
        say("There are no clients here yet: `ninja-sync pull` reads them, `ninja-sync status` says what was read.")
        return
    for name, result in found.items():
        kept = [n for n, column in enumerate(result.columns) if column != "place" and (n or len(sources) > 1)]
        rows = [[row[n] for n in kept] for row in result.rows]
        columns = [result.columns[n] for n in kept]
        show_table(TITLES[name], columns, rows, most=0 if name == "top_debtors" else MOST_LINES)

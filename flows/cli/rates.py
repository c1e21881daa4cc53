"""The commands for rates of exchange: `ninja-sync rates`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.ask.aging import day_of
from flows.ask.ask import Result, reading
from flows.ask.balances import check_source
from flows.cli.options import AsJson, ConfigFile, DecimalSign, Encoding, Separator, SheetName, SourceName
from flows.configuration.load import choose_source, load_settings
from flows.sheets.spreadsheets import reading_of
from flows.show.counted import counted
from flows.show.show import say, show_json, show_table
from flows.upkeep.rates import add_rates, remove_rate
from schemas.errors import LOADED_WITH_FINDINGS
from warehouse.engine.sql import statement

MOST = 20


def list_rates(
    context: typer.Context,
    top: Annotated[int, typer.Option(min=1, help="The number of rates to show.")] = 40,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List the rates of exchange, the newest first.

    A rate is the value of one unit of a currency in the company's currency. It holds from its day until the next one.
    """
    if context.invoked_subcommand is not None:
        return
    settings = load_settings(config)
    with reading(settings, newest=True) as warehouse:
        check_source(warehouse, settings, source)
        rates = Result(*warehouse.answer(statement("read/exchange_rates"), {"source": source}))
    if as_json:
        show_json({"rates": rates.records()})
        return
    if not rates.rows:
        say("No rates are known. `ninja-sync rates add FILE` adds some; a server may send its own.")
        return
    several = len({row[0] for row in rates.rows}) > 1
    kept = [place for place, column in enumerate(rates.columns) if several or column != "source"]
    show_table(
        "Rates of exchange", [rates.columns[place].replace("_", " ") for place in kept],
        [[row[place] for place in kept] for row in rates.rows], most=top,
    )  # fmt: skip


def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV or workbook with columns day, currency, rate.")],
    separator: Separator = None,
    decimal: DecimalSign = None,
    encoding: Encoding = None,
    sheet: SheetName = None,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Add rates from a CSV or an Excel workbook.

    Each row has a day (2026-12-31), a currency (USD) and the value of one unit in the company's currency (0.9215). A
    rate replaces one that a file brought for the same day. Rows that do not fit are named, and the others added; then
    the exit code is 7. A wrong rate is corrected by adding the right one, or removed with `rates remove`.
    """
    settings = load_settings(config)
    name = choose_source(settings, source)
    added = add_rates(settings, name, file, reading_of(separator, decimal, encoding, sheet, None))
    if as_json:
        rates = [{"day": rate.day, "currency": rate.currency_code, "rate": rate.rate} for rate in added.rates]
        refused = [{"line": row.line, "reason": row.reason} for row in added.refused]
        show_json({"source": name, "company_currency": added.into, "rates": rates, "refused": refused})
    else:
        for note in added.notes:
            say(note)
        rows = [(f"1 {rate.currency_code}", rate.rate, rate.day) for rate in added.rates]
        show_table(f"{counted(len(rows), 'rate')} added", ("of", f"in {added.into}", "from"), rows, most=MOST)
        if added.refused:
            show_table("Refused", ("line", "why"), [(row.line, row.reason) for row in added.refused])
    if added.refused:
        raise typer.Exit(LOADED_WITH_FINDINGS)


def remove(
    day: Annotated[str, typer.Argument(metavar="DAY", help="The day of the rate, such as 2026-12-31.")],
    currency: Annotated[str, typer.Argument(metavar="CURRENCY", help="Its currency, such as EUR.")],
    source: SourceName = None,
    config: ConfigFile = None,
) -> None:
    """Remove a rate that a file brought.

    The rate of the day before holds again, or that of the server.
    """
    settings = load_settings(config)
    name = choose_source(settings, source)
    for note in remove_rate(settings, name, day_of(day), currency):
        say(note)
    say(f"The rate of {currency.upper()} for {day} is removed.")

"""The command that shows what clients owed over time."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.ask.aging import day_of
from flows.ask.currencies import codes_of
from flows.ask.files import check_outputs, write_files
from flows.ask.history import PERIODS, gaps_of, lines_about, read_history, table_of, tell_history
from flows.ask.plots.history import plot_history
from flows.ask.plots.page import check_picture
from flows.cli.options import (
    AsJson,
    ConfigFile,
    CsvFile,
    Currencies,
    DecimalSign,
    PictureFile,
    Separator,
    SourceName,
    WorkbookFile,
)
from flows.configuration.load import load_settings
from flows.show.show import say, show_json


def history(
    since: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="From that day on; else from the first pull on.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Up to that day; else today.")] = None,
    by: Annotated[str, typer.Option(metavar="PERIOD", help=f"One row for each: {', '.join(PERIODS)}.")] = "month",
    currency: Currencies = None,
    plot: PictureFile = None,
    csv: CsvFile = None,
    xlsx: WorkbookFile = None,
    separator: Separator = None,
    decimal: DecimalSign = None,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show amounts owed and overpaid over time.

    One table for each currency. A day of the company's own time zone is unknown if no pull began on it or on the day
    after. The table shows the last known day of each period and counts the unknown ones; --plot draws every day, and
    leaves gaps. Deleted clients are left out. Amounts in different currencies are never added, and overpaid amounts
    are never subtracted from debts.
    """
    check_outputs(csv, xlsx, separator=separator, decimal=decimal, as_json=as_json)
    check_picture(plot)
    first, last = (None if text is None else day_of(text) for text in (since, until))
    codes = codes_of(currency)
    found = read_history(load_settings(config), source, since=first, until=last, currencies=codes)
    table = table_of(found, by)
    notes = plot_history(found, plot) if plot is not None else []
    if write_files(table, csv, xlsx, separator=separator, decimal=decimal):
        for line in lines_about(found):
            say(line)
    elif as_json:
        show_json({"history": table.records(), "unknown": gaps_of(found).records()})
    else:
        tell_history(found, by)
    if plot is not None:
        said = lines_about(found)
        say(" ".join([f"The picture is in {plot}.", *(note for note in notes if note not in said)]))

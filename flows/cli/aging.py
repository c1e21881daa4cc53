"""The command that shows who owes how much for how long."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.ask.aging import BASES, BY, DUE, day_of, picture_heading, read_aging, tell_aging, tell_left_out
from flows.ask.currencies import codes_of
from flows.ask.files import check_outputs, write_files
from flows.ask.plots.aging import plot_aging
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


def aging(
    by: Annotated[str, typer.Option(metavar="WHAT", help=f"One row for each: {', '.join(BY)}.")] = "client",
    at: Annotated[
        str | None, typer.Option(metavar="DAY", help="At the end of that day, such as 2026-12-31; else today.")
    ] = None,
    basis: Annotated[str, typer.Option(metavar="DATE", help=f"Count days from this date: {', '.join(BASES)}.")] = DUE,
    top: Annotated[int, typer.Option(min=1, help="The most rows to show, and bars to draw, for each currency.")] = 20,
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
    """Show who owes how much for how long.

    Each open invoice counts by the days since its due date, or with --basis invoice since its own date. Amounts in
    different currencies are never added, and overpaid amounts, payments and credits are never subtracted from debts.
    Deleted clients are left out. --at works for days before the first pull too: docs/receivables.md says how.
    """
    check_outputs(csv, xlsx, separator=separator, decimal=decimal, as_json=as_json)
    check_picture(plot)
    codes, day = codes_of(currency), None if at is None else day_of(at)
    settings = load_settings(config)
    tables, notes = read_aging(settings, source, by=by, basis=basis, at=day, currencies=codes), []
    if plot is not None:
        notes = plot_aging(tables, plot, picture_heading(settings, source, day), by=by, basis=basis, top=top)
    if write_files(tables[f"by_{by}"], csv, xlsx, separator=separator, decimal=decimal):
        tell_left_out(tables["left_out"])
    elif as_json:
        show_json({name: result.records() for name, result in tables.items()})
    else:
        tell_aging(tables, basis=basis, at=day, top=top)
    if plot is not None:
        say(" ".join([f"The picture is in {plot}.", *notes]))

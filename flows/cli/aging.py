"""The command that shows who owes how much for how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from flows.ask.aging import BASES, BY, DUE, day_of, read_aging, tell_aging
from flows.ask.csv_export import write_csv, write_workbook
from flows.cli.options import AsJson, ConfigFile, DecimalSign, Separator, SourceName
from flows.configuration.load import load_settings
from flows.session.clock import SYSTEM_CLOCK
from flows.show.show import say, show_json
from schemas.errors import SettingsError

FIRST_ZONE = timedelta(hours=14)
"""How far the clocks of the first time zone are ahead of UTC: nowhere is a later day."""


def aging(
    by: Annotated[str, typer.Option(metavar="WHAT", help=f"One row for each: {', '.join(BY)}.")] = "client",
    at: Annotated[
        str | None, typer.Option(metavar="DAY", help="At the end of that day, such as 2026-12-31; else today.")
    ] = None,
    basis: Annotated[str, typer.Option(metavar="DATE", help=f"Count days from this date: {', '.join(BASES)}.")] = DUE,
    csv: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the rows as CSV; - is standard output.")
    ] = None,
    xlsx: Annotated[str | None, typer.Option(metavar="FILE", help="Write the rows as an Excel workbook.")] = None,
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
    if csv is None and (separator or decimal):
        raise SettingsError("--separator and --decimal go with --csv FILE.")
    day = None if at is None else day_of(at)
    if day is not None and day > (SYSTEM_CLOCK.now() + FIRST_ZONE).date():
        say(f"{day} is still to come: these are the figures of today.")
    tables = read_aging(load_settings(config), source, by=by, basis=basis, at=day)
    if csv is not None:
        write_csv(tables[f"by_{by}"], csv, separator=separator or "comma", decimal=decimal or ".")
    if xlsx is not None:
        write_workbook(tables[f"by_{by}"], xlsx)
    if csv is not None or xlsx is not None:
        return
    if as_json:
        show_json({name: result.records() for name, result in tables.items()})
    else:
        tell_aging(tables, basis=basis, at=day)

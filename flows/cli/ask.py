"""The commands that read the warehouse: status, balances, sql."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.ask.ask import Result, ask, asked
from flows.ask.balances import BY, moment, read_balances, read_heading, tell_balances, tell_beside
from flows.ask.currencies import codes_of
from flows.ask.files import check_outputs, write_files
from flows.ask.plots.balances import plot_balances
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
from flows.show.counted import counted
from flows.show.show import say, show_json, show_records, show_table
from schemas.errors import SettingsError

MOST_ROWS = 200


def status(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Show how fresh each mirror is, and what needs attention."""
    settings = load_settings(config)
    sources = asked(settings, "read/status", {}, newest=True)
    entities = asked(settings, "read/entity_status", {}, newest=True)
    quarantine = asked(settings, "read/open_quarantine", {}, newest=True)
    if as_json:
        found = {"sources": sources.records(), "entities": entities.records(), "quarantine": quarantine.records()}
        show_json(found)
        return
    if not sources.rows:
        say("Nothing has been pulled yet: `ninja-sync pull`.")
    for name, *row in sources.rows:
        show_records(f"Source {name}", [column.replace("_", " ") for column in sources.columns[1:]], [row])
    if len(entities.rows) > len(sources.rows):
        _show_entities(entities, several=len(sources.rows) > 1)
    if quarantine.rows:
        show_table("In quarantine", quarantine.columns, quarantine.rows)


def _show_entities(entities: Result, *, several: bool) -> None:
    """Show the age and size of each kind of record."""
    kept = [n for n, column in enumerate(entities.columns) if several or column != "source"]
    columns = [entities.columns[n].removeprefix("records_").replace("_", " ") for n in kept]
    rows = [[row[n] for n in kept] for row in entities.rows]
    show_table("Records", columns, rows, spare=("last load kind", "last load at", "newest change at"))


def balances(
    by: Annotated[
        str | None, typer.Option(metavar="WHAT", help=f"One row for each: {', '.join(BY)}. Else an overview.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="The most rows to show, and bars to draw, for each currency.")] = 10,
    currency: Currencies = None,
    plot: PictureFile = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="MOMENT", help="Balances at that time: 2026-12-31 (the end of that day, UTC), or a time."),
    ] = None,
    csv: CsvFile = None,
    xlsx: WorkbookFile = None,
    separator: Separator = None,
    decimal: DecimalSign = None,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show amounts owed and overpaid, and the largest debtors.

    Amounts in different currencies are never added, and overpaid amounts are never subtracted from debts. --at shows
    the balances at that moment, by the server's time stamps. Nothing is known before the first pull. A file has one
    row for each client, all of them, unless you say --by. Deleted clients are left out.
    """
    check_outputs(csv, xlsx, separator=separator, decimal=decimal, as_json=as_json)
    check_picture(plot)
    codes, notes = codes_of(currency), []
    settings = load_settings(config)
    then = None if at is None else moment(at)
    in_file = csv is not None or xlsx is not None
    by = by or ("client" if in_file else None)
    results = read_balances(settings, source, top=top, at=then, by=by, currencies=codes)
    if plot is not None:
        notes = plot_balances(results, plot, read_heading(settings, source, at=then), by=by or "client", top=top)
    if in_file:
        write_files(results[f"by_{by}"], csv, xlsx, separator=separator, decimal=decimal)
        tell_beside(results, then)
    elif as_json:
        show_json({name: result.records() for name, result in results.items()})
    else:
        tell_balances(results, then, by=by, top=top)
    if plot is not None:
        say(" ".join([f"The picture is in {plot}.", *notes]))


def sql(
    query: Annotated[
        str | None, typer.Argument(help='For example: "select * from mart.clients where balance > 1000".')
    ] = None,
    csv: CsvFile = None,
    xlsx: WorkbookFile = None,
    separator: Separator = None,
    decimal: DecimalSign = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Query the warehouse in SQL.

    Queries cannot change anything. Schema `mart` has the views for people, `ninja` the mirrored tables. Queries read
    the published copy, so they do not wait for a pull.

    A CSV is safe to open in a spreadsheet: a text that looks like a formula gets an apostrophe. For Excel in most of
    Europe, use --csv FILE --separator semicolon --decimal , or --xlsx FILE, which keeps texts such as 0015 unchanged.
    With --json, columns with the same name are numbered (a, a_1), and NaN and infinity become null.
    """
    if query is None:
        for option, file, name in (("--csv", csv, "answer.csv"), ("--xlsx", xlsx, "answer.xlsx")):
            if file is not None:  # most often it is the query
                raise SettingsError(
                    f'{option} needs a FILE before the query: ninja-sync sql {option} {name} "select ..."'
                )
    check_outputs(csv, xlsx, separator=separator, decimal=decimal, as_json=as_json)
    result = ask(load_settings(config), query or "")
    if write_files(result, csv, xlsx, separator=separator, decimal=decimal):
        return
    if as_json:
        show_json(result.records())
        return
    show_table("", result.columns, result.rows, most=MOST_ROWS, note=f"{counted(len(result.rows), 'row')} in all")

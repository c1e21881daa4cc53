"""The command that compares figures with documents: reconciliation."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.ask.files import check_outputs, write_files
from flows.ask.reconciliation import of_source, read_compared, read_reconciliation, tell_reconciliation, with_ledger
from flows.cli.options import AsJson, ConfigFile, CsvFile, DecimalSign, Separator, SourceName, WorkbookFile
from flows.configuration.load import choose_source, load_settings
from flows.session.api import open_api
from flows.show.show import progress_bar, show_json
from schemas.errors import LOADED_WITH_FINDINGS


def reconciliation(
    top: Annotated[int, typer.Option(min=1, help="The number of differences to show.")] = 20,
    ledger: Annotated[
        bool, typer.Option("--ledger", help="Also read the ledgers of these clients from the server, 200 at most.")
    ] = False,
    csv: CsvFile = None,
    xlsx: WorkbookFile = None,
    separator: Separator = None,
    decimal: DecimalSign = None,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show clients whose figures differ from their documents.

    The balance is compared with the open invoices, the amount paid with the payments, the credit balance with the
    credits. Each difference has its likely reason. Exit code 7 if there is one.
    """
    check_outputs(csv, xlsx, separator=separator, decimal=decimal, as_json=as_json)
    settings = load_settings(config)
    compared, result = read_compared(settings, source), read_reconciliation(settings, source)
    if ledger and result.rows:
        name = choose_source(settings, source)
        with open_api(name, settings=settings) as api, progress_bar(name, quiet=as_json) as progress:
            result = with_ledger(api, of_source(result, name), progress)
    written = write_files(result, csv, xlsx, separator=separator, decimal=decimal)
    if as_json:
        sources = [{"source": one.source, "clients": one.clients, "differing": one.differing} for one in compared]
        show_json({"sources": sources, "differences": result.records()})
    elif not written:
        tell_reconciliation(compared, result, most=top)
    if result.rows:
        raise typer.Exit(LOADED_WITH_FINDINGS)

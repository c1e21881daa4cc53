"""Add the column that a file of corrections lacks, so that refused values can be written.

Saving a client that has no currency of its own gives it the company's. So such a change is refused, unless the file
names the currency too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from flows.ask.ask import reading
from flows.configuration.values import Settings
from flows.push.columns import Suggestion, words_for
from flows.push.corrections import Correction
from flows.push.grid import Grid
from flows.sheets.workbooks import SheetRow
from schemas.errors import SettingsError
from schemas.server_form import GIVEN_BY_PUT
from warehouse.engine.sql import statement


def lacked_fields(grid: Grid, correction: Correction) -> dict[str, int]:
    """Return the fields that a file lacks, each with the number of its rows that are refused for it."""
    counts = {name: sum(name in line.lacks for line in grid.lines) for name in GIVEN_BY_PUT}
    return {name: count for name, count in counts.items() if count and name not in correction.choices}


def add_column(settings: Settings, correction: Correction, grid: Grid, name: str) -> Correction:
    """Add a column for a field that the file lacks. Currencies are filled in: each client keeps the one it has.

    Raises SettingsError for a field that it does not lack.
    """
    if name not in lacked_fields(grid, correction):
        raise SettingsError("The file does not lack this column.")
    table, at = correction.read.table, len(correction.columns)
    rows = [SheetRow(row.line, [*row.cells, None], row.wrong) for row in table.rows]
    columns = [*table.columns, _new_heading(table.columns, words_for(name, correction.labels))]
    codes = _currencies(settings, correction.source, grid) if name == "currency_id" else {}
    lacking = {line.line: line.client_id for line in grid.lines if name in line.lacks}
    filled = {(line, at): codes[client_id] for line, client_id in lacking.items() if client_id in codes}
    return replace(
        correction,
        read=replace(correction.read, table=replace(table, columns=columns, rows=rows)),
        suggested=(*correction.suggested, Suggestion(name, "added here")),
        choices=(*correction.choices, name),
        edits={**correction.edits, **filled},
    )


def _new_heading(columns: Sequence[str], words: str) -> str:
    return words if words not in columns else f"{words} (added)"


def _currencies(settings: Settings, source: str, grid: Grid) -> Mapping[str, str]:
    """Return the codes of the clients' currencies, as the mirror has them."""
    ids = sorted({line.client_id for line in grid.lines if line.lacks})
    with reading(settings) as warehouse:
        rows = warehouse.rows(statement("read/currencies_of_clients"), {"source": source, "ids": ids})
    return {str(client_id): str(code) for client_id, code in rows}

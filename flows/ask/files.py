"""Write answers as files for spreadsheets: CSV and workbooks in which no text becomes a formula."""

from __future__ import annotations

import csv
import io
import sys
from decimal import Decimal
from pathlib import Path

from flows.ask.ask import Result
from flows.sheets.spreadsheets import separator_of, with_apostrophe
from flows.sheets.workbooks import as_workbook
from flows.show.output import STANDARD_OUTPUT, write_output
from flows.show.show import plain
from schemas.errors import SettingsError

MARK = "\ufeff"
"""The byte order mark. Excel reads a file that begins with it as UTF-8."""
OTHER_ENDINGS = (".csv", ".tsv", ".txt", ".json", ".xls", ".xlsb", ".ods", ".parquet")
"""Endings of a file's name that .xlsx replaces; to any other name it is added."""


def as_csv(result: Result, *, separator: str = ",", decimal: str = ".") -> str:
    """Return the result as CSV with CRLF and a head line. NULL is empty, times are ISO 8601, no text is a formula."""
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, delimiter=separator)
    writer.writerow([with_apostrophe(name) for name in result.columns])
    for row in result.rows:
        writer.writerow([_cell(value, decimal) for value in row])
    return sink.getvalue()


def as_csv_file(result: Result) -> bytes:
    """Return the result as the contents of a CSV file, with the UTF-8 mark."""
    return (MARK + as_csv(result)).encode("utf-8")


def write_csv(result: Result, target: str, *, separator: str = ",", decimal: str = ".") -> None:
    """Write the result into a file (0600), or to standard output for `-`. A file begins with the UTF-8 mark.

    `separator` is a character or its name (semicolon, tab). Raises SettingsError if it is the decimal sign too.
    """
    sign = separator_of(separator)
    if decimal not in {".", ","}:
        raise SettingsError("--decimal is . or a comma.")
    if sign == decimal:
        raise SettingsError("A comma cannot be the separator and the decimal sign: add --separator semicolon.")
    text = as_csv(result, separator=sign, decimal=decimal)
    write_output(target, (text if target == STANDARD_OUTPUT else MARK + text).encode("utf-8"))


def write_workbook(result: Result, target: str) -> None:
    """Write the result into an Excel workbook (0600)."""
    write_output(target, as_workbook(result.columns, result.rows))


def check_outputs(
    csv: str | None, xlsx: str | None, *, separator: str | None, decimal: str | None, as_json: bool
) -> None:
    """Raises SettingsError for options that do not go together."""
    if csv is None and (separator or decimal):
        raise SettingsError("--separator and --decimal go with --csv FILE.")
    if as_json and (csv is not None or xlsx is not None):
        raise SettingsError("--json prints the result: use it without --csv and --xlsx.")
    if xlsx is not None and not xlsx.lower().endswith((".xlsx", ".xlsm")) and xlsx != STANDARD_OUTPUT:
        name = Path(xlsx)
        better = name.with_suffix(".xlsx") if name.suffix.lower() in OTHER_ENDINGS else f"{xlsx}.xlsx"
        raise SettingsError(f"--xlsx writes a workbook: call it {better}.")
    if csv == xlsx == STANDARD_OUTPUT:
        raise SettingsError("Only one of --csv and --xlsx can write to standard output.")
    if xlsx == STANDARD_OUTPUT and sys.stdout.isatty():
        raise SettingsError("A terminal cannot show a workbook: name a file, or pass it on with > FILE.xlsx.")


def write_files(
    result: Result, csv: str | None, xlsx: str | None, *, separator: str | None = None, decimal: str | None = None
) -> bool:
    """Write the result into the files that are named; return whether there was one."""
    if csv is not None:
        write_csv(result, csv, separator=separator or "comma", decimal=decimal or ".")
    if xlsx is not None:
        write_workbook(result, xlsx)
    return csv is not None or xlsx is not None


def _cell(value: object, decimal: str) -> object:
    if isinstance(value, str):
        return with_apostrophe(value)
    if value is None:
        return ""
    shown = plain(value)
    return str(shown).replace(".", decimal) if isinstance(value, Decimal | float) and shown is not None else shown

"""Read a sheet of an Excel workbook (.xlsx), and write an answer as one.

Texts stay texts: a number such as 0015 keeps its zeros, and nothing becomes a formula. This needs openpyxl, from the
extra `xlsx`.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any, Final

from schemas.errors import SettingsError
from schemas.extras import needs

MOST_ROWS: Final = 1_048_576
"""The most rows of a sheet, including the headings (Excel's specification)."""
MOST_LETTERS: Final = 32_767
"""The most characters of a cell (the same)."""
EXACT_DIGITS: Final = 15
"""The digits of a number that Excel keeps; an amount with more digits is written as text."""
AMOUNT: Final = "#,##0.00####"
"""The format of decimals: two places at least, and six at most."""
WIDTHS: Final = (6, 50)
"""The least and the most characters that a column is wide."""
BESIDE: Final = 3
"""Characters that the button of a filter takes beside a heading."""
BROKEN: Final = (zipfile.BadZipFile, zlib.error, SyntaxError, EOFError, KeyError, ValueError, TypeError)
"""The exceptions of openpyxl for a damaged file; errors of its XML are SyntaxErrors."""
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TO_ESCAPE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
"""Characters that XML cannot hold, and texts that would be read as an escape (ECMA-376, ST_Xstring)."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row: its line in the file, its cells (None is blank), and the reason if it cannot be read."""

    line: int
    cells: Sequence[object] = field(repr=False)
    wrong: str = ""


def read_workbook(file: Path, sheet: str | None) -> tuple[list[SheetRow], list[str]]:
    """Return the rows of a sheet and a note with its name. Raises SettingsError if it is not clear which sheet."""
    openpyxl = _openpyxl()
    try:
        with file.open("rb") as opened:
            values = openpyxl.load_workbook(opened, read_only=True, data_only=True)
            formulas = openpyxl.load_workbook(opened, read_only=True, data_only=False)
            chosen = _chosen(file, values, sheet)
            for book in (values, formulas):
                book[chosen].reset_dimensions()  # some programs write a size that omits rows
            rows = [
                _row(line, row, texts)
                for line, (row, texts) in enumerate(
                    zip(values[chosen].iter_rows(), formulas[chosen].iter_rows(), strict=True), start=1
                )
            ]
    except (*BROKEN, openpyxl.utils.exceptions.InvalidFileException):
        raise SettingsError(f"{file} cannot be read as a workbook: save it again as .xlsx or CSV UTF-8.") from None
    notes = [f"The sheet is {chosen!r}."] if len(values.sheetnames) > 1 else []
    return rows, notes


def as_workbook(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    """Return the answer as a workbook: amounts as numbers, times in UTC. Raises SettingsError if it does not fit.

    The headings stay in sight and filter the rows. A column is as wide as its values, within WIDTHS.
    """
    openpyxl = _openpyxl()
    if len(rows) >= MOST_ROWS:
        raise SettingsError(f"A sheet holds {MOST_ROWS - 1:,} rows, and the answer has {len(rows):,}: use --csv.")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("answer")
    sheet.freeze_panes = "A2"
    letter = openpyxl.utils.get_column_letter
    for number, width in enumerate(_widths(columns, rows), start=1):  # written before the first row
        sheet.column_dimensions[letter(number)].width = width
    if columns:
        sheet.auto_filter.ref = f"A1:{letter(len(columns))}{len(rows) + 1}"
    make = openpyxl.cell.WriteOnlyCell
    sheet.append([_cell(sheet, make, name) for name in columns])
    for row in rows:
        sheet.append([_cell(sheet, make, value) for value in row])
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def _openpyxl() -> Any:
    with needs("xlsx"):
        import openpyxl  # noqa: PLC0415 - 0.2 s, for workbooks only
    return openpyxl


def _chosen(file: Path, book: Any, wanted: str | None) -> str:
    names: Sequence[str] = [sheet.title for sheet in book.worksheets]
    if wanted is not None:
        matching = [name for name in names if name.casefold() == wanted.strip().casefold()]
        if not matching:
            raise SettingsError(f"{file} has no sheet {wanted!r}. It has: {', '.join(names)}.")
        return matching[0]
    for name in names:
        book[name].reset_dimensions()
    filled = [name for name in names if _has_rows(book[name].iter_rows(max_row=50))]
    if len(filled) > 1:
        raise SettingsError(f"{file} has several sheets: choose one with --sheet ({', '.join(filled)}).")
    return (filled or names)[0]


def _has_rows(rows: Iterable[Sequence[Any]]) -> bool:
    return any(cell.value is not None for row in rows for cell in row)


def _row(line: int, values: Sequence[Any], formulas: Sequence[Any]) -> SheetRow:
    unknown = [
        cell.coordinate
        for cell, text in zip(values, formulas, strict=True)
        if text.data_type == "f" and cell.value is None
    ]
    wrong = f"the formula in {unknown[0]} has no stored result: open the file in Excel and save it" if unknown else ""
    return SheetRow(line, [_value(cell.value) for cell in values], wrong)


def _value(value: object) -> object:
    """Return a cell's value: exact numbers, dates in ISO form."""
    if isinstance(value, float):
        exact = Decimal(repr(value))
        return int(exact) if exact == exact.to_integral_value() and abs(exact) < 10**EXACT_DIGITS else exact
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, str):
        return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), value)
    return value


def _cell(sheet: Any, make: Any, value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, Decimal) and value.is_finite() and len(value.normalize().as_tuple().digits) <= EXACT_DIGITS:
        cell = make(sheet, value.normalize() + 0)
        cell.number_format = AMOUNT
        return cell
    if value is None or isinstance(value, bool | date) or (isinstance(value, int) and abs(value) < 10**EXACT_DIGITS):
        return value
    if isinstance(value, float) and isfinite(value):
        return value
    plain = _plain(value)
    if plain is None:  # not a number
        return None
    text = _TO_ESCAPE.sub(lambda match: f"_x{ord(match[0]):04X}_", str(plain))
    if len(text) > MOST_LETTERS:
        raise SettingsError(f"A cell of Excel holds {MOST_LETTERS:,} characters, and one value is longer: use --csv.")
    cell = make(sheet)
    cell._value, cell.data_type = text, "s"  # noqa: SLF001 - the setter would make a formula of "=..."
    return cell


def _widths(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[int]:
    """Return the width of each column in characters."""
    least, most = WIDTHS
    widths = [max(least, len(name) + BESIDE) for name in columns]
    for row in rows:
        for number, value in enumerate(row):
            widths[number] = max(widths[number], _width(value) + 1)
    return [min(width, most) for width in widths]


def _width(value: object) -> int:
    """Return about how many characters a cell shows."""
    if value is None:
        return 0
    if isinstance(value, datetime):
        return len("2026-12-31 23:59:59")
    if isinstance(value, Decimal) and value.is_finite():
        return max(len(f"{value:,.2f}"), len(f"{value.normalize():,f}"))
    return max(map(len, str(value).splitlines()), default=0)


def _plain(value: object) -> object:
    from flows.show.show import plain  # noqa: PLC0415

    return plain(value)

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
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from math import isfinite
from typing import Any, Final

from schemas.errors import SettingsError
from schemas.extras import needs

MOST_ROWS: Final = 1_048_576
"""The most rows of a sheet, including the headings (Excel's specification)."""
MOST_LETTERS: Final = 32_767
"""The most characters of a cell (the same)."""
MOST_COLUMNS: Final = 500
"""The most columns of a file that is read: ten times those of a client's form."""
MOST_UNPACKED: Final = 500_000_000
"""The most bytes that a workbook unpacks to."""
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


@dataclass(frozen=True, slots=True)
class Book:
    """A workbook: the names of its sheets and of those with values, the chosen sheet, and its rows."""

    sheets: Sequence[str]
    filled: Sequence[str]
    sheet: str
    rows: Sequence[SheetRow]


def check_width(name: str, columns: int) -> None:
    """Raises SettingsError if a row has too many columns."""
    if columns > MOST_COLUMNS:
        raise SettingsError(
            f"{name} has {columns:,} columns; at most {MOST_COLUMNS:,} are read. Keep only the columns that you need."
        )


def is_workbook(name: str, content: bytes) -> bool:
    """Whether a file is a workbook, by its first bytes or its name."""
    return content.startswith(b"PK\x03\x04") or name.lower().endswith((".xlsx", ".xlsm"))


def read_workbook(name: str, content: bytes, sheet: str | None) -> tuple[list[SheetRow], list[str]]:
    """Return the rows of a sheet and a note with its name. Raises SettingsError if it is not clear which sheet."""
    book = open_workbook(name, content, sheet)
    if sheet is None and len(book.filled) > 1:
        raise SettingsError(f"{name} has several sheets: choose one with --sheet ({', '.join(book.filled)}).")
    return list(book.rows), [f"The sheet is {book.sheet!r}."] if len(book.sheets) > 1 else []


def open_workbook(name: str, content: bytes, sheet: str | None) -> Book:
    """Return the sheet of this name, in any case of letters, else the first that has values.

    Raises SettingsError for a file that is damaged or too large.
    """
    openpyxl = _openpyxl()
    try:
        _check_unpacked(name, content)
        values = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        formulas = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False)
        names: list[str] = [found.title for found in values.worksheets]
        chosen, filled = _chosen(name, values, names, sheet)
        for book in (values, formulas):
            book[chosen].reset_dimensions()  # some programs write a size that omits rows
        rows = _same_length(
            _row(name, line, row, texts)
            for line, (row, texts) in enumerate(
                zip(values[chosen].iter_rows(), formulas[chosen].iter_rows(), strict=True), start=1
            )
        )
    except (*BROKEN, openpyxl.utils.exceptions.InvalidFileException):
        raise SettingsError(f"{name} cannot be read as a workbook: save it again as .xlsx or CSV UTF-8.") from None
    return Book(names, filled, chosen, rows)


def _check_unpacked(name: str, content: bytes) -> None:
    """Raises SettingsError for a workbook that is much larger than its file says, as an attack is (a zip bomb)."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        size = sum(part.file_size for part in packed.infolist())
    if size > MOST_UNPACKED:
        most = MOST_UNPACKED // 1_000_000
        raise SettingsError(f"{name} unpacks to {size // 1_000_000:,} MB; at most {most:,} MB are read.")


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


def _chosen(name: str, book: Any, names: Sequence[str], wanted: str | None) -> tuple[str, list[str]]:
    """Return the name of the wanted sheet, else of the first with values, and the names of all that have values."""
    if not names:
        raise SettingsError(f"{name} has no sheet with cells.")
    if wanted is not None:
        matching = [title for title in names if title.casefold() == wanted.strip().casefold()]
        if not matching:
            raise SettingsError(f"{name} has no sheet {wanted!r}. It has: {', '.join(names)}.")
        return matching[0], matching
    for title in names:
        book[title].reset_dimensions()
    filled = [title for title in names if _has_rows(book[title].iter_rows(max_row=50))]
    return (filled or names)[0], filled


def _same_length(rows: Iterable[SheetRow]) -> list[SheetRow]:
    """Return the rows, each with as many cells as the longest: a workbook does not store blank cells."""
    stored = list(rows)
    most = max((len(row.cells) for row in stored), default=0)
    return [replace(row, cells=[*row.cells, *[None] * (most - len(row.cells))]) for row in stored]


def _has_rows(rows: Iterable[Sequence[Any]]) -> bool:
    return any(cell.value is not None for row in rows for cell in row)


def _row(name: str, line: int, values: Sequence[Any], formulas: Sequence[Any]) -> SheetRow:
    unknown = [
        cell.coordinate
        for cell, text in zip(values, formulas, strict=True)
        if text.data_type == "f" and cell.value is None
    ]
    cells = [_value(cell.value) for cell in values]
    while cells and cells[-1] is None:  # cells may have a format only
        cells.pop()
    check_width(name, len(cells))
    wrong = f"the formula in {unknown[0]} has no stored result: open the file in Excel and save it" if unknown else ""
    return SheetRow(line, cells, wrong)


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

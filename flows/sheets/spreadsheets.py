"""Read a table as the spreadsheet programs of any country write it: CSV, or an Excel workbook (.xlsx).

The reader infers separator, encoding and sheet from the file. If there are two ways to read it, the reader asks for an
option and reads nothing. `notes` say how it read the file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from flows.sheets.csv_text import SEPARATORS, decoded, heading, split_surely
from flows.sheets.workbooks import SheetRow, is_workbook, read_workbook
from flows.show.counted import counted
from schemas.errors import SettingsError

_FORMULA: Final = ("=", "+", "-", "@")


@dataclass(frozen=True, slots=True)
class Reading:
    """A person's options for reading a file; None leaves it to the file.

    `decimal` is the sign before the decimals of an amount. `null_words` is the meaning of texts such as NULL and nan:
    "text" or "blank". `heading_line` is the line of the headings; None is the first line that is not blank.
    """

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    null_words: str | None = None
    heading_line: int | None = None


AS_IT_IS: Final = Reading()


@dataclass(frozen=True, slots=True)
class Sheet:
    """The contents of a file: headings, rows that are not blank, and notes on how the file was read.

    Cells of a CSV are texts; cells of a workbook may also be whole numbers, Decimals and flags.
    """

    columns: Sequence[str]
    rows: Sequence[SheetRow]
    notes: Sequence[str] = ()

    def texts(self, *needed: str, optional: Sequence[str] = ()) -> list[list[str]]:
        """Return the texts of these columns, row by row; blank is "". Raises SettingsError if one is wrong."""
        names = [heading(column) for column in self.columns]
        missing = [name for name in needed if name not in names]
        if missing or not self.rows:
            raise SettingsError(f"The file needs the columns {' and '.join(needed)}, and at least one row.")
        wrong = next((row for row in self.rows if row.wrong), None)
        if wrong:
            raise SettingsError(f"Line {wrong.line}: {wrong.wrong}.")
        places = [names.index(name) if name in names else None for name in (*needed, *optional)]
        cells = [[None if at is None else row.cells[at] for at in places] for row in self.rows]
        return [["" if cell is None else str(cell).strip() for cell in row] for row in cells]


def reading_of(
    separator: str | None, decimal: str | None, encoding: str | None, sheet: str | None, null_words: str | None
) -> Reading:
    """Return how to read a file, from the options of a command. Raises SettingsError for an unknown value."""
    if decimal not in {None, ".", ","}:
        raise SettingsError("--decimal is . or a comma.")
    if null_words not in {None, "text", "blank"}:
        raise SettingsError("--null-words is text or blank.")
    return Reading(separator and separator_of(separator), decimal, encoding, sheet, null_words)


def separator_of(name: str) -> str:
    """Return a separator by its sign or its name. Raises SettingsError for any other text."""
    separator = next((sign for sign, called in SEPARATORS.items() if name.casefold() in {sign, called}), None)
    if separator is None:
        raise SettingsError(f"--separator is one of {', '.join(SEPARATORS.values())}.")
    return separator


def read_sheet(file: Path, needed: Sequence[str], how: Reading = AS_IT_IS) -> Sheet:
    """Read the table in a CSV file or a workbook. Raises SettingsError if it cannot be read, or in two ways.

    The table has at least one heading of `needed`, in any case of letters: this reveals the separator. A row with too
    many or too few cells is marked as wrong and does not stop the others.
    """
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise SettingsError(f"{file} cannot be read: {problem.strerror}.") from None
    if is_workbook(file.name, content):
        return tidy(str(file), *read_workbook(str(file), content, how.sheet))
    if how.sheet is not None:
        raise SettingsError(f"{file} is not a workbook, so it has no sheet {how.sheet!r}.")
    text, encoding = decoded(str(file), content, how.encoding)
    rows, separator = split_surely(str(file), text, needed, how.separator)
    notes = _notes_on_encoding(encoding, given=how.encoding is not None)
    if separator != ",":
        notes.append(f"The separator is a {SEPARATORS.get(separator, separator)}.")
    return tidy(str(file), rows, notes)


def _notes_on_encoding(encoding: str, *, given: bool) -> list[str]:
    if given:
        return [f"The encoding is {encoding}, as you said."]
    return {
        "utf-8": [],
        "utf-16": ["The encoding is UTF-16."],
    }.get(
        encoding,
        ["The encoding is Windows-1252 (Western Europe). If letters look wrong, name the right one: --encoding."],
    )


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet could take a text for a formula.

    It ignores leading blanks and control characters, and the width of the sign (OWASP, "CSV Injection").
    """
    import unicodedata  # noqa: PLC0415

    start = 0
    while start < len(text) and (text[start].isspace() or unicodedata.category(text[start])[0] in "CZ"):
        start += 1
    return text[:1] in {"\t", "\r", "\n"} or unicodedata.normalize("NFKC", text[start : start + 1]).startswith(_FORMULA)


def with_apostrophe(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula; `without_apostrophe` undoes it."""
    return "'" + text if looks_like_formula(text.lstrip("'")) else text


def without_apostrophe(text: str) -> str:
    """Return a text without the apostrophe that guards a formula."""
    return text[1:] if text.startswith("'") and looks_like_formula(text.lstrip("'")) else text


def tidy(name: str, rows: Sequence[SheetRow], notes: list[str]) -> Sheet:
    """Return the sheet without blank rows and columns; mark rows of another length as wrong."""
    filled = [SheetRow(row.line, [_blank_is_none(cell) for cell in row.cells], row.wrong) for row in rows]
    filled = [row for row in filled if any(cell is not None for cell in row.cells)]
    if not filled:
        return Sheet([], [], notes)
    head, *body = filled
    width = max(at for at, cell in enumerate(head.cells, start=1) if cell is not None)
    for at, cell in enumerate(head.cells[:width], start=1):
        if cell is None and any(len(row.cells) >= at and row.cells[at - 1] is not None for row in body):
            raise SettingsError(f"{name}: column {at} has values, but no heading in line {head.line}.")
    named = [at for at, cell in enumerate(head.cells[:width]) if cell is not None]
    return Sheet(
        [str(head.cells[at]).strip() for at in named], [_fitted(row, head, width, named) for row in body], notes
    )


def _fitted(row: SheetRow, head: SheetRow, width: int, named: Sequence[int]) -> SheetRow:
    """Return a row with one cell for each heading. Cells beyond the last heading must be blank."""
    filled = max((at for at, cell in enumerate(row.cells, start=1) if cell is not None), default=0)
    wrong = row.wrong
    if not wrong and (filled > width or len(row.cells) < width):
        number = max(filled, min(len(row.cells), width))
        wrong = f"the row has {counted(number, 'value')}, and line {head.line} has {counted(width, 'heading')}"
    return SheetRow(row.line, [row.cells[at] if at < len(row.cells) else None for at in named], wrong)


def _blank_is_none(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    return without_apostrophe(cell) if cell.strip(" \t\r\n\xa0\u202f\ufeff\u200b") else None


def amount(text: str, decimal: str | None = None) -> Decimal:
    """Parse a number with the signs of any country. Raises ValueError with the reason.

    >>> amount("1.234,50"), amount("85,5"), amount("1'234.50")
    (Decimal('1234.50'), Decimal('85.5'), Decimal('1234.50'))
    """
    bare = re.sub(r"[\s'\u2019]", "", text)
    if not re.fullmatch(r"[-+]?[0-9]+([.,][0-9]+)*", bare):
        raise ValueError("is not a number")
    signs = re.findall(r"[.,]", bare)
    if decimal is None and len(signs) == 1 and re.fullmatch(r"[-+]?[1-9][0-9]{0,2}[.,][0-9]{3}", bare):
        raise ValueError("can be read in two ways, with thousands or decimals: choose the decimal sign (--decimal)")
    sign = decimal or (signs[-1] if signs and signs.count(signs[-1]) == 1 else "")
    whole, _, rest = bare.partition(sign) if sign else (bare, "", "")
    if re.search(r"[.,]", rest) or not re.fullmatch(r"[-+]?([0-9]+|[0-9]{1,3}([.,])[0-9]{3}(\2[0-9]{3})*)", whole):
        raise ValueError("is not a number that can be read in only one way")
    return Decimal(re.sub(r"[.,]", "", whole) + (f".{rest}" if rest else ""))

"""Recognise how a file is to be read, without options: every guess can be changed, and the doubtful ones are named.

`read_sheet` is for commands: it reads nothing if there are two ways to read a file. Here a person sees the rows and
chooses, so there is always a first reading.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from flows.sheets.csv_text import SEPARATORS, Splits, decoded, heading, splits_of
from flows.sheets.spreadsheets import AS_IT_IS, Reading, Sheet, tidy
from flows.sheets.workbooks import SheetRow, check_width, is_workbook, open_workbook
from schemas.errors import SettingsError

MOST_BYTES: Final = 20_000_000
"""The most bytes of a file that is read."""
MOST_ROWS: Final = 100_000
"""The most rows of a file that is read."""
ENCODINGS: Final = {
    "utf-8": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252 (Western Europe)",
    "cp1250": "Windows-1250 (Central Europe)", "cp1251": "Windows-1251 (Cyrillic)", "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)", "iso8859-1": "ISO 8859-1 (Western Europe)", "mac-roman": "Mac OS Roman",
    "cp850": "DOS 850 (Western Europe)", "utf-16-le": "UTF-16, little end first",
    "utf-16-be": "UTF-16, big end first",
}  # fmt: skip
"""The encodings to choose from, with their names."""
FIRST_ROWS: Final = 20
"""The headings are looked for in so many rows."""
_READ: Final = MOST_ROWS + FIRST_ROWS + 1
"""So many rows of a CSV are read, and no more, to know that there are too many."""
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_COMMA = re.compile(r"[-+]?[0-9]{1,3}([.'\u2019\s]?[0-9]{3})*,([0-9]{1,2}|[0-9]{4,6})")
_POINT = re.compile(r"[-+]?[0-9]{1,3}([,'\u2019\s]?[0-9]{3})*\.([0-9]{1,2}|[0-9]{4,6})")
"""Amounts that can be read in only one way."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A file as it was read: its table, the complete options, and the names of its sheets if it is a workbook.

    `unsure` names the options that a person should look at: "separator", "encoding" or "sheet".
    """

    table: Sheet = field(repr=False)
    how: Reading
    sheets: Sequence[str] = field(default=(), repr=False)
    unsure: Collection[str] = ()


def recognise(name: str, content: bytes, how: Reading = AS_IT_IS, known: Collection[str] = ()) -> Recognised:
    """Read a file, and infer the options that a person has not chosen. `known` are headings that reveal its table.

    Raises SettingsError, with advice, for a file that is no table, empty, damaged, or too large.
    """
    _check_kind(name, content)
    if how.separator not in {None, *SEPARATORS}:
        raise SettingsError(f"There is no separator {how.separator!r} to choose.")
    if is_workbook(name, content):
        book = open_workbook(name, content, how.sheet)
        unsure = {"sheet"} if how.sheet is None and len(book.filled) > 1 else set[str]()
        options = replace(how, sheet=book.sheet, separator=None, encoding=None)
        rows, sheets = book.rows, book.sheets
    else:
        text, encoding, unsure = _text_of(name, content, how.encoding)
        splits = splits_of(text, how.separator, most=_READ)
        separator, doubtful = _separator_of(name, splits, known)
        rows, sheets = splits.tables[separator] or [], ()
        if len(rows) == _READ:  # the rest was not read
            raise SettingsError(f"{name} has more than {MOST_ROWS:,} rows: no more are read. Split it.")
        unsure |= {"separator"} if doubtful and how.separator is None else set()
        options = replace(how, sheet=None, separator=separator, encoding=encoding)
    head = _heading_line(rows, how.heading_line, known)
    table = _table_of(name, rows, head)
    decimal = how.decimal or _decimal_of(table)
    return Recognised(table, replace(options, heading_line=head, decimal=decimal), sheets, unsure)


def _check_kind(name: str, content: bytes) -> None:
    """Raises SettingsError for a file that is neither a workbook nor a CSV, and says how to save it."""
    if len(content) > MOST_BYTES:
        size = f"{len(content) / 1_000_000:,.1f} MB; at most {MOST_BYTES // 1_000_000} MB are read"
        raise SettingsError(f"{name} has {size}. Split it, or remove the columns that you do not need.")
    if not content.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise SettingsError(f"{name} is empty.")
    if content.startswith(_OLE):
        raise SettingsError(f"{name} is in the old format of Excel, or has a password: save it as .xlsx without one.")
    if content.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")):
        raise SettingsError(f"{name} is not a table: save the table as .xlsx or CSV.")
    if content.startswith(b"PK\x03\x04") and not _has_workbook(content):
        raise SettingsError(f"{name} is not an Excel workbook: open it, and save it as .xlsx or CSV.")


def _has_workbook(content: bytes) -> bool:
    """Whether a packed file has the parts of a workbook; True also if it is damaged, which opening it will report."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return any(part.startswith("xl/") for part in packed.namelist())
    except zipfile.BadZipFile:
        return True


def _text_of(name: str, content: bytes, encoding: str | None) -> tuple[str, str, set[str]]:
    """Return the text, its encoding, and "encoding" if it is only the likeliest."""
    if encoding is not None and encoding not in ENCODINGS:
        raise SettingsError(f"There is no encoding {encoding!r} to choose.")
    if encoding is None and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        even, odd = content[:2000:2].count(0), content[1:2000:2].count(0)
        if max(even, odd) > len(content[:2000]) // 4:  # every second byte of a Latin text in UTF-16 is NUL
            encoding = "utf-16-be" if even > odd else "utf-16-le"
    unsure = set[str]()
    try:
        text, used = decoded(name, content, encoding)
    except SettingsError:
        if encoding is not None:
            raise SettingsError(
                f"{name} is not in {ENCODINGS[encoding]}: some of its bytes are no letters there. Choose another."
            ) from None
        text, used = decoded(name, content, "iso8859-1")  # it has a letter for every byte
        unsure = {"encoding"}
    if "\0" in text:
        raise SettingsError(f"{name} is not a text in {ENCODINGS[used]}: save the table as .xlsx or CSV UTF-8.")
    return text, used, unsure


def _separator_of(name: str, splits: Splits, known: Collection[str]) -> tuple[str, bool]:
    """Return the likeliest separator, and whether another one also splits a row into known headings."""
    valid = {sign: rows for sign, rows in splits.tables.items() if rows is not None}
    marks = {sign: _mark(rows, known) for sign, rows in valid.items()}
    first_line = splits.text.partition("\n")[0]
    broken = any(sign in first_line for sign in splits.tables.keys() - valid.keys())
    if not valid or (broken and all(width == 1 for _, width in marks.values())):
        raise SettingsError(
            f"{name} is not a valid CSV: a quotation mark is not closed. Save it again as CSV UTF-8 or .xlsx."
        )
    best = max(marks, key=lambda sign: marks[sign])
    rivals = [sign for sign, (headings, width) in marks.items() if headings and width > 1 and sign != best]
    return best, bool(rivals)


def _mark(rows: Sequence[SheetRow], known: Collection[str]) -> tuple[int, int]:
    """Return how many headings are known, and in how many columns most rows agree; more than one column is needed."""
    first = rows[:FIRST_ROWS]
    lengths = [len(row.cells) for row in first if any(row.cells)]
    usual = max(set(lengths), key=lambda length: (lengths.count(length), length), default=0)
    return (max((_known_in(row, known) for row in first), default=0), usual) if usual > 1 else (0, usual)


def _known_in(row: SheetRow, known: Collection[str]) -> int:
    return len({heading(cell) for cell in row.cells if cell}.intersection(known)) if len(row.cells) > 1 else 0


def _heading_line(rows: Sequence[SheetRow], chosen: int | None, known: Collection[str]) -> int:
    """Return the line of the headings: the chosen one, else the row with most known headings, else the first full one.

    A title above the table has one cell.
    """
    filled = [row for row in rows if any(cell not in (None, "") for cell in row.cells)]
    if not filled:
        raise SettingsError("The table is empty.")
    if chosen is not None:
        if all(row.line != chosen for row in filled):
            raise SettingsError(f"Line {chosen:,} is blank, or behind the end: choose the line with the headings.")
        return chosen
    first = filled[:FIRST_ROWS]
    best = max(first, key=lambda row: _known_in(row, known))
    if _known_in(best, known):
        return best.line
    wide = (row.line for row in first if sum(cell not in (None, "") for cell in row.cells) > 1)
    return next(wide, first[0].line)


def _table_of(name: str, rows: Sequence[SheetRow], head: int) -> Sheet:
    """Return the table below a line of headings. Columns without a heading are called by their place."""
    kept = [row for row in rows if row.line >= head]
    if len(kept) > MOST_ROWS + 1:
        raise SettingsError(f"{name} has {len(kept) - 1:,} rows; at most {MOST_ROWS:,} are read. Split it.")
    filled = range(max((len(row.cells) for row in kept), default=0))
    width = max((at + 1 for at in filled if any(_has_value(row, at) for row in kept)), default=0)
    check_width(name, width)
    cells = list(kept[0].cells[:width]) + [None] * (width - len(kept[0].cells))
    named = [
        cell
        if str(cell or "").strip()
        else f"column {at}"
        if any(_has_value(row, at - 1) for row in kept[1:])
        else None
        for at, cell in enumerate(cells, start=1)
    ]
    return tidy(name, [SheetRow(head, named), *kept[1:]], [])


def _has_value(row: SheetRow, at: int) -> bool:
    return at < len(row.cells) and row.cells[at] not in (None, "")


def _decimal_of(table: Sheet) -> str | None:
    """Return the decimal sign, if the amounts of the table agree in it."""
    texts = [cell for row in table.rows for cell in row.cells if isinstance(cell, str)]
    signs = {sign for sign, form in ((",", _COMMA), (".", _POINT)) if _any(form, texts)}
    return signs.pop() if len(signs) == 1 else None


def _any(form: re.Pattern[str], texts: Iterable[str]) -> bool:
    return any(form.fullmatch(text.strip()) for text in texts)

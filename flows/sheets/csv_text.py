"""Decode the text of a CSV file, and split it into rows by each separator that it may have."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from flows.sheets.workbooks import SheetRow
from schemas.errors import SettingsError

SEPARATORS: Final[Mapping[str, str]] = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
WINDOWS: Final = "cp1252"
"""The encoding of Excel's "CSV" in Western Europe; other files are expected in UTF-8, or UTF-16 with its mark."""


@dataclass(frozen=True, slots=True)
class Splits:
    """The rows of a CSV by separator, None where they are not valid; `declared` is the separator its first line names.

    Excel obeys a first line such as `sep=;`.
    """

    text: str
    tables: Mapping[str, list[SheetRow] | None]
    declared: str | None = None

    def fitting(self, needed: Collection[str]) -> list[str]:
        """Return the separators that split the first row into a needed heading and at least one other."""
        return [sign for sign, rows in self.tables.items() if rows and has_heading(rows[0], needed)]


def decoded(name: str, content: bytes, encoding: str | None) -> tuple[str, str]:
    """Return the text of a CSV, and its encoding: the given one, else the one that fits."""
    if encoding is not None:
        try:
            return content.decode(encoding).removeprefix("\ufeff"), encoding
        except LookupError:
            raise SettingsError(f"There is no encoding {encoding!r}: try utf-8, windows-1252 or utf-16.") from None
        except UnicodeDecodeError as problem:
            where = f"byte {problem.start + 1}"
            raise SettingsError(f"{name} is not in {encoding} ({where}). Save it as CSV UTF-8.") from None
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _by(name, content, "utf-16"), "utf-16"
    try:
        return content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        return _by(name, content, WINDOWS), WINDOWS


def _by(name: str, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise SettingsError(
            f"{name} is neither in UTF-8 nor in Windows-1252: save it as CSV UTF-8, or name its --encoding."
        ) from None


def splits_of(text: str, separator: str | None, *, most: int | None = None) -> Splits:
    """Split a text by the given separator, else by the one that its first line declares, else by each known one.

    With `most`, each way stops after so many rows: every row takes a hundred times its bytes.
    """
    first, _, rest = text.partition("\n")
    sign = re.fullmatch(r"sep=(.)\r?", first, re.IGNORECASE)
    declared = sign[1] if sign else None
    body, skipped = (rest, 1) if declared else (text, 0)
    chosen = separator or declared
    candidates = [chosen] if chosen else list(SEPARATORS)
    return Splits(body, {candidate: _parsed(body, candidate, skipped, most) for candidate in candidates}, declared)


def split_surely(name: str, text: str, needed: Sequence[str], separator: str | None) -> tuple[list[SheetRow], str]:
    """Return the rows and the separator. Raises SettingsError if it is not clear which separator a CSV has."""
    splits = splits_of(text, separator)
    fitting = splits.fitting(needed)
    if len(fitting) > 1:
        names = " or ".join(SEPARATORS[sign] for sign in fitting)
        raise SettingsError(f"{name} can be read with a {names} between its cells: choose one with --separator.")
    if not fitting:
        raise SettingsError(_why_no_table(name, splits, needed))
    return splits.tables[fitting[0]] or [], fitting[0]


def _parsed(text: str, separator: str, skipped: int, most: int | None) -> list[SheetRow] | None:
    """Return the rows of a CSV with this separator, including blank rows; None if it is not a valid CSV."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows, line = [], 1 + skipped
    try:
        for cells in islice(reader, most):
            rows.append(SheetRow(line, cells))
            line = reader.line_num + 1 + skipped
    except csv.Error:
        return None
    return rows


def has_heading(row: SheetRow, needed: Collection[str]) -> bool:
    """Whether a row has a needed heading and at least one other cell."""
    return len(row.cells) > 1 and not {heading(cell) for cell in row.cells}.isdisjoint(needed)


def _why_no_table(name: str, splits: Splits, needed: Sequence[str]) -> str:
    first_line = splits.text.partition("\n")[0]
    broken = [separator for separator, rows in splits.tables.items() if rows is None]
    if any(has_heading(SheetRow(1, first_line.split(separator)), needed) for separator in broken):
        return f"{name} is not a valid CSV: a quotation mark is not closed. Save it again as CSV UTF-8 or .xlsx."
    first = [rows[0].cells for rows in splits.tables.values() if rows]
    headings = ", ".join(str(cell)[:30] for cell in max(first, key=len, default=[])[:8])
    return f"The first line of {name} has no heading {' or '.join(needed)}. It has: {headings or 'nothing'}."


def heading(text: object) -> str:
    """Return a heading in the form of field names: `Postal Code` becomes `postal_code`."""
    return re.sub(r"[\W_]+", "_", str(text or "").strip().casefold()).strip("_")

"""Read changes from a query, a file, a frame, or the outbox of the warehouse.

A row names a client by `id`, `number` or `id_number`, and has a column for each new value. A blank cell leaves the
value alone, unless the caller lets blanks clear it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flows.ask.ask import Result, ask
from flows.configuration.values import Settings
from flows.sheets.csv_text import heading
from flows.sheets.spreadsheets import AS_IT_IS, Reading, amount, read_sheet
from flows.sheets.workbooks import SheetRow
from schemas.entity import Kind
from schemas.errors import SettingsError
from schemas.server_form import NUMBERS, WRITABLE, Refused, writable
from warehouse.control.outbox import free_changes
from warehouse.engine.seam import Warehouse

if TYPE_CHECKING:
    import pyarrow as pa

KEYS: Final = ("id", "number", "id_number")
"""The columns that can name a client, the safest first."""
SOURCE: Final = "source"
MOST: Final = 100_000
"""The most rows of changes at once."""
NULL_WORDS: Final = ("null", "nan", "none", "nil", "n/a", "<na>", "(null)")
"""Texts that programs write for an absent value. They may also be names of people."""
HEADINGS: Final = {
    "country": "country_id", "shipping_country": "shipping_country_id", "currency": "currency_id",
    "currency_code": "currency_id", "language": "language_id", "industry": "industry_id", "size": "size_id",
    "group": "group_settings_id", "group_name": "group_settings_id",
    "address": "address1", "street": "address1", "zip": "postal_code", "zip_code": "postal_code",
    "postcode": "postal_code", "town": "city", "telephone": "phone", "vat": "vat_number", "vat_id": "vat_number",
    "hourly_rate": "default_task_rate",
}  # fmt: skip
"""Other headings of fields: those of `mart.clients` that hold the name of an id, and those that people give."""
_FLAGS: Final = {
    "wahr": "true", "falsch": "false", "vrai": "true", "faux": "false", "vero": "true", "falso": "false",
    "verdadero": "true", "verdadeiro": "true", "waar": "true", "onwaar": "false",
}  # fmt: skip
"""True and false as Excel writes them in German, French, Italian, Spanish, Portuguese and Dutch."""
_ERROR = re.compile(r"#(N/A|NV|DIV/0!|[A-ZÄÖÜÉ_]{2,}[!?])")
_SHORTENED = re.compile(r"[0-9]([.,][0-9]+)?E\+[0-9]{2,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class WishedRow:
    """One row: the client and the key that names it, the source if the row has one, and the new values.

    `wrong` maps each unreadable field to the reason; the field "" is the whole row. `typed` rows come from a
    spreadsheet, which may have dropped leading zeros.
    """

    place: str
    key: str
    client: str
    values: Mapping[str, object] = field(repr=False)
    source: str | None = None
    wrong: Mapping[str, str] = field(default_factory=dict)
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Headings:
    """The field of each column: the client's key, the columns with values, and notes on unusual headings."""

    key: str
    key_at: int
    source_at: int | None
    fields: Mapping[int, str]
    notes: Sequence[str]


def wishes_of_query(settings: Settings, sql: str, *, null_clears: bool = False) -> list[WishedRow]:
    """Return the changes from a query of the warehouse. Raises SettingsError if the query is wrong."""
    return wished_rows(ask(settings, sql), null_clears=null_clears)


def wishes_of_file(
    file: Path, *, null_clears: bool = False, how: Reading = AS_IT_IS
) -> tuple[list[WishedRow], list[str]]:
    """Return the changes in a spreadsheet (CSV, .xlsx) or a Parquet file, and notes on how the file was understood.

    Raises SettingsError for a file that is unreadable or ambiguous, or that has an unknown heading.
    """
    if file.suffix.lower() == ".parquet":
        return wished_rows(_parquet(file), null_clears=null_clears), []
    sheet = read_sheet(file, KEYS, how)
    headings = headings_of(sheet.columns)
    return wishes_of_rows(sheet.rows, headings, null_clears=null_clears, how=how), [*sheet.notes, *headings.notes]


def wishes_of_rows(
    rows: Sequence[SheetRow], headings: Headings, *, null_clears: bool = False, how: Reading = AS_IT_IS
) -> list[WishedRow]:
    """Return the changes in the rows of a spreadsheet, with unreadable values in `wrong`."""
    _check_number(len(rows))
    return [_typed_row(row.line, row.cells, row.wrong, headings, null_clears, how) for row in rows]


def wishes_of_frame(frame: object, *, null_clears: bool = False) -> list[WishedRow]:
    """Return the changes in a pandas DataFrame or an Arrow table; missing values are NULL."""
    import pyarrow as pa  # noqa: PLC0415 - for those who have a frame

    table = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False)
    return wished_rows(_of_table(table), null_clears=null_clears)


def wishes_of_outbox(
    warehouse: Warehouse, source: str, now: datetime
) -> tuple[list[WishedRow], dict[tuple[str, str], list[str]]]:
    """Return the changes in `control.outbox` that no plan has taken up, and the ids of all of them by client and field.

    If two changes set one value, the newer counts. Changes are free again if their plan expired or ended before it sent
    them. NULL clears a value. Planning refuses fields that cannot be written, one by one.
    """
    newest: dict[str, dict[str, object]] = {}
    wish_ids: dict[tuple[str, str], list[str]] = {}
    for wish_id, client, name, value in free_changes(warehouse, source, now):
        newest.setdefault(str(client), {})[str(name)] = value
        wish_ids.setdefault((str(client), str(name)), []).append(str(wish_id))
    return [WishedRow("outbox", "id", client, values, source) for client, values in newest.items()], wish_ids


def wished_rows(result: Result, *, null_clears: bool = False) -> list[WishedRow]:
    """Return the rows of a result as changes. Raises SettingsError for missing or unwritable columns."""
    headings = headings_of(result.columns)
    _check_number(len(result.rows))
    return [
        _row(f"row {number}", row, headings, {
            name: _plain(row[at]) for at, name in headings.fields.items() if null_clears or row[at] is not None
        })
        for number, row in enumerate(result.rows, start=1)
    ]  # fmt: skip


def headings_of(columns: Sequence[str]) -> Headings:
    """Return the field of each column: `City` is `city`, `country` is `country_id`. Raises SettingsError if unclear."""
    names = [field_of(column) for column in columns]
    notes = [
        f"The column {column!r} is the field {name}." for column, name in zip(columns, names, strict=True)
        if name != column.strip()
    ]  # fmt: skip
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled:
        raise SettingsError(f"Two columns have the same name, {doubled}: leave one out.")
    key = next((name for name in KEYS if name in names), None)
    if key is None:
        raise SettingsError(f"No column says which client is meant: {', '.join(KEYS)}.")
    source_at = names.index(SOURCE) if SOURCE in names else None
    fields = {at: name for at, name in enumerate(names) if name not in {key, SOURCE}}
    return checked_headings(key, names.index(key), fields, source_at, notes)


def checked_headings(
    key: str, key_at: int, fields: Mapping[int, str], source_at: int | None = None, notes: Sequence[str] = ()
) -> Headings:
    """Return the headings. Raises SettingsError if there is no column to write, or one that cannot be written."""
    if not fields:
        raise SettingsError(f"No column holds a value to write: add one, such as {', '.join(list(WRITABLE)[:4])}.")
    _check_columns(fields.values())
    return Headings(key, key_at, source_at, fields, notes)


def field_of(column: str) -> str:
    """Return the field that a heading names, or the heading itself if it is not known."""
    name = heading(column)
    if name in WRITABLE or name in KEYS or name == SOURCE:
        return name
    return HEADINGS.get(name, column.strip())


def _check_number(rows: int) -> None:
    if rows > MOST:
        raise SettingsError(f"There are {rows:,} rows; a plan takes at most {MOST:,}.")


def _row(place: str, row: Sequence[object], headings: Headings, values: Mapping[str, object]) -> WishedRow:
    client = "" if row[headings.key_at] is None else str(row[headings.key_at]).strip()
    source = None if headings.source_at is None else row[headings.source_at]
    return WishedRow(place, headings.key, client, values, None if source is None else str(source).strip())


def _typed_row(
    line: int, cells: Sequence[object], why: str, headings: Headings, null_clears: bool, how: Reading
) -> WishedRow:
    """Return a row of a spreadsheet, with its unreadable fields in `wrong`. The other fields still count."""
    values, wrong = {}, {"": why} if why else {}
    for at, name in headings.fields.items() if not why else ():
        try:
            value = _typed(name, cells[at], how)
        except ValueError as reason:
            wrong[name] = str(reason)
        else:
            if null_clears or value is not None:
                values[name] = value
    return replace(_row(place_of(line), cells, headings, values), wrong=wrong, typed=True)


def place_of(line: int) -> str:
    """Return the place of a row of a spreadsheet."""
    return f"line {line}"


def _typed(name: str, cell: object, how: Reading) -> object:
    """Return the value of a cell that a person typed. Raises ValueError with the reason if it is not clear."""
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if text.casefold() in NULL_WORDS and how.null_words != "text":
        if how.null_words == "blank":
            return None
        raise ValueError(
            f"says {text!r}: leave the cell blank, or choose with --null-words whether that is text or blank"
        )
    if _ERROR.fullmatch(text):
        raise ValueError("holds an error of the spreadsheet: correct the formula")
    if _SHORTENED.fullmatch(text):
        raise ValueError(
            "holds a number that the spreadsheet has shortened: format the column as text, and type it again"
        )
    if name in NUMBERS:
        return f"{amount(text, how.decimal):f}"
    if WRITABLE[name].kind is Kind.FLAG or name == "send_reminders":
        return _FLAGS.get(text.casefold(), text)
    return cell


def _check_columns(names: Iterable[str]) -> None:
    wrong = []
    for name in names:
        try:
            writable(name)
        except Refused as reason:
            wrong.append(f"{name} {reason}")
    if wrong:
        raise SettingsError(f"{'; '.join(sorted(wrong))}. Fields that can be written: {', '.join(_columns())}.")


def _columns() -> list[str]:
    return [name for name in WRITABLE if name not in {"settings", "e_invoice"}]


def _plain(value: object) -> object:
    """Return whole decimals, which SQL gives for sums and casts, as integers."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, float) and value.is_integer():  # pandas makes integers floats if one is missing
        return int(value)
    return value


def _parquet(file: Path) -> Result:
    import pyarrow as pa  # noqa: PLC0415 - for those who have such a file
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        return _of_table(pq.read_table(file))
    except pa.ArrowInvalid:
        raise SettingsError(f"{file} is not a Parquet file.") from None
    except OSError:
        raise SettingsError(f"{file} cannot be read.") from None


def _of_table(table: pa.Table) -> Result:
    return Result(table.column_names, list(zip(*(column.to_pylist() for column in table.columns), strict=True)))

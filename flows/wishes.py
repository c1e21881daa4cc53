"""Wishes: what somebody wants changed, from a query, a file, a frame, or the outbox of the warehouse.

A row names a client by `id` (else by `number`, else by `id_number`), and has a column for each value that is wanted.
An empty cell leaves the value alone, unless NULL is told to clear it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flows.ask import Result, ask
from flows.csv_export import FORMULA
from flows.settings import Settings
from schemas.errors import SettingsError
from schemas.server_form import WRITABLE, Refused, writable
from warehouse.engine import Warehouse
from warehouse.statements import statement

if TYPE_CHECKING:
    import pyarrow as pa

KEYS: Final = ("id", "number", "id_number")
"""What names a client, the surest first."""
SOURCE: Final = "source"
MOST: Final = 100_000
"""Rows of wishes at once."""


@dataclass(frozen=True, slots=True)
class WishedRow:
    """One row: by which key which client is meant, of which source if that is told, and the values wanted."""

    place: str
    key: str
    client: str
    values: Mapping[str, object] = field(repr=False)
    source: str | None = None


def wishes_of_query(settings: Settings, sql: str, *, null_clears: bool = False) -> list[WishedRow]:
    """The wishes that a query over the warehouse gives. Raises SettingsError where it is wrong."""
    return wished_rows(ask(settings, sql), null_clears=null_clears)


def wishes_of_file(file: Path, *, null_clears: bool = False) -> list[WishedRow]:
    """The wishes in a CSV (UTF-8, first line the columns) or Parquet file. Raises SettingsError where it is none.

    An apostrophe before what looks like a formula, as our own CSV has it, is taken off again.
    """
    if file.suffix.lower() == ".parquet":
        return wished_rows(_parquet(file), null_clears=null_clears)
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.reader(opened, strict=True))
    except OSError as problem:
        raise SettingsError(f"{file} cannot be read: {problem.strerror}.") from None
    except (csv.Error, UnicodeDecodeError):
        raise SettingsError(f"{file} is no CSV in UTF-8: export it again as such.") from None
    head, *body = rows or [[]]
    ragged = next((n for n, row in enumerate(body, start=2) if row and len(row) != len(head)), None)
    if ragged:
        raise SettingsError(f"{file}: line {ragged} has not as many cells as the first line.")
    cells = [[_cell(text) for text in row] for row in body if row]
    return wished_rows(Result(head, cells), null_clears=null_clears)


def wishes_of_frame(frame: object, *, null_clears: bool = False) -> list[WishedRow]:
    """The wishes in a pandas DataFrame or an Arrow table; missing values are NULL."""
    import pyarrow as pa  # noqa: PLC0415 - for those who have a frame

    table = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False)
    return wished_rows(_of_table(table), null_clears=null_clears)


def wishes_of_outbox(
    warehouse: Warehouse, source: str, now: datetime
) -> tuple[list[WishedRow], dict[tuple[str, str], list[str]]]:
    """The wishes in `control.outbox` that no plan has taken up; of two for one value, the newer.

    And the ids of all of them, by client and field.

    Those of a plan that expired or ended before they were sent are free again. NULL clears. A field that cannot be
    written is refused by the planning, by itself.
    """
    newest: dict[str, dict[str, object]] = {}
    wish_ids: dict[tuple[str, str], list[str]] = {}
    for wish_id, client, name, value in warehouse.rows(statement("read/outbox"), {"source": source, "now": now}):
        newest.setdefault(str(client), {})[str(name)] = value
        wish_ids.setdefault((str(client), str(name)), []).append(str(wish_id))
    return [WishedRow("outbox", "id", client, values, source) for client, values in newest.items()], wish_ids


def wished_rows(found: Result, *, null_clears: bool = False) -> list[WishedRow]:
    """The rows of a result as wishes. Raises SettingsError for columns that name no client or cannot be written."""
    columns = [name.strip() for name in found.columns]
    if len(set(columns)) < len(columns):
        raise SettingsError("Two columns have the same name.")
    key = next((name for name in KEYS if name in columns), None)
    if key is None:
        raise SettingsError(f"No column says which client is meant: {', '.join(KEYS)}.")
    wanted = [name for name in columns if name not in {key, SOURCE}]
    if not wanted:
        raise SettingsError(f"Nothing is wished for: add a column, such as {', '.join(list(WRITABLE)[:4])} ...")
    _check_columns(wanted)
    if len(found.rows) > MOST:
        raise SettingsError(f"These are {len(found.rows):,} rows; a plan takes {MOST:,} at the most.")
    return [
        _row(number, key, dict(zip(columns, row, strict=True)), wanted, null_clears) for number, row in _numbered(found)
    ]


def _row(number: int, key: str, row: Mapping[str, object], wanted: Sequence[str], null_clears: bool) -> WishedRow:
    values = {name: _plain(row[name]) for name in wanted if null_clears or row[name] is not None}
    source = row.get(SOURCE)
    client = "" if row[key] is None else str(row[key]).strip()
    return WishedRow(f"row {number}", key, client, values, None if source is None else str(source))


def _numbered(found: Result) -> Iterable[tuple[int, Sequence[object]]]:
    return enumerate(found.rows, start=1)


def _check_columns(names: Iterable[str]) -> None:
    wrong = []
    for name in names:
        try:
            writable(name)
        except Refused as reason:
            wrong.append(f"{name} {reason}")
    if wrong:
        raise SettingsError(f"{'; '.join(sorted(wrong))}. What can be written: {', '.join(_columns())}.")


def _columns() -> list[str]:
    return [name for name in WRITABLE if name not in {"settings", "e_invoice"}]


def _plain(value: object) -> object:
    """Whole decimals as whole numbers: SQL gives them for sums and casts."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, float) and value.is_integer():  # pandas has them where a whole number is missing
        return int(value)
    return value


def _cell(text: str) -> str | None:
    if text.startswith("'") and text[1:].startswith(FORMULA):
        return text[1:]
    return text or None


def _parquet(file: Path) -> Result:
    import pyarrow as pa  # noqa: PLC0415 - for those who have such a file
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        return _of_table(pq.read_table(file))
    except pa.ArrowInvalid:
        raise SettingsError(f"{file} is no Parquet file.") from None
    except OSError:
        raise SettingsError(f"{file} cannot be read.") from None


def _of_table(table: pa.Table) -> Result:
    return Result(table.column_names, list(zip(*(column.to_pylist() for column in table.columns), strict=True)))

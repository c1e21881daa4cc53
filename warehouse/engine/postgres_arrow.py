"""Arrow to and from Postgres: column types, COPY, and rows as record batches."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import psycopg

TYPES = {
    "bool": "boolean",
    "int16": "smallint",
    "int32": "integer",
    "int64": "bigint",
    "double": "double precision",
    "string": "text",
    "date32[day]": "date",
}
MONEY_DIGITS, PLACES = 38, 6
"""For a number whose precision Postgres does not report, such as a sum. More than six places are an error."""
END_OF_COPY = re.compile(rb'^"?\\\.', re.MULTILINE)
"""A line that begins with `\\.` would end a COPY of CSV before Postgres 18, even inside of quotes."""


def column_types(schema: Any) -> str:
    """Return the columns of an Arrow schema for `create table`."""
    return ", ".join(f'"{field.name}" {_sql_type(field.type)}' for field in schema)


def _sql_type(kind: Any) -> str:
    name = str(kind)
    if name.startswith("decimal128"):
        return f"numeric({kind.precision}, {kind.scale})"
    if name.startswith("timestamp"):
        return "timestamp with time zone" if kind.tz else "timestamp"
    return TYPES[name]


def copied(connection: psycopg.Connection[Any], table: str, batch: Any) -> None:
    """Append a batch to a table by COPY. In the CSV, NULL is an empty field and an empty text is `""`.

    Times are written without a zone, in a twentieth of the time: each of our transactions reads them as UTC.
    """
    import pyarrow as pa  # noqa: PLC0415 - loads import it, queries do not
    from pyarrow import csv  # noqa: PLC0415 - as above

    if not batch.num_rows:
        return
    if connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
        raise RuntimeError("Outside our transactions, COPY would read times in the session's time zone.")
    columns = ", ".join(f'"{name}"' for name in batch.schema.names)
    into = f"copy {table} ({columns}) from stdin"
    sink = io.BytesIO()
    plain = [array.cast("timestamp[us]") if pa.types.is_timestamp(array.type) else array for array in batch.columns]
    lines = pa.RecordBatch.from_arrays(plain, batch.schema.names)
    csv.write_csv(lines, sink, csv.WriteOptions(include_header=False, quoting_style="needed"))
    written = sink.getvalue()
    with connection.cursor() as cursor:
        if b"\\." in written and END_OF_COPY.search(written):  # the plain search first: it takes a tenth of the time
            with cursor.copy(into.encode()) as rows:
                for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    rows.write_row(row)
        else:
            with cursor.copy(f"{into} (format csv)".encode()) as text:
                text.write(written)


def arrow_schema(described: Sequence[psycopg.Column]) -> Any:
    """Return the Arrow schema of a result's columns."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    kinds = {
        16: pa.bool_(),
        20: pa.int64(),
        21: pa.int64(),
        23: pa.int64(),
        700: pa.float64(),
        701: pa.float64(),
        1082: pa.date32(),
        1114: pa.timestamp("us"),
        1184: pa.timestamp("us", tz="UTC"),
    }

    def kind(column: psycopg.Column) -> Any:
        if column.type_code == psycopg.adapters.types["numeric"].oid:
            if column.precision is None:
                return pa.decimal128(MONEY_DIGITS, PLACES)
            return pa.decimal128(column.precision, column.scale or 0)
        return kinds.get(column.type_code, pa.string())

    return pa.schema([(column.name, kind(column)) for column in described])


def record_batch(schema: Any, rows: Sequence[Sequence[object]]) -> Any:
    """Return rows as one batch. Raises pyarrow's error rather than round or cast a value."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)

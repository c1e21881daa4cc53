"""Rows as Arrow: one record batch per table and page, written as Arrow IPC. The only place that builds Arrow arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from schemas.arrow_types import staged_schema
from schemas.entity import Entity, Kind
from schemas.normalise import Row, Values

MICROSECONDS = 1_000_000


def staged_batch(entity: Entity, rows: Sequence[Row], *, first_arrival: int) -> pa.RecordBatch:
    """The batch of a parent's rows. Raises pyarrow's error rather than round or cast a value."""
    values = [(*row.values, row.row_hash, row.record, first_arrival + n) for n, row in enumerate(rows)]
    return _batch(entity, None, values)


def staged_children(entity: Entity, rows: Sequence[Row], place: int, *, first_arrival: int) -> pa.RecordBatch:
    """The batch of the children of one kind; each has its parent's id and arrival."""
    values = [(*child, row.id, first_arrival + n) for n, row in enumerate(rows) for child in row.children[place]]
    return _batch(entity.children[place], entity, values)


def arrow_files(entity: Entity, rows: Sequence[Row], *, first_arrival: int) -> Iterator[tuple[str, bytes]]:
    """The tables of a page as (table, Arrow IPC file); a table without rows has no file."""
    batches = [(entity.name, staged_batch(entity, rows, first_arrival=first_arrival))]
    for place, child in enumerate(entity.children):
        batches.append((child.name, staged_children(entity, rows, place, first_arrival=first_arrival)))
    for table, batch in batches:
        if batch.num_rows:
            sink = pa.BufferOutputStream()
            with pa.ipc.new_file(sink, batch.schema) as writer:
                writer.write_batch(batch)
            yield table, sink.getvalue().to_pybytes()


def read_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The batches of an Arrow IPC file."""
    with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def _batch(entity: Entity, parent: Entity | None, values: Sequence[Values]) -> pa.RecordBatch:
    schema = staged_schema(entity, parent)
    columns = list(zip(*values, strict=True)) if values else [()] * len(schema)
    times = {i for i, f in enumerate(entity.fields) if f.kind is Kind.TIME}
    arrays = [
        pa.array([None if v is None else v * MICROSECONDS for v in column] if i in times else column, field.type)
        for i, (column, field) in enumerate(zip(columns, schema, strict=True))
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)

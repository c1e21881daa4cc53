"""Rows as Arrow: a file of record batches for each table and page, written as Arrow IPC."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from schemas.arrow_types import staged_schema
from schemas.columns import Children, Columns
from schemas.entity import Entity
from schemas.normalise import Batch, TypedRow, Values
from warehouse.engine.without_pandas import leave_pandas_alone

leave_pandas_alone()

_PACKED = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
"""Staged pages take a quarter of the disk, and less time to write, to hash and to sync."""


def staged_batch(entity: Entity, rows: Sequence[TypedRow], *, first_arrival: int) -> pa.RecordBatch:
    """Return the batch of a parent's rows. Raises pyarrow's error rather than round or cast a value."""
    return _parents(entity, _columns_of(entity, rows), first_arrival)


def staged_children(entity: Entity, rows: Sequence[TypedRow], place: int, *, first_arrival: int) -> pa.RecordBatch:
    """Return the batch of one kind of children; each has its parent's id and arrival."""
    return _children(entity, _columns_of(entity, rows), place, first_arrival)


def arrow_files(entity: Entity, batch: Batch, *, first_arrival: int) -> Iterator[tuple[str, bytes]]:
    """Yield the tables of a page as (table, Arrow IPC file); skip tables without rows."""
    tables: dict[str, list[pa.RecordBatch]] = {}
    for rows_or_columns in batch.parts:
        part = _columns_of(entity, rows_or_columns) if isinstance(rows_or_columns, list) else rows_or_columns
        tables.setdefault(entity.name, []).append(_parents(entity, part, first_arrival))
        for place, child in enumerate(entity.children):
            if any(part.children[place].counts):
                tables.setdefault(child.name, []).append(_children(entity, part, place, first_arrival))
        first_arrival += len(part.ids)
    for name, parts in tables.items():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, parts[0].schema, options=_PACKED) as writer:
            for rows in parts:
                writer.write_batch(rows)
        yield name, sink.getvalue().to_pybytes()


def read_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Yield the batches of an Arrow IPC file."""
    with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def filtered(
    batches: Iterable[pa.RecordBatch], column: str, keeps: Callable[[Any], object]
) -> Iterator[pa.RecordBatch]:
    """Yield the rows that are kept by their value in a column; leave out batches without any."""
    for batch in batches:
        kept = [bool(keeps(value)) for value in batch.column(column).to_pylist()]
        if any(kept):
            yield batch if all(kept) else batch.filter(pa.array(kept, pa.bool_()))


def _columns_of(entity: Entity, rows: Sequence[TypedRow]) -> Columns:
    families = []
    for place, child in enumerate(entity.children):
        values = [values for row in rows for values in row.children[place]]
        families.append(Children(_turned(child, values), [len(row.children[place]) for row in rows]))
    values = [row.values for row in rows]
    return Columns(_turned(entity, values), [row.row_hash for row in rows], [row.record for row in rows], families)


def _turned(entity: Entity, rows: Sequence[Values]) -> Sequence[Sequence[object]]:
    return list(zip(*rows, strict=True)) or [()] * len(entity.fields)


def _parents(entity: Entity, part: Columns, first_arrival: int) -> pa.RecordBatch:
    more = [part.hashes, part.records, range(first_arrival, first_arrival + len(part.ids))]
    return _batch(staged_schema(entity, None), [*part.columns, *more])


def _children(entity: Entity, part: Columns, place: int, first_arrival: int) -> pa.RecordBatch:
    family = part.children[place]
    each = [number for number, count in enumerate(family.counts) for _ in range(count)]
    links: list[Sequence[object]] = [[part.ids[number] for number in each], [first_arrival + number for number in each]]
    return _batch(staged_schema(entity.children[place], entity), [*family.columns, *links])


def _batch(schema: pa.Schema, columns: Sequence[Sequence[object]]) -> pa.RecordBatch:
    arrays = [_array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(column: Sequence[object], kind: pa.DataType) -> pa.Array:
    """Return an Arrow array. Times arrive in whole seconds; the engines keep microseconds."""
    if pa.types.is_timestamp(kind):
        return pa.array(column, pa.timestamp("s", kind.tz)).cast(kind)
    return pa.array(column, kind)

"""Rows as Arrow: one record batch for each table and page, written as Arrow IPC."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path

import pyarrow as pa

from schemas.arrow_types import staged_schema
from schemas.entity import Entity
from schemas.erased import Erased
from schemas.normalise import TypedRow, Values


class _NoPandas(MetaPathFinder):
    """Makes `import pandas` fail."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:  # noqa: ARG002 - the import system's
        """Raise ImportError for pandas; leave every other module to the other finders."""
        if name == "pandas":
            raise ImportError(name)


def _leave_pandas_alone() -> None:
    """Have pyarrow look for pandas now, in vain: otherwise it would import it, a second and 60 MB for nothing.

    At the first `pa.array` of a list, pyarrow checks whether the list is pandas' own (_PandasAPIShim in
    pandas-shim.pxi). `to_pandas` checks again, so pandas still works in this process.
    """
    sys.meta_path.insert(0, finder := _NoPandas())
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(finder)


_leave_pandas_alone()


def staged_batch(entity: Entity, rows: Sequence[TypedRow], *, first_arrival: int) -> pa.RecordBatch:
    """Return the batch of a parent's rows. Raises pyarrow's error rather than round or cast a value."""
    more = [row.row_hash for row in rows], [row.record for row in rows], range(first_arrival, first_arrival + len(rows))
    return _batch(entity, None, [row.values for row in rows], more)


def staged_children(entity: Entity, rows: Sequence[TypedRow], place: int, *, first_arrival: int) -> pa.RecordBatch:
    """Return the batch of one kind of children; each has its parent's id and arrival."""
    links = [(row.id, first_arrival + n) for n, row in enumerate(rows) for _ in row.children[place]]
    values = [child for row in rows for child in row.children[place]]
    return _batch(entity.children[place], entity, values, list(zip(*links, strict=True)) or [(), ()])


def arrow_files(entity: Entity, rows: Sequence[TypedRow], *, first_arrival: int) -> Iterator[tuple[str, bytes]]:
    """Yield the tables of a page as (table, Arrow IPC file); skip tables without rows."""
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
    """Yield the batches of an Arrow IPC file."""
    with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def without_erased(
    batches: Iterable[pa.RecordBatch], column: str, erased: Erased, met: set[str]
) -> Iterator[pa.RecordBatch]:
    """Yield the batches without the rows of erased clients, by the ids in `column`; add their marks to `met`."""
    for batch in batches:
        ids = batch.column(column).to_pylist()
        kept = [not erased.has(client_id) for client_id in ids]
        met |= {erased.mark(client_id) for client_id, stays in zip(ids, kept, strict=True) if not stays}
        yield batch if all(kept) else batch.filter(pa.array(kept, pa.bool_()))


def _batch(
    entity: Entity, parent: Entity | None, values: Sequence[Values], more: Iterable[Sequence[object]]
) -> pa.RecordBatch:
    """Return the batch of these values, with the columns that link and order them."""
    schema = staged_schema(entity, parent)
    columns = list(zip(*values, strict=True)) or [()] * len(entity.fields)
    arrays = [_array(column, field.type) for column, field in zip([*columns, *more], schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(column: Sequence[object], kind: pa.DataType) -> pa.Array:
    """Return an Arrow array. Times arrive in whole seconds; the engines keep microseconds."""
    if pa.types.is_timestamp(kind):
        return pa.array(column, pa.timestamp("s", kind.tz)).cast(kind)
    return pa.array(column, kind)

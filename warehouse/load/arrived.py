"""The rows of staged pages on their way into the mirror: brief ones to compare, whole ones to insert.

A brief row says which record it is and which version: a digest stands for the record. To compare a million records, an
engine needs no more than that, so a full pull of an unchanged mirror moves little and writes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise

import pyarrow as pa

from schemas.arrow_types import staged_schema
from schemas.entity import Entity
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement
from warehouse.load.arrow_files import filtered
from warehouse.load.staging import Staging
from warehouse.schema.archive import stamp_of

LINE = pa.field("line", pa.int64(), nullable=False)
"""Numbers the staged rows of a table, as one record may list a child twice."""
DIGEST = pa.field("digest", pa.string(), nullable=False)
Batches = Iterator[pa.RecordBatch]


def stage_brief(
    warehouse: Warehouse, staging: Staging, entity: Entity, left_out: Collection[int], *, compared: bool
) -> None:
    """Create the temporary tables `arrived_*` of a load. Without `compared`, the mirror has nothing to compare with."""
    kept, more = ["id", "updated_at", "arrival"], ["row_hash"] if compared else []
    schema = pa.schema([*_fields(entity, None, kept + more), *([DIGEST] if compared else [])])
    whole = staging.batches(entity.name, left_out)
    warehouse.stage(f"arrived_{entity.name}", schema, (_brief(batch, schema) for batch in whole))
    for child in entity.children:
        schema = pa.schema([*_fields(child, entity, [*kept, entity.parent_column]), LINE])
        whole = _numbered(staging, child, left_out)
        warehouse.stage(f"arrived_{child.name}", schema, (batch.select(schema.names) for batch in whole))


def stage_changed(warehouse: Warehouse, staging: Staging, entity: Entity, left_out: Collection[int]) -> None:
    """Create the temporary tables `stage_*` with the whole rows of the records that are new or changed."""
    found = warehouse.streamed("select arrival from accepted where outcome <> 'unchanged'")
    changed = bytearray(staging.records)  # a byte for each record: a set of a million numbers takes 90 MB
    for batch in found:
        for arrival in batch.column("arrival").to_pylist():
            changed[arrival] = True
    for table, parent in ((entity, None), *((child, entity) for child in entity.children)):
        whole = staging.batches(table.name, left_out)
        warehouse.stage(
            f"stage_{table.name}", staged_schema(table, parent), filtered(whole, "arrival", changed.__getitem__)
        )


def append_all(
    warehouse: Warehouse,
    staging: Staging,
    entity: Entity,
    left_out: Collection[int],
    *,
    ours: Mapping[str, object],
    version: Mapping[str, object],
) -> None:
    """Append the newest version of every record, with its children, to tables that have no rows of this source.

    `ours` are the columns that every row gets, `version` those of every record. No engine joins or holds whole rows for
    that: only the few to leave out are asked for.
    """
    outdated = {arrival for (arrival,) in warehouse.rows(statement("load/outdated").format(entity=entity.name))}
    whole = _without(staging.batches(entity.name, left_out), "arrival", outdated)
    _append(warehouse, entity, None, whole, {**version, **ours})
    for child in entity.children:
        listed = statement("load/listed_twice").format(child=child.name, stamp=stamp_of(child))
        twice = {line for (line,) in warehouse.rows(listed)}
        whole = _without(_numbered(staging, child, left_out), "arrival", outdated)
        _append(warehouse, child, entity, _without(whole, "line", twice), ours)


def _append(
    warehouse: Warehouse, table: Entity, parent: Entity | None, batches: Batches, constant: Mapping[str, object]
) -> None:
    kept = [field for field in staged_schema(table, parent) if field.name != "arrival"]
    values = {name: pa.scalar(value) for name, value in constant.items()}
    schema = pa.schema([*kept, *(pa.field(name, value.type) for name, value in values.items())])

    def filled() -> Batches:
        for batch in batches:
            columns = [batch.column(field.name) for field in kept]
            columns += [pa.repeat(value, batch.num_rows) for value in values.values()]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    warehouse.append(f"ninja.{table.name}", schema, filled())


def _fields(table: Entity, parent: Entity | None, names: Collection[str]) -> list[pa.Field]:
    whole = staged_schema(table, parent)
    return [whole.field(name) for name in names if name in whole.names]


def _brief(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = [batch.column(name) for name in schema.names if name != DIGEST.name]
    if DIGEST.name in schema.names:
        columns.append(_digests(batch.column("record")))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _digests(texts: pa.Array) -> pa.Array:
    """Return the SHA-256 of each text, in hexadecimal digits, without making Python texts of them."""
    _, ends, content = texts.buffers()
    if not len(texts):
        return pa.array([], pa.string())
    places = memoryview(ends).cast("i")[texts.offset : texts.offset + len(texts) + 1].tolist()
    content = memoryview(content)
    found = [hashlib.sha256(content[first:last]).hexdigest() for first, last in pairwise(places)]
    return pa.array(found, pa.string())


def _numbered(staging: Staging, child: Entity, left_out: Collection[int]) -> Batches:
    """Yield the staged batches of a child with LINE; both readings number the rows alike."""
    first = 0
    for batch in staging.batches(child.name, left_out):
        lines = pa.array(range(first, first + batch.num_rows), LINE.type)
        first += batch.num_rows
        yield pa.RecordBatch.from_arrays([*batch.columns, lines], schema=batch.schema.append(LINE))


def _without(batches: Batches, column: str, left_out: Collection[object]) -> Batches:
    return filtered(batches, column, lambda value: value not in left_out) if left_out else batches

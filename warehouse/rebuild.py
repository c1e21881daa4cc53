"""Building the mirror anew from the records it keeps: after an upgrade with other columns, without the server."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pyarrow as pa

from schemas.arrow_types import staged_schema
from schemas.entity import Entity
from schemas.normalise import normalise
from warehouse.arrow_files import staged_batch, staged_children
from warehouse.duckdb_engine import Warehouse
from warehouse.statements import statement
from warehouse.tables import columns, create_table, mirrored, outdated

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
CHUNK = 5000


def rebuild(warehouse: Warehouse) -> None:
    """Give every outdated table its columns of this version, and its rows from the records. Call in a transaction."""
    stale = set(outdated(warehouse))
    for entity, parent in mirrored():
        if parent is None and stale & {entity.name, *(child.name for child in entity.children)}:
            _rebuild(warehouse, entity)


def _rebuild(warehouse: Warehouse, entity: Entity) -> None:
    tables = [(entity, None), *((child, entity) for child in entity.children)]
    warehouse.execute(statement("load/keep_records").format(entity=entity.name))
    for table, parent in tables:
        warehouse.execute(f"drop table if exists ninja.{table.name}")
        warehouse.execute(create_table(table, parent))
    ((count,),) = warehouse.rows("select count(*) from kept")
    for first in range(0, int(str(count)), CHUNK):
        _insert(warehouse, entity, first)
    warehouse.execute("drop table kept")


def _insert(warehouse: Warehouse, entity: Entity, first: int) -> None:
    """Put back one chunk. A record that no longer fits stops the upgrade: nothing is dropped for it."""
    kept = warehouse.rows(statement("load/kept_records"), {"first": first, "last": first + CHUNK})
    batch = normalise(entity, [_DECODER.decode(str(record)) for _, _, record in kept])
    if batch.quarantined:
        raise ValueError(f"{batch.quarantined[0]} (in a record that an earlier version stored)")
    tables: list[tuple[Entity, Entity | None, pa.RecordBatch]] = [
        (entity, None, staged_batch(entity, batch.rows, first_arrival=first))
    ]
    for place, child in enumerate(entity.children):
        tables.append((child, entity, staged_children(entity, batch.rows, place, first_arrival=first)))
    for table, parent, rows in tables:
        warehouse.stage(f"stage_{table.name}", staged_schema(table, parent), iter([rows]))
        names = list(columns(table, parent))
        selected = [f"kept.{n}" if n in ("source", "run_id") else f"s.{n}" for n in names]
        text = statement("load/put_back").format(
            entity=table.name, columns=", ".join(names), selected=", ".join(selected)
        )
        warehouse.execute(text)
        warehouse.execute(f"drop table stage_{table.name}")

"""Rebuild the mirror from its own records after an upgrade changed its columns, without asking the server.

A record that this version cannot read goes into quarantine, as it would coming from the server. The others go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

import msgspec
import pyarrow as pa
import sqlalchemy as sa

from schemas.arrow_types import staged_schema
from schemas.entity import Entity
from schemas.errors import WarehouseError
from schemas.normalise import TypedRow, normalise
from warehouse.control.state import record_quarantine
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement
from warehouse.load.arrow_files import staged_batch, staged_children
from warehouse.schema.archive import stamp_of
from warehouse.schema.mirror import VERSION_COLUMNS, arriving, columns, mirrored
from warehouse.schema.tables import create_table, definition, mirror

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
CHUNK = 5000


def rebuild(warehouse: Warehouse) -> None:
    """Give every table this version's columns, and its rows again from the records. Call it in a transaction."""
    tables = mirror().tables
    for entity, parent in mirrored():
        if parent is None:
            _rebuild(warehouse, entity, {part.name: tables[f"ninja.{part.name}"] for part, _ in _family(entity)})


def _rebuild(warehouse: Warehouse, entity: Entity, tables: Mapping[str, sa.Table]) -> None:
    _keep(warehouse, entity)
    for child in entity.children:
        names = {"child": child.name, "parent": entity.parent_column}
        warehouse.execute(statement("rebuild/keep_places").format(**names))
        warehouse.execute(f"create temp table found_{child.name} {definition(tables[child.name])}")
    for table in tables.values():
        warehouse.execute(f"drop table {table.fullname}")
        create_table(warehouse, table)
    ((count,),) = warehouse.rows("select count(*) from kept")
    for first in range(0, int(str(count)), CHUNK):
        _put_back(warehouse, entity, first)
    warehouse.execute("drop table kept")
    for child in entity.children:
        _choose_places(warehouse, child, entity)
    for part, _ in _family(entity):
        _assert_single(warehouse, part)


def _keep(warehouse: Warehouse, entity: Entity) -> None:
    """Set the records aside, with the columns that no record holds: the source, the run, the version."""
    how = "keep_records" if not entity.historic or _knows_versions(warehouse, entity) else "keep_undated_records"
    warehouse.execute(statement(f"rebuild/{how}").format(entity=entity.name, kept=", ".join(_beside(entity))))


def _knows_versions(warehouse: Warehouse, entity: Entity) -> bool:
    rows = warehouse.rows(
        "select column_name from information_schema.columns where table_schema = 'ninja' and table_name = $name",
        {"name": entity.name},
    )
    return {(name,) for name in VERSION_COLUMNS} <= set(rows)


def _beside(entity: Entity) -> list[str]:
    """Return the columns to keep, because no record holds them."""
    return ["source", "run_id", *(VERSION_COLUMNS if entity.historic else ())]


def _family(entity: Entity) -> Iterator[tuple[Entity, Entity | None]]:
    """Yield an entity and its children, each with its parent."""
    yield entity, None
    for child in entity.children:
        yield child, entity


def _put_back(warehouse: Warehouse, entity: Entity, first: int) -> None:
    """Insert one chunk of records again; set their children aside until each one's parent is chosen."""
    rows, places = _read(warehouse, entity, first)
    _insert(
        warehouse, entity, None, f"ninja.{entity.name}", _placed(staged_batch(entity, rows, first_arrival=0), places)
    )
    for number, child in enumerate(entity.children):
        children = staged_children(entity, rows, number, first_arrival=0)
        _insert(warehouse, child, entity, f"found_{child.name}", _placed(children, places))


def _read(warehouse: Warehouse, entity: Entity, first: int) -> tuple[list[TypedRow], list[int]]:
    """Return the rows of one chunk of records, and the place of each."""
    rows, places = [], []
    kept = warehouse.rows(statement("rebuild/kept_records"), {"first": first, "last": first + CHUNK})
    for place, (source, run_id, record) in enumerate(kept, start=first):
        batch = normalise(entity, [_DECODER.decode(str(record))])
        if batch.rows:
            rows.append(batch.rows[0])
            places.append(place)
        record_quarantine(warehouse, str(source), str(run_id), batch.quarantined)
    return rows, places


def _placed(batch: pa.RecordBatch, places: list[int]) -> pa.RecordBatch:
    """Return the batch with the places of the kept records as arrivals: arrivals count only the valid records."""
    at = batch.schema.get_field_index("arrival")
    return batch.set_column(at, batch.schema.field(at), pa.array(places, pa.int64()).take(batch.column(at)))


def _insert(warehouse: Warehouse, entity: Entity, parent: Entity | None, into: str, rows: pa.RecordBatch) -> None:
    warehouse.stage(f"stage_{entity.name}", staged_schema(entity, parent), iter([rows]))
    names = list(columns(entity, parent))
    kept = _beside(entity)
    selected = [f"kept.{name}" if name in kept else staged for name, staged in arriving(entity, parent).items()]
    filled = {"into": into, "entity": entity.name, "columns": ", ".join(names), "selected": ", ".join(selected)}
    warehouse.execute(statement("rebuild/put_back").format(**filled))
    warehouse.execute(f"drop table stage_{entity.name}")


def _choose_places(warehouse: Warehouse, child: Entity, parent: Entity) -> None:
    names = {"child": child.name, "parent": parent.parent_column, "columns": ", ".join(columns(child, parent))}
    names["stamp"] = stamp_of(child)
    warehouse.execute(statement("rebuild/choose_places").format(**names))
    for table in ("found", "places"):
        warehouse.execute(f"drop table {table}_{child.name}")


def _assert_single(warehouse: Warehouse, entity: Entity) -> None:
    ((doubled,),) = warehouse.rows(statement("rebuild/doubled").format(entity=entity.name))
    if doubled:
        raise WarehouseError(
            f"{doubled} ids of {entity.name} would be in the warehouse twice after the upgrade; nothing was changed."
        )

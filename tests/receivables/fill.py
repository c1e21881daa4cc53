"""Put records as the server sends them into the mirror's tables, without a run."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.arrow_types import staged_schema
from schemas.entity import Entity
from schemas.normalise import TypedRow, normalise
from tests.records import MOMENT
from warehouse.engine.seam import Warehouse
from warehouse.load.arrow_files import staged_batch, staged_children
from warehouse.schema.mirror import VERSION_COLUMNS, arriving


def fill(warehouse: Warehouse, entity: Entity, records: Sequence[object], source: str = "main") -> None:
    """Add records and their children to the tables of an entity."""
    batch = normalise(entity, records)
    assert not batch.quarantined
    put(warehouse, entity, batch.rows, source)


def put(warehouse: Warehouse, entity: Entity, rows: Sequence[TypedRow], source: str = "main") -> None:
    """Add typed rows and their children to the tables of an entity."""
    with warehouse.transaction():
        _insert(warehouse, entity, None, staged_batch(entity, rows, first_arrival=0), source)
        for place, child in enumerate(entity.children):
            _insert(warehouse, child, entity, staged_children(entity, rows, place, first_arrival=0), source)


def _insert(warehouse: Warehouse, entity: Entity, parent: Entity | None, rows: object, source: str) -> None:
    warehouse.stage(f"filled_{entity.name}", staged_schema(entity, parent), iter([rows]))
    ours = {"source": "$source", "run_id": "'filled'"} | dict.fromkeys(VERSION_COLUMNS, "$now")
    ours["observed_run_id"] = "'filled'"
    selected = {name: ours.get(name, value) for name, value in arriving(entity, parent).items()}
    warehouse.execute(
        f"insert into ninja.{entity.name} ({', '.join(selected)}) "
        f"select {', '.join(selected.values())} from filled_{entity.name} as s",
        {"source": source, "now": MOMENT},
    )
    warehouse.execute(f"drop table filled_{entity.name}")

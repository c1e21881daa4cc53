"""Temporary tables for the questions about records that the server no longer lists."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from schemas.entities import CLIENTS, CONTACTS
from schemas.entity import Entity
from schemas.vanished import Vanished
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement
from warehouse.load.staging import Staging

if TYPE_CHECKING:
    import pyarrow as pa

NARROW = {
    "clients": ["id", "balance", "is_deleted", "row_hash", "updated_at", "arrival"],
    "contacts": ["id", CLIENTS.parent_column, "updated_at", "arrival"],
}
"""The staged columns that the search for missing clients needs."""


def seen_tables(warehouse: Warehouse, staging: Staging | None) -> dict[str, str]:
    """Return the names of temporary tables with the columns NARROW of the staged pages; read each staging once."""
    identity = repr((str(staging.folder), staging.began, len(staging.pages)) if staging else None)
    mark = hashlib.sha256(identity.encode()).hexdigest()[:16]
    names = {name: f"seen_{name}_{mark}" for name in NARROW}
    if not _is_there(warehouse, names["contacts"]):
        for name, kept in NARROW.items():
            entity = CLIENTS if name == CLIENTS.name else CONTACTS
            stage_columns(warehouse, f"narrow_{name}", entity, kept, staging)
        for step in ("newest_clients", "newest_contacts"):
            warehouse.execute(statement(f"vanished/{step}").format(**names))
        for name in NARROW:
            warehouse.execute(f"drop table narrow_{name}")
    return names


def growth_table(warehouse: Warehouse, staging: Staging | None, source: str) -> str:
    """Return the name of the table of all clients with their growth; create it once for each staging and source."""
    seen = seen_tables(warehouse, staging)
    name = f"growth_{hashlib.sha256(repr((seen, source)).encode()).hexdigest()[:16]}"
    if not _is_there(warehouse, name):
        warehouse.execute(statement("vanished/growth").format(growth=name, **seen), {"source": source})
    return name


def _is_there(warehouse: Warehouse, table: str) -> bool:
    return bool(warehouse.rows("select 1 from information_schema.tables where table_name = $table", {"table": table}))


def stage_columns(
    warehouse: Warehouse, name: str, entity: Entity, kept: Sequence[str], staging: Staging | None
) -> None:
    """Create a temporary table of some columns of the staged rows of a table."""
    import pyarrow as pa  # noqa: PLC0415 - an idle pull saves 0.3 s

    from schemas.arrow_types import staged_schema  # noqa: PLC0415 - as above

    whole = staged_schema(entity, CLIENTS if entity is CONTACTS else None)
    batches = staging.batches(entity.name) if staging else iter(())
    warehouse.stage(
        name, pa.schema([whole.field(column) for column in kept]), (batch.select(kept) for batch in batches)
    )


def stage_ids(warehouse: Warehouse, name: str, ids: Collection[str], batches: Iterable[pa.RecordBatch] = ()) -> None:
    """Create a temporary table of the ids and of the ids in the batches."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    schema = pa.schema([("id", pa.string())])

    def arriving() -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_arrays([pa.array(sorted(ids), pa.string())], schema=schema)
        for batch in batches:
            yield pa.RecordBatch.from_arrays([batch.column("id")], schema=schema)

    warehouse.stage(name, schema, arriving())


def stage_vanished(warehouse: Warehouse, vanished: Iterable[Vanished]) -> None:
    """Create the temporary table `stage_vanished` of records to remove, with their fates."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    schema = pa.schema([(name, pa.string()) for name in ("id", "kind", "into_id", "evidence")])
    rows = [{"id": v.id, "kind": v.kind, "into_id": v.into, "evidence": v.evidence} for v in vanished]
    warehouse.stage("stage_vanished", schema, iter([pa.RecordBatch.from_pylist(rows, schema)]))

"""The typed mirror: the tables of the schema `ninja`, derived from the entities' fields.

Every key starts with `source`, the configured name of one company on one server, because hashed ids repeat between
servers. On DuckDB these wide tables have no primary-key index, which would cost more than it gains. The load checks in
its transaction that ids are unique.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from schemas.entities import ACTIVITIES, COMPANIES, GROUPS, LOOKUPS, PULLED
from schemas.entity import Entity, Kind
from schemas.errors import WarehouseError
from warehouse.engine.seam import POSTGRES, Warehouse

MIRROR_VERSION = 5
MIRROR_FINGERPRINT = "874e36349937d124"
"""Raise the version and note the new fingerprint when you change a column or how it is read. An older version of Ninja
Sync then refuses the warehouse instead of rebuilding it in its own way. A test compares the fingerprint.
"""

SQL_TYPES = {
    Kind.TEXT: "varchar",
    Kind.LINK: "varchar",
    Kind.MAIL: "varchar",
    Kind.SETTING: "varchar",
    Kind.MONEY: "decimal(20, 6)",
    Kind.TIME: "timestamp with time zone",
    Kind.FLAG: "boolean",
    Kind.COUNT: "bigint",
    Kind.JSON: "json",
    Kind.DATE: "date",
    Kind.NUMBER: "decimal(20, 6)",
}


VERSION_COLUMNS = {
    "valid_from": "timestamp with time zone not null",
    "observed_at": "timestamp with time zone not null",
    "observed_run_id": "varchar not null",
}
"""The columns of a historic entity's version: valid since, first seen at (server's clock), first seen by which run.
`run_id` is the run that stored the row; a later run may only have touched the record.
"""


def mirrored() -> Iterator[tuple[Entity, Entity | None]]:
    """Yield every entity that has a table, with its parent."""
    for entity in (*PULLED.values(), GROUPS, COMPANIES, ACTIVITIES, *LOOKUPS):
        yield entity, None
        for child in entity.children:
            yield child, entity


def columns(entity: Entity, parent: Entity | None) -> dict[str, str]:
    """Return the columns of an entity's table with their SQL types, in order."""
    types = {"source": "varchar not null"}
    if parent is not None:
        types[parent.parent_column] = "varchar not null"
    types |= {f.name: SQL_TYPES[f.kind] + (" not null" if f.vital else "") for f in entity.fields}
    if parent is None:
        types |= {"row_hash": "varchar not null", "record": "json not null"}
    if entity.historic:
        types |= VERSION_COLUMNS
    types["run_id"] = "varchar not null"
    return types


def arriving(entity: Entity, parent: Entity | None) -> dict[str, str]:
    """Map each column of an entity's table to its expression over the staged rows `s`, where JSON is text."""
    return {
        name: f"cast(s.{name} as json)" if kind.startswith("json") else f"s.{name}"
        for name, kind in columns(entity, parent).items()
    }


def definition(entity: Entity, parent: Entity | None) -> str:
    """Return the columns of an entity's table for `create table`."""
    return _listed(columns(entity, parent))


def _listed(kinds: Mapping[str, str]) -> str:
    return "(" + ", ".join(f"{name} {kind}" for name, kind in kinds.items()) + ")"


def create_table(warehouse: Warehouse, entity: Entity, parent: Entity | None) -> None:
    """Create an entity's table, if it is missing.

    On DuckDB the records are compressed with zstd. Left to itself, DuckDB stores them in four times the space and
    writes them more slowly. The fingerprint does not count this: an older table stays as it is until it is rebuilt.
    """
    kinds = columns(entity, parent)
    if warehouse.engine != POSTGRES and "record" in kinds:
        kinds["record"] += " using compression zstd"
    warehouse.execute(f"create table if not exists ninja.{entity.name} {_listed(kinds)}")


def create_mirror(warehouse: Warehouse) -> None:
    """Create the missing tables of the mirror."""
    for entity, parent in mirrored():
        create_table(warehouse, entity, parent)


def create_indexes(warehouse: Warehouse) -> None:
    """Create the indexes for Postgres: the keys of the mirror, its children by parent, the history by client.

    A pull counts the records by their stamps: those since the last pull, and all of them.
    """
    for entity, parent in mirrored():
        key = "source, id" if "id" in columns(entity, parent) else "source"
        warehouse.execute(f"create unique index if not exists {entity.name}_key on ninja.{entity.name} ({key})")
        if parent is not None:
            by = f"source, {parent.parent_column}"
            warehouse.execute(f"create index if not exists {entity.name}_by_parent on ninja.{entity.name} ({by})")
    for entity in PULLED.values():
        table = entity.name
        warehouse.execute(f"create index if not exists {table}_by_stamp on ninja.{table} (source, updated_at)")
        if entity.client_column == "client_id":
            warehouse.execute(f"create index if not exists {table}_by_client on ninja.{table} (source, client_id)")
    open_only = "on ninja.invoices (source, client_id) where balance <> 0"  # a few of many: ageing reads only these
    warehouse.execute(f"create index if not exists invoices_open {open_only}")
    for of in ("invoice", "credit"):
        on = f"on ninja.payment_applications (source, {of}_id)"
        warehouse.execute(f"create index if not exists payment_applications_by_{of} {on}")
    for table in ("client_versions", "client_changes", "redirects", "quarantine"):
        warehouse.execute(f"create index if not exists {table}_by_id on control.{table} (source, id)")
    for table in ("record_versions", "record_changes", "vanished_records"):
        warehouse.execute(f"create index if not exists {table}_by_id on control.{table} (source, entity, id)")


def mirror_is_current(warehouse: Warehouse) -> bool:
    """Whether the tables are this version's. Raises WarehouseError if a newer version made them."""
    made = warehouse.rows("select version, fingerprint from control.mirror")
    if made and int(str(made[0][0])) > MIRROR_VERSION:
        raise WarehouseError(
            f"The tables of {warehouse.shown} were made by a newer version of Ninja Sync: upgrade, or name another "
            "warehouse."
        )
    return made == [(MIRROR_VERSION, fingerprint())]


def remember_mirror(warehouse: Warehouse) -> None:
    """Note that the tables are this version's."""
    values = {"version": MIRROR_VERSION, "fingerprint": fingerprint()}
    warehouse.execute("delete from control.mirror")
    warehouse.execute("insert into control.mirror values ($version, $fingerprint)", values)


def fingerprint() -> str:
    """Return 16 hex digits over the names of all tables and their columns, types and order of columns."""
    tables = [(entity.name, definition(entity, parent)) for entity, parent in mirrored()]
    return hashlib.sha256(repr(tables).encode()).hexdigest()[:16]

"""The typed mirror: the tables of the schema `ninja`, made from the entities' fields.

Every primary key starts with `source`, the configured name of one company on one server: hashed ids repeat between
servers. DuckDB gets no primary-key index on these wide tables (it costs more than it gives); the load asserts
uniqueness inside its transaction instead.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.entities import CLIENTS, COMPANIES, GROUPS, LOOKUPS
from schemas.entity import Entity, Kind
from warehouse.duckdb_engine import Warehouse

SQL_TYPES = {
    Kind.TEXT: "varchar",
    Kind.MAIL: "varchar",
    Kind.SETTING: "varchar",
    Kind.MONEY: "decimal(20, 6)",
    Kind.TIME: "timestamp with time zone",
    Kind.FLAG: "boolean",
    Kind.COUNT: "bigint",
    Kind.JSON: "json",
}


def mirrored() -> Iterator[tuple[Entity, Entity | None]]:
    """Every entity that has a table, with its parent."""
    for entity in (CLIENTS, GROUPS, COMPANIES, *LOOKUPS):
        yield entity, None
        for child in entity.children:
            yield child, entity


def columns(entity: Entity, parent: Entity | None) -> dict[str, str]:
    """The columns of an entity's table with their SQL types, in order."""
    found = {"source": "varchar not null"}
    if parent is not None:
        found[parent.parent_column] = "varchar not null"
    found |= {f.name: SQL_TYPES[f.kind] + (" not null" if f.vital else "") for f in entity.fields}
    if parent is None:
        found |= {"row_hash": "varchar not null", "record": "json not null"}
    found["run_id"] = "varchar not null"
    return found


def definition(entity: Entity, parent: Entity | None) -> str:
    """The columns of an entity's table, as `create table` wants them."""
    return "(" + ", ".join(f"{name} {kind}" for name, kind in columns(entity, parent).items()) + ")"


def create_mirror(warehouse: Warehouse) -> None:
    """Make all tables of the mirror that are not there."""
    for entity, parent in mirrored():
        warehouse.execute(f"create table if not exists ninja.{entity.name} {definition(entity, parent)}")


def outdated(warehouse: Warehouse) -> list[str]:
    """The mirrored tables whose columns are not those of this version."""
    found: dict[str, list[str]] = {}
    for table, column in warehouse.rows(
        "select table_name, column_name from information_schema.columns "
        "where table_schema = 'ninja' order by ordinal_position"
    ):
        found.setdefault(str(table), []).append(str(column))
    return [entity.name for entity, parent in mirrored() if found.get(entity.name, []) != list(columns(entity, parent))]

"""The mirror's tables as SQLAlchemy Core tables: their one definition, and how both engines create them.

`mirror()` makes them from the entities. From it come the DDL, the indexes of Postgres, the comments, the data
dictionary, and what `flows.metadata()` gives to other programs.

The trap: SQLAlchemy takes a third of a second to import. So import this module only where tables are created or asked
for, never where a command finds its tables in place (a test holds that).

On DuckDB these wide tables have no primary-key index, which would cost more than it gains. The load checks in its
transaction that ids are unique.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateColumn, CreateIndex, SetColumnComment

from schemas.entities import CLIENTS, PULLED
from schemas.entity import Entity, Kind
from warehouse.engine.seam import DUCKDB, Warehouse
from warehouse.schema.comments import of_table
from warehouse.schema.mirror import columns, mirrored

SCHEMA: Final = "ninja"
TYPES: Final[Mapping[Kind, sa.types.TypeEngine[Any]]] = {
    Kind.TEXT: sa.String(),
    Kind.LINK: sa.String(),
    Kind.MAIL: sa.String(),
    Kind.SETTING: sa.String(),
    Kind.MONEY: sa.DECIMAL(20, 6),
    Kind.TIME: sa.TIMESTAMP(timezone=True),
    Kind.FLAG: sa.Boolean(),
    Kind.COUNT: sa.BigInteger(),
    Kind.JSON: sa.JSON(),
    Kind.DATE: sa.Date(),
    Kind.NUMBER: sa.DECIMAL(20, 6),
}
DIALECT: Final = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]  # the styles with % double it
"""The dialect of the statements: DuckDB understands all of Postgres' that are used here."""
OF_CONTROL: Final = {
    "source, id": ("client_versions", "client_changes", "redirects", "quarantine"),
    "source, entity, id": ("record_versions", "record_changes", "vanished_records"),
    "source, plan_id": ("plan_cells", "outcomes"),
}
"""Tables of `control` that are searched by these columns; migrations create the tables, on both engines alike."""


def mirror() -> sa.MetaData:
    """Return the tables of the schema `ninja`, with keys and references, for queries with joins.

    The references describe the data; no database checks them.
    """
    metadata = sa.MetaData()
    for entity, parent in mirrored():
        _add_table(metadata, entity, parent)
    return metadata


def _add_table(metadata: sa.MetaData, entity: Entity, parent: Entity | None) -> None:
    words, listed = of_table(entity, parent), columns(entity, parent)
    key = ("source", "id") if "id" in listed else ("source",)
    table = sa.Table(entity.name, metadata, schema=SCHEMA)
    for name, (kind, required) in listed.items():
        column = sa.Column(name, TYPES[kind], primary_key=name in key, nullable=not required, comment=words[name])
        table.append_column(column)
    for column_name, owner in ((entity.client_column, CLIENTS), (parent and parent.parent_column, parent)):
        if owner is not None and column_name and column_name != "id":
            theirs = [f"{SCHEMA}.{owner.name}.source", f"{SCHEMA}.{owner.name}.id"]
            table.append_constraint(sa.ForeignKeyConstraint(["source", column_name], theirs))
    for index in _indexes(table, entity, parent, key):
        table.append_constraint(index)


def _indexes(table: sa.Table, entity: Entity, parent: Entity | None, key: tuple[str, ...]) -> list[sa.Index]:
    """Return a table's indexes: its key, children by parent, records by stamp and client.

    A pull counts the records by their stamps: those since the last pull, and all of them.
    """
    name, of = entity.name, table.columns
    indexes = [sa.Index(f"{name}_key", *(of[column] for column in key), unique=True)]
    if parent is not None:
        indexes.append(sa.Index(f"{name}_by_parent", of.source, of[parent.parent_column]))
    if name in PULLED:
        indexes.append(sa.Index(f"{name}_by_stamp", of.source, of.updated_at))
        if entity.client_column == "client_id":
            indexes.append(sa.Index(f"{name}_by_client", of.source, of.client_id))
    if name == "invoices":  # a few of many are open: ageing reads only these, a list of late clients only the index
        due = ("balance", "due_date", "partial", "partial_due_date", "status_id", "is_deleted")
        indexes.append(
            sa.Index("invoices_due", of.source, of.client_id, postgresql_include=due, postgresql_where=of.balance != 0)
        )
    if name == "payment_applications":
        indexes += [sa.Index(f"{name}_by_{one}", of.source, of[f"{one}_id"]) for one in ("invoice", "credit")]
    return indexes


def definition(table: sa.Table, *, packed: bool = False) -> str:
    """Return the columns of a table for `create table`, the same for both engines.

    `packed` compresses the records with zstd, which only DuckDB knows. Left to itself, DuckDB stores them in four times
    the space and writes them more slowly.
    """
    specified = {column.name: str(CreateColumn(column).compile(dialect=DIALECT)) for column in table.columns}
    if packed and "record" in specified:
        specified["record"] += " using compression zstd"
    return "(" + ", ".join(specified.values()) + ")"


def create_table(warehouse: Warehouse, table: sa.Table) -> None:
    """Create a table of the mirror, if it is missing."""
    listed = definition(table, packed=warehouse.engine == DUCKDB)
    warehouse.execute(f"create table if not exists {table.fullname} {listed}")


def create_mirror(warehouse: Warehouse) -> None:
    """Create the missing tables of the mirror."""
    for table in mirror().tables.values():
        create_table(warehouse, table)


def create_indexes(warehouse: Warehouse) -> None:
    """Create the missing indexes for Postgres: those of the mirror's tables, and of the history."""
    for table in mirror().tables.values():
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            warehouse.execute(str(CreateIndex(index, if_not_exists=True).compile(dialect=DIALECT)))
    for key, tables in OF_CONTROL.items():
        for name in tables:
            warehouse.execute(f"create index if not exists {name}_by_id on control.{name} ({key})")


def comment_on_mirror(warehouse: Warehouse) -> None:
    """Write the comments of the mirror's columns into the database, as one text: one round trip on Postgres."""
    named = [column for table in mirror().tables.values() for column in table.columns]
    warehouse.execute(";\n".join(str(SetColumnComment(column).compile(dialect=DIALECT)) for column in named))


def fingerprint(metadata: sa.MetaData) -> str:
    """Return 16 hex digits over the names of all tables and their columns, types and order of columns."""
    tables = [(table.name, f"({', '.join(map(_typed, table.columns))})") for table in metadata.tables.values()]
    return hashlib.sha256(repr(tables).encode()).hexdigest()[:16]


def type_of(column: sa.Column[Any]) -> str:
    """Return the SQL type of a column, in small letters."""
    return column.type.compile(dialect=DIALECT).lower()


def _typed(column: sa.Column[Any]) -> str:
    return f"{column.name} {type_of(column)}" + " not null" * (not column.nullable)

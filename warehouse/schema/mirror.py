"""The columns of the typed mirror, the schema `ninja`, derived from the entities' fields; and the mirror's version.

Every key starts with `source`, the configured name of one company on one server, because hashed ids repeat between
servers. `tables.py` makes SQLAlchemy's tables of these columns, and creates them. This module imports no library, as
every opening of a warehouse needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from schemas.entities import ACTIVITIES, COMPANIES, GROUPS, LOOKUPS, PULLED
from schemas.entity import Entity, Kind
from schemas.errors import WarehouseError
from warehouse.engine.seam import Warehouse

MIRROR_VERSION: Final = 5
MIRROR_FINGERPRINT: Final = "874e36349937d124"
"""Raise the version and note the new fingerprint when you change a column or how it is read. An older version of Ninja
Sync then refuses the warehouse instead of rebuilding it in its own way. A test compares it with the tables.
"""


class Column(NamedTuple):
    """The type of a column, and whether it is never NULL."""

    kind: Kind
    required: bool = False


VERSION_COLUMNS: Final = {
    "valid_from": Column(Kind.TIME, required=True),
    "observed_at": Column(Kind.TIME, required=True),
    "observed_run_id": Column(Kind.TEXT, required=True),
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


def columns(entity: Entity, parent: Entity | None) -> dict[str, Column]:
    """Return the columns of an entity's table, in order."""
    text = Column(Kind.TEXT, required=True)
    listed = {"source": text}
    if parent is not None:
        listed[parent.parent_column] = text
    listed |= {field.name: Column(field.kind, field.vital) for field in entity.fields}
    if parent is None:
        listed |= {"row_hash": text, "record": Column(Kind.JSON, required=True)}
    if entity.historic:
        listed |= VERSION_COLUMNS
    return listed | {"run_id": text}


def arriving(entity: Entity, parent: Entity | None) -> dict[str, str]:
    """Map each column of an entity's table to its expression over the staged rows `s`, where JSON is text."""
    return {
        name: f"cast(s.{name} as json)" if column.kind is Kind.JSON else f"s.{name}"
        for name, column in columns(entity, parent).items()
    }


def mirror_is_current(warehouse: Warehouse) -> bool:
    """Whether the tables are this version's. Raises WarehouseError if a newer version made them."""
    made = warehouse.rows("select version, fingerprint from control.mirror")
    if made and int(str(made[0][0])) > MIRROR_VERSION:
        raise WarehouseError(
            f"The tables of {warehouse.shown} were made by a newer version of Ninja Sync: upgrade, or name another "
            "warehouse."
        )
    return made == [(MIRROR_VERSION, MIRROR_FINGERPRINT)]


def remember_mirror(warehouse: Warehouse) -> None:
    """Note that the tables are this version's."""
    values = {"version": MIRROR_VERSION, "fingerprint": MIRROR_FINGERPRINT}
    warehouse.execute("delete from control.mirror")
    warehouse.execute("insert into control.mirror values ($version, $fingerprint)", values)


def missing_columns(warehouse: Warehouse) -> list[str]:
    """Return the tables and columns of the mirror that the warehouse should have, and has not, as `ninja.clients.name`.

    The version notes only what was created; tables can be changed by hand.
    """
    found: dict[str, set[str]] = {}
    for table, column in warehouse.rows(
        "select table_name, column_name from information_schema.columns "
        "where table_catalog = current_database() and table_schema = 'ninja'"
    ):
        found.setdefault(str(table), set()).add(str(column))
    return [
        f"ninja.{entity.name}" + (f".{column}" if entity.name in found else "")
        for entity, parent in mirrored()
        for column in (columns(entity, parent) if entity.name in found else [""])
        if column not in found.get(entity.name, set())
    ]

"""The Arrow and SQL types of an entity's columns. Imports pyarrow, so import this only where rows are moved."""

from __future__ import annotations

import pyarrow as pa

from schemas.entity import Entity, Kind

ARROW = {
    Kind.TEXT: pa.string(),
    Kind.LINK: pa.string(),
    Kind.MAIL: pa.string(),
    Kind.SETTING: pa.string(),
    Kind.MONEY: pa.decimal128(20, 6),
    Kind.TIME: pa.timestamp("us", tz="UTC"),
    Kind.FLAG: pa.bool_(),
    Kind.COUNT: pa.int64(),
    Kind.JSON: pa.string(),
    Kind.DATE: pa.date32(),
    Kind.NUMBER: pa.decimal128(20, 6),
}


def staged_schema(entity: Entity, parent: Entity | None) -> pa.Schema:
    """The Arrow schema of staged rows: the fields, then the columns that link and order them.

    `arrival` numbers the records of a run in the order of their arrival; a child has its parent's number.
    Only a parent has a `row_hash` and the `record` without secrets.
    """
    columns = [pa.field(f.name, ARROW[f.kind], nullable=not f.vital) for f in entity.fields]
    if parent is None:
        columns += [pa.field("row_hash", pa.string(), nullable=False), pa.field("record", pa.string(), nullable=False)]
    else:
        columns.append(pa.field(parent.parent_column, pa.string(), nullable=False))
    columns.append(pa.field("arrival", pa.int64(), nullable=False))
    return pa.schema(columns)

"""A warehouse as an earlier version has left it: its numbered migrations, and no tables and views of this version."""

from __future__ import annotations

from tests.records import MOMENT
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import named, statement
from warehouse.opened.migrate import _digest


def build(warehouse: Warehouse, last: str) -> None:
    """Create the schemas, and the tables of `control` up to the migration `last`."""
    for schema in ("control", "ninja", "mart"):
        warehouse.execute(f"create schema if not exists {schema}")
    warehouse.execute(statement("load/migrations"))
    known = named("control")
    for number, name in enumerate(known[: known.index(last) + 1], start=1):
        warehouse.execute(statement(f"control/{name}"))
        values = {"number": number, "name": name, "digest": _digest(name), "now": MOMENT}
        warehouse.execute("insert into control.migrations values ($number, $name, $digest, $now)", values)

"""Bringing a warehouse to this version: the numbered migrations of `control`, the mirror's tables, the views of `mart`.

Everything happens in one transaction, so an upgrade that fails leaves the warehouse as it was.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from schemas.errors import WarehouseError
from warehouse.duckdb_engine import Warehouse, open_warehouse
from warehouse.statements import named, statement
from warehouse.tables import create_mirror, outdated


def open_migrated(path: Path, *, now: datetime, wait: float = 10.0) -> Warehouse:
    """Open a warehouse and bring it to this version; where that is refused, it is closed again. Use it in `with`."""
    warehouse = open_warehouse(path, wait=wait)
    try:
        migrate(warehouse, now=now)
    except BaseException:
        warehouse.__exit__()
        raise
    return warehouse


def migrate(warehouse: Warehouse, *, now: datetime) -> None:
    """Bring the schemas to this version, in one transaction. Refuses a warehouse that a newer version has written."""
    had, known = _migrations(warehouse), named("control")
    stale = outdated(warehouse) if had else []
    if had == len(known) and not stale:
        return
    with warehouse.transaction():
        for schema in ("control", "ninja", "mart"):
            warehouse.execute(f"create schema if not exists {schema}")
        warehouse.execute(statement("load/migrations"))
        for number, name in enumerate(known[had:], start=had + 1):
            warehouse.execute(statement(f"control/{name}"))
            values = {"number": number, "name": name, "now": now}
            warehouse.execute("insert into control.migrations values ($number, $name, $now)", values)
        create_mirror(warehouse)
        if stale:
            from warehouse.rebuild import rebuild  # noqa: PLC0415 - pyarrow, for upgrades only

            rebuild(warehouse)
        create_views(warehouse)


def create_views(warehouse: Warehouse) -> None:
    """Make the views of `mart` anew. `clients` comes first: others stand on it."""
    for name in sorted(named("mart"), key=lambda view: (view != "clients", view)):
        warehouse.execute(statement(f"mart/{name}"))


def _migrations(warehouse: Warehouse) -> int:
    """How many migrations the warehouse has had. Raises WarehouseError where they are not ours."""
    exists = "select 1 from information_schema.tables where table_schema = 'control' and table_name = 'migrations'"
    if not warehouse.rows(exists):
        return 0
    had = [str(name) for (name,) in warehouse.rows("select name from control.migrations order by number")]
    known = named("control")
    if had[: len(known)] != known[: len(had)] or len(had) > len(known):
        raise WarehouseError(
            f"{warehouse.path} was written by a newer version of Ninja Sync: upgrade, or name another warehouse."
        )
    return len(had)

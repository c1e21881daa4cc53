"""Bring a warehouse to this version: the numbered migrations of `control`, the mirror's tables, the views for people.

Everything happens in one transaction, so a failed upgrade leaves the warehouse unchanged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from schemas.errors import WarehouseError
from warehouse.engine.place import Place
from warehouse.engine.seam import POSTGRES, Warehouse
from warehouse.engine.sql import named, statement
from warehouse.opened.open import open_place
from warehouse.schema.grants import grant_again
from warehouse.schema.mirror import mirror_is_current, remember_mirror
from warehouse.schema.public import SCHEMAS
from warehouse.schema.views import create_views, drop_views, views_are_current


def open_migrated(place: Place, *, now: datetime, wait: float = 10.0) -> Warehouse:
    """Open a warehouse and bring it to this version, or close it if that fails. Use it in `with`."""
    warehouse = open_place(place, wait=wait)
    try:
        migrate(warehouse, now=now)
    except BaseException:
        warehouse.__exit__()
        raise
    return warehouse


def migrate(warehouse: Warehouse, *, now: datetime) -> None:
    """Bring the schemas to this version, in one transaction. Raises WarehouseError if a newer version wrote them."""
    if _is_current(warehouse):
        return
    known = named("control")
    with warehouse.transaction():
        warehouse.hold("the schemas")  # on Postgres, another machine may be migrating too
        had = _applied(warehouse)
        create_schemas(warehouse)
        warehouse.execute(statement("load/migrations"))
        for number, name in enumerate(known[had:], start=had + 1):
            warehouse.execute(statement(f"control/{name}"))
            values = {"number": number, "name": name, "digest": _digest(name), "now": now}
            warehouse.execute("insert into control.migrations values ($number, $name, $digest, $now)", values)
        drop_views(warehouse)
        if not mirror_is_current(warehouse):
            _make_mirror(warehouse, rebuilt=bool(had))
        if warehouse.engine == POSTGRES:
            from warehouse.schema.tables import create_indexes  # noqa: PLC0415 - as below

            create_indexes(warehouse)
        create_views(warehouse)
        if warehouse.engine == POSTGRES:
            grant_again(warehouse)
        warehouse.execute("delete from control.published")  # an older version wrote the copies


def create_schemas(warehouse: Warehouse) -> None:
    """Create the missing schemas. Raises WarehouseError with the remedy if a user of Postgres may not."""
    if warehouse.engine == POSTGRES:
        from warehouse.engine.postgres_rights import check_may_create  # noqa: PLC0415 - not for DuckDB

        check_may_create(warehouse)
    for schema in SCHEMAS:
        warehouse.execute(f"create schema if not exists {schema}")


def _make_mirror(warehouse: Warehouse, *, rebuilt: bool) -> None:
    from warehouse.schema.tables import (  # noqa: PLC0415 - SQLAlchemy, for new tables only
        comment_on_mirror,
        create_mirror,
    )

    create_mirror(warehouse)
    if rebuilt:
        from warehouse.opened.rebuild import rebuild  # noqa: PLC0415 - pyarrow, for upgrades only

        rebuild(warehouse)
    comment_on_mirror(warehouse)
    remember_mirror(warehouse)


def _is_current(warehouse: Warehouse) -> bool:
    """Whether nothing is to be done. Raises WarehouseError if the migrations are not ours.

    Every opening asks this. The tables that it reads are nearly always there, so we look for them only if the first
    query fails: DuckDB takes 10 ms to list all tables, and binds every view to list the columns.
    """
    try:
        had = _noted(warehouse)
    except WarehouseError:
        _applied(warehouse)  # raises any other reason
        return False
    check_known(had, warehouse.shown)
    return len(had) == len(named("control")) and mirror_is_current(warehouse) and views_are_current(warehouse)


def _applied(warehouse: Warehouse) -> int:
    """Return the number of migrations that the warehouse has had. Raises WarehouseError if they are not ours."""
    if not warehouse.rows(
        "select 1 from information_schema.tables where table_schema = 'control' and table_name = 'migrations'"
    ):
        return 0
    columns, _ = warehouse.answer("select * from control.migrations limit 0")
    if "digest" not in columns:
        raise WarehouseError(f"{warehouse.shown} was made by a build before the first release: name another warehouse.")
    had = _noted(warehouse)
    check_known(had, warehouse.shown)
    return len(had)


def _noted(warehouse: Warehouse) -> list[tuple[str, str]]:
    """Return the migrations that the warehouse has noted, by name and digest."""
    noted = warehouse.rows("select name, digest from control.migrations order by number")
    return [(str(name), str(digest)) for name, digest in noted]


def check_known(had: Sequence[tuple[str, str]], shown: str) -> None:
    """Check that migrations, by name and digest, are the first of ours. Raises WarehouseError."""
    known = [(name, _digest(name)) for name in named("control")]
    if [name for name, _ in had] != [name for name, _ in known[: len(had)]]:
        raise WarehouseError(
            f"{shown} was written by a newer version of Ninja Sync: upgrade, or name another warehouse."
        )
    edited = [name for (name, applied), (_, ours) in zip(had, known, strict=False) if applied != ours]
    if edited:
        raise WarehouseError(
            f"{shown} was made by another build of Ninja Sync, whose migration {edited[0]} differs from "
            "ours: use that build, or name another warehouse."
        )


def _digest(name: str) -> str:
    return hashlib.sha256(statement(f"control/{name}").encode()).hexdigest()

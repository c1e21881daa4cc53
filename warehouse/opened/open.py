"""Open a warehouse of either engine.

Each engine is imported only when it is opened, so DuckDB needs no Postgres driver.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from schemas.extras import needs
from warehouse.engine.place import Place, PostgresUrl
from warehouse.engine.seam import Warehouse


def open_place(
    place: Place,
    *,
    read_only: bool = False,
    wait: float = 10.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Warehouse:
    """Open a warehouse, waiting up to `wait` seconds for it. Raises Busy, WarehouseError, SettingsError."""
    if isinstance(place, PostgresUrl):
        with needs("postgres"):
            from warehouse.engine.postgres import open_postgres  # noqa: PLC0415 - see above

        return open_postgres(place, read_only=read_only, wait=wait, clock=clock, sleep=sleep)
    from warehouse.engine.duckdb import open_warehouse  # noqa: PLC0415 - see above

    return open_warehouse(place, read_only=read_only, wait=wait, clock=clock, sleep=sleep)

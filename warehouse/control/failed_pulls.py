"""Pulls that failed, so that people see why the data is old."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

KEPT: Final = timedelta(days=90)
"""The time for which failures are kept."""


def note_failure(
    warehouse: Warehouse, source: str, *, began: datetime, now: datetime, exit_code: int, message: str
) -> None:
    """Note a failed pull, and remove old notes. The message holds no secret and no person's data."""
    values = {"source": source, "began_at": began, "failed_at": now, "exit_code": exit_code, "message": message}
    with warehouse.transaction():
        warehouse.execute(statement("health/forget_failures"), {"source": source, "before": now - KEPT})
        warehouse.execute(statement("health/note_failure"), values)

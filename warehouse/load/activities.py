"""The activities feed in the warehouse: its rows by id, and the moment up to which it was read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from schemas.arrow_types import staged_schema
from schemas.clocks import Clocks, clocks
from schemas.entities import ACTIVITIES
from schemas.normalise import TypedRow
from warehouse.control.state import read_erased
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement
from warehouse.load.arrow_files import filtered, staged_batch
from warehouse.schema.mirror import arriving, columns


def read_until(warehouse: Warehouse, source: str) -> tuple[datetime, Clocks] | None:
    """Return the moment up to which a source's feed was read, and both clocks when that read began.

    None before the first read.
    """
    names = "watermark, began_at, local_began_at"
    values = {"source": source, "entity": ACTIVITIES.name}
    for until, began, here in warehouse.rows(
        f"select {names} from control.watermarks where source = $source and entity = $entity", values
    ):
        return until, clocks(began, here)  # type: ignore[return-value, arg-type]  # timestamp columns
    return None


def store(
    warehouse: Warehouse, source: str, rows: Sequence[TypedRow], *, run_id: str, watermark: datetime, began: Clocks
) -> int:
    """Replace the rows with these ids and move the watermark, in one transaction; return how many rows there are.

    Activities of erased clients are left out.
    """
    newest = {row.id: row for row in rows}
    ours = {"source": "$source", "run_id": "$run_id"}
    selected = [ours.get(name, staged) for name, staged in arriving(ACTIVITIES, None).items()]
    names = {
        "entity": ACTIVITIES.name,
        "columns": ", ".join(columns(ACTIVITIES, None)),
        "selected": ", ".join(selected),
    }
    values = {
        "source": source, "run_id": run_id, "entity": ACTIVITIES.name, "mark": watermark, "newest": None,
        "began": datetime.fromtimestamp(began.server, UTC),
        "local_began": None if began.here is None else datetime.fromtimestamp(began.here, UTC),
        "full_at": None, "total": None, "unexplained": None, "held": None,
        "blind": None,
    }  # fmt: skip
    with warehouse.transaction():
        warehouse.hold(f"loads of {source}")
        batch = staged_batch(ACTIVITIES, list(newest.values()), first_arrival=0)
        erased = read_erased(warehouse, source)
        kept = filtered([batch], "client_id", lambda client_id: not erased.has(client_id))
        warehouse.stage(f"stage_{ACTIVITIES.name}", staged_schema(ACTIVITIES, None), kept)
        for step in ("replace_activities", "insert_reference"):
            warehouse.execute(statement(f"load/{step}").format(**names), values)
        warehouse.execute(f"drop table stage_{ACTIVITIES.name}")
        warehouse.execute(statement("load/move_watermark"), values)
    return len(newest)

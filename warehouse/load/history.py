"""The history of clients: what each arriving version changes, field by field."""

from __future__ import annotations

import pyarrow as pa

from schemas.diff import differences
from schemas.entity import Entity
from warehouse.control.state import Run
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

CHANGES = pa.schema(
    [
        ("id", pa.string()),
        ("display_name", pa.string()),
        ("field", pa.string()),
        ("before", pa.string()),
        ("after", pa.string()),
        ("changed_at", pa.timestamp("us", tz="UTC")),
    ]
)


def record_changes(warehouse: Warehouse, entity: Entity, run: Run) -> None:
    """Write what differs between the arriving versions and those before them.

    A step of the load, before the old rows are taken out. Records are compared batch by batch; in memory stays what
    differs.
    """
    values = {"source": run.source, "run_id": run.run_id, "began": run.began_at}
    pairs = warehouse.streamed(statement("load/compared").format(entity=entity.name), values)
    found = [batch for batch in map(_compared, pairs) if batch.num_rows]
    if found:
        warehouse.stage("stage_changes", CHANGES, found)
        warehouse.execute(statement("load/insert_changes"), values)
        warehouse.execute("drop table stage_changes")


def _compared(pairs: pa.RecordBatch) -> pa.RecordBatch:
    """What differs in each pair of records, as rows of CHANGES."""
    at, fields, before, after = [], [], [], []
    texts = zip(pairs.column("before").to_pylist(), pairs.column("after").to_pylist(), strict=True)
    for number, (old, new) in enumerate(texts):
        for found in differences(old, new):
            at.append(number)
            fields.append(found.field)
            before.append(found.before)
            after.append(found.after)
    records = pa.array(at, pa.int64())
    columns = [pairs.column(name).take(records) for name in ("id", "display_name")]
    columns += [pa.array(texts, pa.string()) for texts in (fields, before, after)]
    columns.append(pairs.column("valid_from").take(records).cast(CHANGES.field("changed_at").type))
    return pa.RecordBatch.from_arrays(columns, schema=CHANGES)

"""The history of clients: each arriving version compared, field by field, with the version before it."""

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
    """Write the differences between the arriving versions and the versions before them.

    This step of the load comes before the old rows are removed. It compares records batch by batch and keeps only the
    differences in memory.
    """
    values = {"source": run.source, "run_id": run.run_id, "began": run.began_at}
    pairs = warehouse.streamed(statement("load/compared").format(entity=entity.name), values, rows=1000)
    batches = [batch for batch in map(_compared, pairs) if batch.num_rows]
    if batches:
        warehouse.stage("stage_changes", CHANGES, batches)
        warehouse.execute(statement("load/insert_changes"), values)
        warehouse.execute("drop table stage_changes")


def _compared(pairs: pa.RecordBatch) -> pa.RecordBatch:
    """Return the differences in each pair of records, as rows of CHANGES."""
    at, fields, before, after = [], [], [], []
    texts = zip(pairs.column("before").to_pylist(), pairs.column("after").to_pylist(), strict=True)
    for number, (old, new) in enumerate(texts):
        for difference in differences(old, new):
            at.append(number)
            fields.append(difference.field)
            before.append(difference.before)
            after.append(difference.after)
    records = pa.array(at, pa.int64())
    columns = [pairs.column(name).take(records) for name in ("id", "display_name")]
    columns += [pa.array(texts, pa.string()) for texts in (fields, before, after)]
    columns.append(pairs.column("valid_from").take(records).cast(CHANGES.field("changed_at").type))
    return pa.RecordBatch.from_arrays(columns, schema=CHANGES)

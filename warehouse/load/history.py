"""The history of records: each arriving version compared, field by field, with the version before it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa

from schemas.diff import differences
from schemas.entity import Entity
from warehouse.control.state import Run
from warehouse.engine.seam import Warehouse, rows_of
from warehouse.engine.sql import statement
from warehouse.schema.archive import archive_of

CHANGES = pa.schema(
    [
        ("id", pa.string()),
        ("label", pa.string()),
        ("field", pa.string()),
        ("before", pa.string()),
        ("after", pa.string()),
        ("changed_at", pa.timestamp("us", tz="UTC")),
    ]
)


def record_changes(
    warehouse: Warehouse, entity: Entity, run: Run, shown: Collection[str], place: Mapping[str, int]
) -> dict[str, str]:
    """Write the differences between the arriving versions in `piece` and the versions before them.

    This step of the load comes before the old rows are removed. It compares records batch by batch. In memory it keeps
    only the differences and the earlier versions of the records whose ids are `shown`; it returns the latter by id.
    Differences of an entity without history are not kept. `place` is the range of the piece's arrival numbers.
    """
    values = {"source": run.source, "run_id": run.run_id, "began": run.began_at, **place}
    names = archive_of(entity) | {"rows_of_ended": rows_of(warehouse.engine, f"ninja.{entity.name}", "ended")}
    earlier: dict[str, str] = {}
    batches = []
    for pairs in warehouse.streamed(statement("load/compared").format(**names), values, rows=1000):
        ids, before = (pairs.column(name).to_pylist() for name in ("id", "before"))
        earlier |= {key: old for key, old in zip(ids, before, strict=True) if key in shown}
        batches.append(_compared(pairs, before))
    batches = [batch for batch in batches if batch.num_rows]
    if batches and entity.historic:
        warehouse.stage("stage_changes", CHANGES, batches)
        warehouse.execute(statement("load/insert_changes").format(**names), values)
        warehouse.execute("drop table stage_changes")
    return earlier


def _compared(pairs: pa.RecordBatch, earlier: Sequence[str]) -> pa.RecordBatch:
    """Return the differences in each pair of records, as rows of CHANGES. `earlier` are the first ones of the pairs."""
    at, fields, before, after = [], [], [], []
    for number, (old, new) in enumerate(zip(earlier, pairs.column("after").to_pylist(), strict=True)):
        for difference in differences(old, new):
            at.append(number)
            fields.append(difference.field)
            before.append(difference.before)
            after.append(difference.after)
    records = pa.array(at, pa.int64())
    columns = [pairs.column(name).take(records) for name in ("id", "label")]
    columns += [pa.array(texts, pa.string()) for texts in (fields, before, after)]
    columns.append(pairs.column("valid_from").take(records).cast(CHANGES.field("changed_at").type))
    return pa.RecordBatch.from_arrays(columns, schema=CHANGES)

"""Records of erased clients that the server still lists: pulls leave them out, and the totals count them.

Of an erased client, `control.erasures` notes whether the server lists it. Of its invoices and the like, each mark is
noted in `control.left_out_records`. A mark is a salted hash, so neither table names anybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from schemas.entities import CLIENTS
from schemas.entity import Entity
from schemas.erased import Erased
from schemas.normalise import Quarantined
from warehouse.engine.seam import Warehouse


def left_out_marks(warehouse: Warehouse, source: str, entity: Entity, erased: Erased) -> frozenset[str]:
    """Return the marks of an entity's records that are left out because their clients were erased."""
    if entity is CLIENTS:
        return erased.marks
    values = {"source": source, "entity": entity.name}
    marks = "select mark from control.left_out_records where source = $source and entity = $entity"
    return frozenset(str(mark) for (mark,) in warehouse.rows(marks, values))


def note_listed(warehouse: Warehouse, source: str, entity: Entity, met: Iterable[str], *, full: bool) -> None:
    """Note the marks of the left-out records that a scan met. A full scan meets all that the server still lists."""
    values = {"source": source, "entity": entity.name}
    if entity is CLIENTS:
        if full:
            warehouse.execute("update control.erasures set listed = false where source = $source", values)
        for mark in sorted(set(met)):
            warehouse.execute(
                "update control.erasures set listed = true where source = $source and mark = $mark and not listed",
                values | {"mark": mark},
            )
        return
    if full:
        warehouse.execute("delete from control.left_out_records where source = $source and entity = $entity", values)
    for mark in sorted(set(met)):
        warehouse.execute(
            "insert into control.left_out_records (source, entity, mark) select $source, $entity, $mark where not "
            "exists (select 1 from control.left_out_records "
            "where source = $source and entity = $entity and mark = $mark)",
            values | {"mark": mark},
        )


def client_of(entity: Entity, record: Quarantined) -> str | None:
    """Return the client of a quarantined record, if the record shows it."""
    if entity is CLIENTS:
        return record.id
    kept: Any = msgspec.json.decode(record.record or "null")
    return kept.get(entity.client_column) if isinstance(kept, dict) else None

"""Read the reference tables, which decode ids: the server's lists, the company and its groups.

Pulls read them daily, full pulls always. Their changes move no stamp of a client, so they are replaced as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connector.api.verbs import Company, all_groups, statics
from connector.door.door import Door
from connector.scan.state import FirstLook
from schemas.clocks import JITTER
from schemas.entities import COMPANIES, GROUPS, LOOKUPS
from schemas.entity import Entity
from schemas.normalise import normalise
from warehouse.control.state import State

if TYPE_CHECKING:
    from warehouse.load.load import Reference

DAY = 86400


def reference_is_due(state: State, look: FirstLook) -> bool:
    """Whether they were read a day ago or earlier by the server's clock, or in its future."""
    if state.reference_at is None:
        return True
    passed = look.began - state.reference_at.timestamp()
    return passed >= DAY or passed < -JITTER


def read_reference(door: Door, company: Company) -> Reference:
    """Read all of them in two requests, as the company is known already. Rows that do not fit go into quarantine."""
    from warehouse.load.load import Reference  # noqa: PLC0415 - pyarrow: an idle pull saves 0.3 s

    lists = statics(door, [lookup.name for lookup in LOOKUPS])
    records = {lookup: lists[lookup.name] for lookup in LOOKUPS}
    records[GROUPS] = all_groups(door, GROUPS)
    records[COMPANIES] = [_allowed(COMPANIES, company.record)]
    batches = {entity: normalise(entity, rows) for entity, rows in records.items()}
    return Reference(
        rows={entity: batch.rows for entity, batch in batches.items()},
        quarantined=[record for batch in batches.values() for record in batch.quarantined],
    )


def _allowed(entity: Entity, record: Mapping[str, object]) -> dict[str, object]:
    """Return the record with our fields only: a company's record is full of other people's credentials."""
    kept: dict[str, object] = {f.json_key: record.get(f.json_key) for f in entity.fields if not f.inside}
    for holder in {f.inside for f in entity.fields if f.inside}:
        inner = record.get(holder)
        inner = inner if isinstance(inner, dict) else {}
        kept[holder] = {f.json_key: inner.get(f.json_key) for f in entity.fields if f.inside == holder}
    return kept

"""The tables by which ids are decoded: the server's lists, the company and its groups, read daily and at full pulls.

A change of these moves no client's stamp, so they are read whole and replaced whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connector.door import Door
from connector.scan import FirstLook
from connector.verbs import Company, all_groups, statics
from schemas.entities import COMPANIES, GROUPS, LOOKUPS
from schemas.entity import Entity
from schemas.errors import UnexpectedShape
from schemas.normalise import Row, normalise
from warehouse.control import State

if TYPE_CHECKING:
    from warehouse.load import Reference

DAY = 86400


def reference_is_due(state: State, look: FirstLook) -> bool:
    """Whether a day has passed since they were read, by the server's clock."""
    return state.reference_at is None or look.began - state.reference_at.timestamp() >= DAY


def read_reference(door: Door, company: Company) -> Reference:
    """Read them all: two requests, as the company is known already. Raises UnexpectedShape where one does not fit."""
    from warehouse.load import Reference  # noqa: PLC0415 - pyarrow: 0.3 s which an idle pull does not spend

    lists = statics(door)
    rows = {lookup: _rows(lookup, lists.get(lookup.name, [])) for lookup in LOOKUPS}
    rows[GROUPS] = _rows(GROUPS, all_groups(door, GROUPS))
    rows[COMPANIES] = _rows(COMPANIES, [_allowed(COMPANIES, company.record)])
    return Reference(rows)


def _rows(entity: Entity, records: list[object]) -> list[Row]:
    batch = normalise(entity, records)
    if batch.quarantined:
        raise UnexpectedShape(f"The server's {batch.quarantined[0]}.")
    return batch.rows


def _allowed(entity: Entity, record: Mapping[str, object]) -> dict[str, object]:
    """A record of the fields we know and nothing else: a company's record is full of other people's credentials."""
    kept: dict[str, object] = {f.json_key: record.get(f.json_key) for f in entity.fields if not f.inside}
    for holder in {f.inside for f in entity.fields if f.inside}:
        inner = record.get(holder)
        inner = inner if isinstance(inner, dict) else {}
        kept[holder] = {f.json_key: inner.get(f.json_key) for f in entity.fields if f.inside == holder}
    return kept

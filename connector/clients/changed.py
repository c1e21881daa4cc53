"""The clients that others have changed since a moment: one list, exact although it moves while it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from connector.clients.present import Record
from connector.door import Door
from connector.scan import Scan, first_look, key, read, stamp
from connector.verbs import lister
from schemas.entities import CLIENTS
from schemas.errors import UnexpectedShape

PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Changed:
    """Records by id, in their newest version, and the server's clock before they were read (aware, in UTC)."""

    records: dict[str, Record] = field(repr=False)
    read_at: datetime


def server_clock(door: Door) -> datetime:
    """What the server's clock says now (aware, in UTC): the moment since which changes are asked for later."""
    return datetime.fromtimestamp(first_look(lister(door, CLIENTS)).began, UTC)


def changed_since(door: Door, moment: datetime) -> Changed:
    """The records that are stamped at or after a moment of the server's clock, whatever its time zone.

    Changes that move no stamp (facts: raw repairs of figures) are not in it. Raises UnexpectedShape where the server
    cannot send one of them: then nobody knows what was changed in it.
    """
    ask, since = lister(door, CLIENTS), int(moment.timestamp())
    look = first_look(ask)
    found = Changed({}, datetime.fromtimestamp(look.began, UTC))
    if stamp(look.newest) < since:
        return found
    scan = Scan(ask, look, page_size=PAGE)
    for records in read(scan, since):
        for record in records:
            if isinstance(record, dict) and stamp(record) >= stamp(found.records.get(key(record))):
                found.records[key(record)] = record
    if scan.poison:
        raise UnexpectedShape(f"The server cannot send {len(scan.poison)} changed clients: nothing is written now.")
    return found

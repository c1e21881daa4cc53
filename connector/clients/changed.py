"""The clients that others have changed since a moment: one list, exact although it moves while it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from connector.api.verbs import lister
from connector.clients.present import Record
from connector.door.door import Door
from connector.scan.scan import first_look, read
from connector.scan.state import FirstLook, Scan, key, stamp
from schemas.entities import CLIENTS
from schemas.errors import UnexpectedShape

PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Changed:
    """Records by id, in their newest version; the server's clock before they were read, and its newest stamp (UTC)."""

    records: dict[str, Record] = field(repr=False)
    read_at: datetime
    newest_at: datetime


def server_now(door: Door) -> Changed:
    """What the server's clock says now, and its newest stamp: since when changes are asked for later. No records."""
    return _at(first_look(lister(door, CLIENTS)))


def changed_since(door: Door, moment: datetime) -> Changed:
    """The records that are stamped at or after a moment of the server's clock, whatever its time zone.

    Changes that move no stamp (facts: raw repairs of figures) are not in it. Raises UnexpectedShape where the server
    cannot send one of them: then nobody knows what was changed in it.
    """
    ask, since = lister(door, CLIENTS), int(moment.timestamp())
    look = first_look(ask)
    found = _at(look)
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


def _at(look: FirstLook) -> Changed:
    return Changed({}, datetime.fromtimestamp(look.began, UTC), datetime.fromtimestamp(stamp(look.newest), UTC))

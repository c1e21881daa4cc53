"""The clients that others have changed since a moment: one list, exact even where it moves while being read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from connector.api.verbs import lister
from connector.clients.present import Record
from connector.door.door import Door
from connector.scan.scan import first_look, read
from connector.scan.state import FirstLook, Scan, key, stamp
from schemas.entities import CLIENTS

PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Changed:
    """Records by id, in their newest version; the server's clock before the reading, and its newest stamp (UTC).

    `unread` counts the changed records that the server cannot send.
    """

    records: dict[str, Record] = field(repr=False)
    read_at: datetime
    newest_at: datetime
    unread: int = 0


def server_now(door: Door) -> Changed:
    """The server's clock now, and its newest stamp, as the start for a later `changed_since`. No records."""
    return _at(first_look(lister(door, CLIENTS)))


def changed_since(door: Door, moment: datetime) -> Changed:
    """The records stamped at or after a moment of the server's clock, whatever its time zone.

    Changes that move no stamp (facts: raw repairs of figures) are not included.
    """
    ask, since = lister(door, CLIENTS), int(moment.timestamp())
    look = first_look(ask)
    changed = _at(look)
    if stamp(look.newest) < since:
        return changed
    scan = Scan(ask, look, page_size=PAGE)
    for records in read(scan, since):
        for record in records:
            if isinstance(record, dict) and stamp(record) >= stamp(changed.records.get(key(record))):
                changed.records[key(record)] = record
    return replace(changed, unread=len(scan.poison))


def _at(look: FirstLook) -> Changed:
    return Changed({}, datetime.fromtimestamp(look.began, UTC), datetime.fromtimestamp(stamp(look.newest), UTC))

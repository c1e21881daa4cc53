"""Many clients as the server has them now, by the fewest requests: pages of the list, or one GET for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from httpx import codes

from connector.api.verbs import lister
from connector.clients.read import record_of
from connector.door.door import Door
from connector.scan.pages import UNREADABLE, Page, narrows
from connector.scan.progress import Progress
from schemas.entities import CLIENTS
from schemas.errors import NotAuthorised, NotFound, UnexpectedShape

PAGE: Final = 500
"""Clients a page: each comes whole, and the server stops a list after 45 seconds."""
FEW: Final = 2
"""So many clients are asked for one by one: a page that does not hold them all would be one request more."""
BY_ID: Final = "id|asc"
NEWEST: Final = "updated_at|desc"
_ID: Final = re.compile(r"[0-9A-Za-z]{1,64}", re.ASCII)

Record = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Present:
    """Records by id. `unread` are there, but cannot be read; what is in neither is not there, or hidden."""

    records: dict[str, Record] = field(default_factory=dict, repr=False)
    unread: set[str] = field(default_factory=set)


def read_present(door: Door, ids: Iterable[str], *, sort: str = BY_ID) -> Present:
    """These clients, whatever their state, in as few requests as it takes. Raises ApiError where none can be had.

    The list is read page by page as long as the pages that are left are fewer than the clients that are. Sort by
    NEWEST where they have just been written: then they stand on the first page.
    """
    found = Present()
    wanted = dict.fromkeys(one for one in ids if _ID.fullmatch(one))
    if len(wanted) > FEW and _listed(door, wanted, sort, found):
        return found
    for one in wanted:
        if one not in found.records:
            _read_one(door, one, found)
    return found


def status_of(record: Record) -> str:
    """`active`, `archived` or `deleted`, as the server's filter of that name has it."""
    return "deleted" if record.get("is_deleted") else "archived" if record.get("archived_at") else "active"


def _listed(door: Door, wanted: Mapping[str, None], sort: str, found: Present) -> bool:
    """Read pages of the list; whether every client was met, or the list came to its end without a doubt.

    A list that changes while it is read can pass over a client: it is whole if its total stays, and all of it came.
    """
    ask, met, number, total = lister(door, CLIENTS), set[str](), 1, None
    progress = Progress()
    while True:
        try:
            page = ask({"sort": sort, "per_page": PAGE, "page": number})
        except UNREADABLE as problem:
            if not narrows(problem):
                raise
            return False
        progress.check([page])
        met |= _keep(page, wanted, found)
        left = len(wanted) - len(found.records)
        if not left:
            return True
        if page.total is None or (total is not None and page.total != total):
            return False
        total = page.total
        if len(page.records) < page.per_page or len(met) >= total:
            return len(met) == total
        if ceil((total - len(met)) / page.per_page) >= left:
            return False
        number += 1


def _keep(page: Page, wanted: Mapping[str, None], found: Present) -> set[str]:
    """Keep the records that are wanted; the ids of all that can be read."""
    by_id = {str(one["id"]): one for one in page.records if isinstance(one, dict) and "id" in one}
    found.records.update({key: one for key, one in by_id.items() if key in wanted})
    return set(by_id)


def _read_one(door: Door, client_id: str, found: Present) -> None:
    try:
        found.records[client_id] = record_of(door, client_id)
    except NotFound as problem:
        if problem.status != codes.BAD_REQUEST:
            raise
    except NotAuthorised as problem:
        if problem.status != codes.UNAUTHORIZED:
            raise
    except UnexpectedShape:
        found.unread.add(client_id)
    except UNREADABLE as problem:
        if not narrows(problem):
            raise
        found.unread.add(client_id)

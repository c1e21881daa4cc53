"""Many clients as the server has them now, in the fewest requests: pages of the list, or one GET for each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
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
"""Clients a page: they come with all fields, and the server stops a list after 45 seconds."""
FEW: Final = 2
"""Up to so many clients are requested singly: a page that does not hold them all would cost one request more."""
BY_ID: Final = "id|asc"
NEWEST: Final = "updated_at|desc"
UNREAD: Final = "it is there, but the server cannot send its record"
"""Why a client that cannot be read is not written."""
_ID: Final = re.compile(r"[0-9A-Za-z]{1,64}", re.ASCII)

Record = Mapping[str, object]
Report = Callable[[int, int], None]


def _silent(_done: int, _total: int) -> None:
    """Report no progress."""


@dataclass(frozen=True, slots=True)
class Present:
    """Records by id. `unread` are there but unreadable; an id in neither is not there, or hidden from this token."""

    records: dict[str, Record] = field(default_factory=dict, repr=False)
    unread: set[str] = field(default_factory=set)


def read_present(door: Door, ids: Iterable[str], *, sort: str = BY_ID, report: Report = _silent) -> Present:
    """These clients, in any state, in as few requests as possible. Raises ApiError where the server does not answer.

    Reads the list page by page while fewer pages than clients are left. Sort by NEWEST where the clients have just been
    written: then they are on the first page. `report` gets the clients read so far, and their total.
    """
    present = Present()
    wanted = dict.fromkeys(client_id for client_id in ids if _ID.fullmatch(client_id))
    if len(wanted) > FEW and _listed(door, wanted, sort, present, report):
        return present
    for client_id in wanted:
        if client_id not in present.records:
            _read_one(door, client_id, present)
            report(len(present.records), len(wanted))
    return present


def status_of(record: Record) -> str:
    """`active`, `archived` or `deleted`, as in the server's filter `status`."""
    return "deleted" if record.get("is_deleted") else "archived" if record.get("archived_at") else "active"


def _listed(door: Door, wanted: Mapping[str, None], sort: str, present: Present, report: Report) -> bool:
    """Read pages of the list; whether every client was met, or the whole list was surely read.

    A list that changes while it is read can hide a client. It was whole if its total stayed and all of it came.
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
        met |= _keep(page, wanted, present)
        report(len(present.records), len(wanted))
        left = len(wanted) - len(present.records)
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


def _keep(page: Page, wanted: Mapping[str, None], present: Present) -> set[str]:
    """Keep the wanted records; the ids of all readable ones."""
    by_id = {str(record["id"]): record for record in page.records if isinstance(record, dict) and "id" in record}
    present.records.update({key: record for key, record in by_id.items() if key in wanted})
    return set(by_id)


def _read_one(door: Door, client_id: str, present: Present) -> None:
    try:
        present.records[client_id] = record_of(door, client_id)
    except NotFound as problem:
        if problem.status != codes.BAD_REQUEST:
            raise
    except NotAuthorised as problem:
        if problem.status != codes.UNAUTHORIZED:
            raise
    except UnexpectedShape:
        present.unread.add(client_id)
    except UNREADABLE as problem:
        if not narrows(problem):
            raise
        present.unread.add(client_id)

"""The pages of the client list, read so that each record comes once.

Every request has a sort, because without one the server's pages overlap at random (issues #10933, #11936); a URL of our
own, because `links.next` forgets filter and sort; and the page size that the server says it used. Where its total
falls, the rows behind have moved to the front, so the earlier pages are read again. Where fewer rows came than exist,
all pages are read again in the order of ids, the only sort in which no two rows have one rank.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Final

from connector.api.verbs import lister
from connector.door.door import Door
from connector.scan.pages import PAGE_CAP, Malformed, Page, Params
from connector.scan.progress import Progress
from connector.scan.state import check_money, key
from schemas.entities import CLIENTS
from schemas.entity import Kind
from schemas.errors import PagesMoved, SettingsError, UnexpectedShape, Unreadable

BY_ID: Final = "id|asc"
SORTED_BY: Final = {
    f.name: {"archived_at": "deleted_at"}.get(f.name, f.name)
    for f in CLIENTS.fields
    if not f.inside and f.kind is not Kind.JSON
}
"""The server's column for each column that can sort a list; for any other one 5.10 breaks (500)."""
_WALKS: Final = 3
"""Walks by id after the first one, at most, until nothing is missing."""
_RESTARTS: Final = 10


def check_order(sort: str) -> str:
    """The sort to send for `column|asc` or `column|desc`. Raises SettingsError for a sort the server does not know."""
    column, bar, direction = sort.partition("|")
    if not bar or direction not in ("asc", "desc"):
        raise SettingsError(f"A sort is a column with a direction, such as name|asc or balance|desc, not {sort!r}.")
    if column not in SORTED_BY:
        raise SettingsError(f"Clients cannot be sorted by {column!r}. They can by: {', '.join(SORTED_BY)}.")
    return f"{SORTED_BY[column]}|{direction}"


def check_page_size(page_size: int) -> int:
    """The page size, checked. Raises SettingsError for one that the server would replace."""
    if not 0 < page_size <= PAGE_CAP:
        raise SettingsError(f"page_size is a number from 1 to {PAGE_CAP}.")
    return page_size


def every_record(door: Door, query: Params, size: int) -> Iterator[object]:
    """Each record of a query once. Raises PagesMoved where some stay missing, NotAuthorised where money is left out."""
    seen: set[str] = set()
    for order in (query["sort"], *[BY_ID] * _WALKS):
        total = yield from _walk(door, {**query, "sort": order}, size, seen)
        if len(seen) >= total:
            return
    raise PagesMoved("Clients moved from page to page while the list was read, and some are missing: try again.")


def _walk(door: Door, query: Params, size: int, seen: set[str]) -> Generator[object, None, int]:
    """All pages of a walk, without the records already seen; returns the last total, 0 where there is none."""
    number, before, restarts, progress = 1, 0, 0, Progress()
    while True:
        page = one_page(door, {**query, "per_page": size, "page": number})
        if page.per_page != size and number > 1:
            size, number, restarts = page.per_page, 1, restarts + 1
            if restarts > _RESTARTS:
                raise PagesMoved("The server changes the size of its pages while they are read.")
            continue
        size = page.per_page
        progress.check([page])
        yield from _fresh(page, seen)
        short, total = len(page.records) < size, page.total
        if total is not None and total < before:
            number = max(1, number - -(-(before - total) // size))
        elif short or (total is not None and number * size >= total):
            return total or 0
        else:
            number += 1
        before = total or 0


def one_page(door: Door, query: Params) -> Page:
    """One page. Raises UnexpectedShape where it cannot be read, NotAuthorised where the server leaves money out."""
    try:
        page = lister(door, CLIENTS)(query)
    except Unreadable:
        raise UnexpectedShape(
            f"The server cannot send page {query.get('page', 1)} of its clients, because one of them is broken: "
            "`ninja-sync pull` finds out which, and reads the others."
        ) from None
    check_money(page)
    return page


def _fresh(page: Page, seen: set[str]) -> Iterator[object]:
    for record in page.records:
        if isinstance(record, Malformed):
            raise UnexpectedShape(f"The server sent a record that is not JSON: client {record.id}.")
        if key(record) not in seen:
            seen.add(key(record))
            yield record

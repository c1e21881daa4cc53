"""The chain: reads everything from a cursor once, in the order of ids, in pages that overlap by a row.

Pages by number move while they are read: where a row in front of a page vanishes, a row behind it moves up into a page
that was read before, and is missed. So each page starts at or before the last row of the page before it. As ids never
change, a page with a known row continues the list without a gap. A page without one does not count: the chain goes back
and asks again. A row that changes or appears behind the chain is stamped after the pull began; the next pull reads it.
"""

from __future__ import annotations

from collections.abc import Generator

from connector.scan.pages import UNREADABLE, Page, Params
from connector.scan.progress import Progress
from connector.scan.state import Scan, check_filter, check_money, check_that_it_narrows, key, seen, since, stamp

MOST_GAPS = 12
"""Pages that may fail to continue the list, beyond one for each page that does."""


def chain(scan: Scan, cursor: int | None, limit: int) -> Generator[list[object], None, bool]:
    """Everything from the cursor, in pages of at most `limit` records. Returns False where it cannot reach the end.

    It cannot where a row is poison, where pages are so small that none both overlaps and brings a new row, or where the
    list moves too much. Then only repeated walks go on, from the same cursor.
    """
    query: Params = {"sort": "id|asc", **since(scan, cursor)}
    known: set[str] = set()
    place = gaps = pages = back = began = 0
    least, progress = max(2, scan.page_size // 4), Progress()
    while limit >= least and gaps <= MOST_GAPS + pages:
        number, size = overlapping(place - back, limit)
        if not number:
            return False
        try:
            page = scan.ask({**query, "per_page": size, "page": number})
        except UNREADABLE as problem:
            check_that_it_narrows(scan, problem)
            limit = size // 4
            continue
        check_money(page)
        check_filter(cursor, page)
        limit = page.per_page if page.per_page < size else limit
        began = began or int(page.date.timestamp())
        if number > 1 and not _continues(page, known, began):
            gaps, back = gaps + 1, max(2 * back, limit // 8, 1)
            continue
        progress.check([page])
        known.update(filter(None, map(key, page.records)))
        place, back, pages = (number - 1) * page.per_page + len(page.records), 0, pages + 1
        yield seen(scan, page.records)
        if len(page.records) < page.per_page:
            return True
    return False


def overlapping(place: int, limit: int) -> tuple[int, int]:
    """The number and size of the page that brings most rows behind `place`, and the row at that place too.

    Places count from 1; 0 is the start of the list. (0, 0) where no page of at most `limit` rows does both.
    """
    if place < 1:
        return 1, limit
    before = place - 1
    size = max(range(limit, limit // 2, -1), key=lambda rows: rows - before % rows)
    if size - before % size > 1:
        return before // size + 1, size
    size = max(range(limit, 1, -1), key=lambda rows: rows - before % rows, default=1)
    return (before // size + 1, size) if size - before % size > 1 else (0, 0)


def _continues(page: Page, known: set[str], began: int) -> bool:
    """Whether a page has a known row, and before it only known ones or ones that have changed since the chain began."""
    places = [place for place, record in enumerate(page.records) if key(record) in known]
    return bool(places) and all(
        key(record) in known or not 0 < stamp(record) < began for record in page.records[: places[-1]]
    )

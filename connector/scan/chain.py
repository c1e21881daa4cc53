"""The chain: reads everything from a cursor once, in the order of ids, in pages that overlap.

Pages by number move while they are read: where a row in front of a page vanishes, a row behind it moves up into a page
that was read before, and is missed. So each page starts at or before the last row of the page before it. As ids never
change, a page with a known row continues the list without a gap. A page without one does not count: the chain goes back
and asks again. A row that changes or appears behind the chain is stamped after the pull began; the next pull reads it.

Why no row is missed, in whatever order the pages were answered: a page brings each row that the list held at that
moment between the page's first and last row. Page 1 begins the list, and a page that is not full ends it. Two pages
with a common row leave no gap between them, even if the list moved between their answers. So each id is within some
page, and a row that was in the list all the time came with that page. Therefore a full read may ask for several pages
at once.

Nobody knows which of such pages was answered first, but of two versions of a row, the later one must arrive later. So
each known row of such a page must be on the page in front too, and be the same there. Otherwise the page does not
count, nor do the pages behind it: the chain ends those requests and asks again.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

from connector.scan.ahead import EACH, NONE, answers, overlapping, planned
from connector.scan.pages import Page, Params
from connector.scan.progress import Progress
from connector.scan.state import Scan, Wall, check_filter, check_money, check_that_it_narrows, key, seen, since, stamp

MOST_GAPS = 12
"""Pages that may fail to continue the list, beyond one for each page that does."""


class Links:
    """The rows that a chain knows, and the check that a page continues them without a gap."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._front: set[str] | None = None
        self._began = 0

    def begin(self) -> None:
        """Begin with the next pages, asked for at once: all requests before them are over."""
        self._front = None

    def add(self, number: int, page: Page, *, agrees: bool) -> bool:
        """Whether this page counts. If it does, its rows are known from now on. For `agrees`, see `answers`."""
        self._began = self._began or int(page.date.timestamp())
        rows = set(map(key, page.records)) - {""}
        if number > 1 and not _continues(page, self._known, self._began):
            return False
        if self._front is not None and not (agrees and self._known & rows <= self._front):
            return False
        self._known |= rows
        self._front = rows
        return True


def chain(scan: Scan, cursor: int | None, wall: Wall) -> Generator[list[object], None, bool]:
    """Everything from the cursor, in pages of at most `wall.page` records. Returns False where it cannot reach the end.

    It cannot where a row is poison, where pages are so small that none both overlaps and brings a new row, or where the
    list moves too much. Then only repeated walks go on, from the same cursor.

    A full read asks for several pages of the usual size at once, any other pull for one large page after the other.
    After a page that does not count, the next request is alone.
    """
    query: Params = {"sort": "id|asc", **since(scan, cursor)}
    at_once = EACH * scan.connections if scan.full and scan.connections > 1 else 1
    limit, rows = min(wall.page, scan.page_size) if at_once > 1 else wall.page, wall.rows
    place = gaps = pages = back = 0
    most, least, links, progress = at_once, max(2, scan.page_size // 4), Links(), Progress()
    while limit >= least and gaps <= MOST_GAPS + pages:
        first, problem = overlapping(place - back, limit), None
        if first == NONE:
            return False
        links.begin()
        with closing(answers(scan, query, planned(first, rows, limit, most))) as came:
            for (number, size), page, agrees in came:
                most = 1
                if not isinstance(page, Page):
                    problem, limit = page, size // 4
                    break
                check_money(page)
                check_filter(cursor, page)
                limit = page.per_page if page.per_page < size else limit
                if not links.add(number, page, agrees=agrees):
                    gaps, back = gaps + 1, max(2 * back, limit // 8, 1)
                    break
                progress.check([page])
                place, rows = (number - 1) * page.per_page + len(page.records), page.total or 0
                back, pages, most = 0, pages + 1, at_once
                yield seen(scan, page.records)
                if len(page.records) < page.per_page:
                    return True
                if page.per_page < size:
                    break  # the plan did not know of this limit
        if problem:
            check_that_it_narrows(scan, problem)
    return False


def _continues(page: Page, known: set[str], began: int) -> bool:
    """Whether a page has a known row, and before it only known ones or ones that have changed since the chain began."""
    places = [place for place, record in enumerate(page.records) if key(record) in known]
    return bool(places) and all(
        key(record) in known or not 0 < stamp(record) < began for record in page.records[: places[-1]]
    )

"""Reads several spans at once: the quick start of a full read, which proves nothing alone.

The spans are cut at stamps of the list, so each record is in exactly one. Each is read by keyset, independently. Order
is kept where it matters: the pages of a span arrive in the order of their requests, and a page brings only records of
its own span. So of two versions of a record with the same stamp, the later one arrives later.

A record touched meanwhile leaves its span for the end of the list, perhaps before it was read. So `keyset` goes on with
the open parts and with the tail, which is everything stamped since the scan began. Where a span needs a walk, the spans
behind it stop, because the walk reads them too.
"""

from __future__ import annotations

from collections.abc import Iterator

from connector.scan.keyset import Step, steps
from connector.scan.pages import PAGE_CAP, UNREADABLE, narrows
from connector.scan.state import PAST_THE_END, Scan, Span, Together, Wall, seen, since, stamp
from schemas.clocks import JITTER

FILL = 0.95
"""Share of new records in a page: it begins with records of the second in which the last page ended."""


def cut(scan: Scan) -> list[Span]:
    """The spans of a full read, about equally many pages in each; one span where cutting does not pay or is impossible.

    Each cut takes one request of one row. If the list moves meanwhile, a cut is elsewhere; that does no harm. If the
    list ends with a second that only a walk can read, that second is a span of its own, which is known to need it.
    """
    stamps, newest = _cuts(scan, scan.look.total or 0), stamp(scan.look.newest)
    if stamps and stamps[-1] == newest and (crowd := _crowd(scan, newest)):
        scan.walls[newest] = Wall(PAGE_CAP, crowd)
        stamps = [*(s for s in _cuts(scan, (scan.look.total or 0) - crowd) if s < newest), newest]
    return list(zip([None, *stamps], [*stamps, None], strict=True))


def _cuts(scan: Scan, total: int) -> list[int]:
    """Stamps that cut the first `total` records of the list into spans."""
    size = scan.page_size
    if scan.connections < 2 or total < 2 * scan.connections * size:  # noqa: PLR2004 - two: more than one, two pages each
        return []
    pages = -(-total // (FILL * size * scan.connections))
    rows = int(pages * size * FILL)
    return sorted({s for n in range(1, scan.connections) if n * rows < total and (s := _stamp_at(scan, n * rows))})


def _crowd(scan: Scan, newest: int) -> int:
    """How many records the second of the newest one has, if only a walk can read it; 0 where a page may be enough."""
    if scan.skew:
        return 0  # a skewed filter counts the hours before that second
    try:
        page = scan.ask({"sort": "id|asc", "per_page": 1, "page": PAST_THE_END, **since(scan, newest)})
    except UNREADABLE as problem:
        if not narrows(problem):
            raise
        return 0
    return page.total if page.total and page.total >= PAGE_CAP else 0


def _stamp_at(scan: Scan, place: int) -> int:
    try:
        first = scan.ask({"sort": "updated_at|asc", "per_page": 1, "page": place + 1}).records
    except UNREADABLE as problem:
        if not narrows(problem):
            raise
        return 0
    return stamp(first[0]) if first else 0


def read_spans(scan: Scan, spans: list[Span], together: Together) -> Iterator[list[object]]:
    """Read all spans at once. At each page, and at the end, `scan.open` holds what `keyset` still has to read."""
    left: list[Span | None] = list(spans)
    stuck = [False] * len(spans)  # only the thread that reads a span writes its place

    def pages(place: int) -> Iterator[Step]:
        start, end = spans[place]
        done = False
        for step in steps(scan, spans[place]):
            yield Step(_within(step.records, start, end), step.open, step.done)
            done = step.done
            if any(stuck[:place]):
                return
        stuck[place] = not done

    scan.open = with_tail(spans, scan.look.began)
    for place, step in together([pages(n) for n in range(len(spans))], scan.connections):
        is_last = step.open[1] is None
        left[place] = (_behind(step.open[0], scan), None) if is_last and step.done else None if step.done else step.open
        scan.open = with_tail([s for s in left if s], scan.look.began)
        yield seen(scan, step.records)


def with_tail(spans: list[Span], began: int) -> list[Span]:
    """The spans left to read, without overlap: the last one reaches back to the moment when the scan began.

    A stamp in the future, or one committed late, may have carried its cursor beyond that.
    """
    tail = min(spans[-1][0] or 0, began)
    before: list[Span] = [(start, min(end or tail, tail)) for start, end in spans[:-1] if (start or 0) < tail]
    return [*before, (tail or None, None)]


def _behind(cursor: int | None, scan: Scan) -> int:
    """Where the tail begins behind a list that was read to its end: at the end, or shortly before the scan began."""
    return max(cursor or 0, scan.look.began - JITTER)


def _within(records: list[object], start: int | None, end: int | None) -> list[object]:
    """The records of a span; those without a stamp belong to any span and stay."""
    known = ((r, stamp(r)) for r in records)
    return [r for r, s in known if not s or ((start or 0) <= s and (end is None or s < end))]

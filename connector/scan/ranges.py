"""Reading several spans at once: the quick beginning of a full read, which proves nothing by itself.

The spans are cut at stamps of the list, so that each record is in one of them. Each is read by keyset, by itself, and
what must have an order has one: the pages of a span come in the order in which they were asked, and a page brings only
records of its own span, so that of two answers about one second's record the later one arrives later.

What was touched meanwhile has left its span for the end of the list, perhaps before it was read: `keyset` goes on with
what is left open and with the tail, everything that is stamped since the scan began. Where a span needs a walk, those
behind it stop, as the walk will read them too.
"""

from __future__ import annotations

from collections.abc import Iterator

from connector.scan.keyset import Step, steps
from connector.scan.pages import UNREADABLE, narrows
from connector.scan.state import Scan, Span, Together, seen, stamp

FILL = 0.95
"""How full of new records a page is taken to be: it begins with those of the second in which the last one ended."""


def cut(scan: Scan) -> list[Span]:
    """The spans of a full read, about as many pages in each; one span where cutting does not pay or is not possible.

    One request of one row for each cut. Where the list moves meanwhile a cut stands elsewhere, which is no harm.
    """
    total, size = scan.look.total or 0, scan.page_size
    if scan.connections < 2 or total < 2 * scan.connections * size:  # noqa: PLR2004 - two: more than one, two pages each
        return [(None, None)]
    pages = -(-total // (FILL * size * scan.connections))
    rows = int(pages * size * FILL)
    stamps = sorted({s for n in range(1, scan.connections) if n * rows < total and (s := _stamp_at(scan, n * rows))})
    return list(zip([None, *stamps], [*stamps, None], strict=True))


def _stamp_at(scan: Scan, place: int) -> int:
    try:
        found = scan.ask({"sort": "updated_at|asc", "per_page": 1, "page": place + 1}).records
    except UNREADABLE as problem:
        if not narrows(problem):
            raise
        return 0
    return stamp(found[0]) if found else 0


def read_spans(scan: Scan, spans: list[Span], together: Together) -> Iterator[list[object]]:
    """Pages of all spans at once. `scan.open` holds at each of them, and at the end, what is left to `keyset`."""
    left: list[Span | None] = list(spans)
    stuck = [False] * len(spans)  # each place is written by the one thread that reads this span

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
        left[place] = None if step.done and not is_last else step.open
        scan.open = with_tail([s for s in left if s], scan.look.began)
        yield seen(scan, step.records)


def with_tail(spans: list[Span], began: int) -> list[Span]:
    """What is left to read, without overlap: the last span reaches back to where the scan began.

    A stamp in the future, or one that was committed late, may have carried its cursor beyond that.
    """
    tail = min(spans[-1][0] or 0, began)
    before: list[Span] = [(start, min(end or tail, tail)) for start, end in spans[:-1] if (start or 0) < tail]
    return [*before, (tail or None, None)]


def _within(records: list[object], start: int | None, end: int | None) -> list[object]:
    """The records of a span; those without a stamp, which belong to any, stay."""
    known = ((r, stamp(r)) for r in records)
    return [r for r, s in known if not s or ((start or 0) <= s and (end is None or s < end))]

"""Reads a span of stamps by keyset: always page 1 of the records at or after the last stamp seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from connector.scan.pages import PAGE_CAP, UNREADABLE, Page
from connector.scan.progress import Progress
from connector.scan.skew import HOUR
from connector.scan.state import (
    PAST_THE_END,
    Scan,
    Span,
    Wall,
    check_filter,
    check_money,
    check_that_it_narrows,
    seen,
    since,
    stamp,
)
from connector.scan.walk import walk

CROWD = 4
"""How many times a page holds the second in which the last one ended, because it brings that second again."""
SLACK = 2 * HOUR
"""Seconds before the cursor that a skewed filter may bring: the skew is rounded up, and an hour more."""


@dataclass(frozen=True, slots=True)
class Step:
    """Records of a span, and the part of the span still `open` behind them. After the last step `open` is the end."""

    records: list[object] = field(repr=False)
    open: Span
    done: bool


def keyset(scan: Scan, spans: list[Span]) -> Iterator[list[object]]:
    """Read the spans one after the other, in the order of their stamps; a walk, where needed, reads all the rest."""
    for place, span in enumerate(spans):
        left, behind, done = span, spans[place + 1 :], False
        scan.open = spans[place:]
        for step in steps(scan, span):
            left, done = step.open, step.done
            scan.open = behind if done and behind else [left, *behind]
            yield seen(scan, step.records)
        if not done:
            yield from walk(scan, left[0])
            return


def steps(scan: Scan, span: Span) -> Iterator[Step]:
    """The pages of a span. They end early, at one of `scan.walls`, where only a walk can go on."""
    cursor, end = span
    size, ceiling = scan.page_size, PAGE_CAP
    wanted, progress = size, Progress()
    while cursor not in scan.walls:
        try:
            page = scan.ask({"sort": "updated_at|asc", "per_page": wanted, **since(scan, cursor)})
        except UNREADABLE as problem:
            check_that_it_narrows(scan, problem)
            ceiling = wanted // 2
            size = wanted = max(1, min(size, wanted // 4))
            if not ceiling:
                scan.walls[cursor] = Wall(0)
            continue
        check_money(page)
        check_filter(cursor, page)
        progress.check([page])
        before, cursor = cursor, _next(cursor, page)
        done = len(page.records) < page.per_page or (end is not None and (cursor or 0) >= end)
        yield Step(page.records, (cursor, end), done)
        if done:
            return
        ceiling = page.per_page if page.per_page < wanted else ceiling
        wanted = _next_size(scan, page, cursor, size, ceiling)
        if cursor == before and wanted <= page.per_page:
            wanted = 0
        if not wanted:
            scan.walls[cursor] = Wall(ceiling, _left(page, _again(scan, page, cursor)))


def _next(cursor: int | None, page: Page) -> int | None:
    last = stamp(page.records[-1]) if page.records else 0
    return last if last > (cursor or 0) else cursor


def _next_size(scan: Scan, page: Page, cursor: int | None, size: int, ceiling: int) -> int:
    """The size of the next page, which begins with the second in which this page ended; 0 where a walk is better.

    A page that is mostly of one second may be a small part of it. Then a request without rows counts the records of
    that second. A skewed filter brings up to two hours before the cursor with a page; they may not be most of it.
    """
    again = _again(scan, page, cursor)
    wanted = max(size, CROWD * again)
    if 2 * again < size:
        return min(wanted, ceiling)
    if scan.skew:
        return min(wanted, ceiling) if 2 * again <= min(wanted, ceiling) else 0
    left = _left(page, again)
    if left <= wanted:
        return min(wanted, ceiling)
    behind = scan.ask({"sort": "id|asc", "per_page": 1, "page": PAST_THE_END, **since(scan, (cursor or 0) + 1)}).total
    crowd = left - (behind or 0)
    return min(max(wanted, crowd + size), ceiling) if crowd < ceiling else 0


def _again(scan: Scan, page: Page, cursor: int | None) -> int:
    """How many records of a page come again with the next one."""
    return sum(stamp(record) >= (cursor or 0) - (SLACK if scan.skew else 0) for record in page.records)


def _left(page: Page, again: int) -> int:
    """How many records the next list has, by the total of this page; 0 where the server gives none."""
    return max(0, (page.total or 0) - (len(page.records) - again))

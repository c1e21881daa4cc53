"""Reads a span of stamps by keyset: always page 1 of the records at or after the last stamp seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from connector.scan.pages import PAGE_CAP, UNREADABLE, Page
from connector.scan.progress import Progress
from connector.scan.state import Scan, Span, check_filter, check_money, check_that_it_narrows, seen, since, stamp
from connector.scan.walk import walk


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
    """The pages of a span. They end early, and leave `scan` unchanged, where only a walk can go on."""
    cursor, end = span
    size, ceiling = scan.page_size, PAGE_CAP
    wanted, progress = size, Progress()
    while True:
        try:
            page = scan.ask({"sort": "updated_at|asc", "per_page": wanted, **since(scan, cursor)})
        except UNREADABLE as problem:
            check_that_it_narrows(scan, problem)
            if wanted == 1:
                return
            ceiling = wanted - 1
            size = wanted = max(1, wanted // 4)
            continue
        check_money(page)
        check_filter(cursor, page)
        progress.check([page])
        before, cursor = cursor, _next(cursor, page)
        done = len(page.records) < page.per_page or (end is not None and (cursor or 0) >= end)
        yield Step(page.records, (cursor, end), done)
        if done:
            return
        if cursor != before:
            wanted = size
        elif page.per_page == wanted < ceiling:
            wanted = min(wanted * 2, ceiling)
        else:
            return


def _next(cursor: int | None, page: Page) -> int | None:
    last = stamp(page.records[-1]) if page.records else 0
    return last if last > (cursor or 0) else cursor

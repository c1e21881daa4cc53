"""The walk: reads everything from a cursor in the order of ids, where stamps alone cannot go on.

A chain of overlapping pages does it in one pass. It cannot pass a row that no request brings. There the pages do not
overlap, so a row is missed when another one in front of it vanishes: walks repeat until two agree. Such rows are
narrowed down to single rows, and named.
"""

from __future__ import annotations

from collections.abc import Iterator

from connector.scan.chain import chain
from connector.scan.pages import PAGE_CAP, UNREADABLE, Page, Params
from connector.scan.progress import Progress
from connector.scan.state import Scan, Wall, check_money, check_that_it_narrows, key, seen, since, stamp
from schemas.errors import PagesMoved, UnexpectedShape

MOST_WALKS = 12
MOST_POISON = 20


def walk(scan: Scan, cursor: int | None) -> Iterator[list[object]]:
    """Everything from the cursor by id: once by a chain of pages, or by repeated walks where the chain breaks."""
    scan.open = [(cursor, None)]
    scan.poison.clear()
    if not (yield from chain(scan, cursor, scan.walls.get(cursor, Wall(PAGE_CAP)))):
        yield from repeated(scan, cursor)


def repeated(scan: Scan, cursor: int | None) -> Iterator[list[object]]:
    """Everything from the cursor by id, until a walk brings all rows of the one before and no row that is new.

    Suppose a row was missed because another one vanished in front of it. In the next walk that other row is absent, or
    the missed row is new although it was stamped before that walk began. Either way one more walk follows. Raises
    PagesMoved where the walks do not agree in the end.
    """
    known: dict[str, int] = {}
    for _ in range(MOST_WALKS):
        came: dict[str, int] = {}
        began, fresh = 0, False
        scan.poison.clear()  # a row that answers this time was not poison
        for page in _pages_by_id(scan, cursor):
            began = began or int(page.date.timestamp())
            came.update((key(r), stamp(r)) for r in page.records)
            fresh = fresh or any(stamp(r) <= began and known.get(key(r)) != stamp(r) for r in page.records)
            check_money(page)
            yield seen(scan, page.records)
        if not fresh and known.keys() <= came.keys():
            return
        known = came
    raise PagesMoved


def _pages_by_id(scan: Scan, cursor: int | None) -> Iterator[Page]:
    query: Params = {"sort": "id|asc", **since(scan, cursor)}
    size, number, progress = _power_of_two(scan.page_size), 1, Progress()
    scan.unread = 0
    while True:
        pages, clamped, at_end = _narrowed(scan, query, number, size)
        if clamped:
            size, number, progress = _power_of_two(clamped), 1, Progress()
            scan.unread = 0
            continue
        progress.check(pages)
        yield from pages
        if at_end:
            return
        number += 1


def _narrowed(scan: Scan, query: Params, number: int, size: int) -> tuple[list[Page], int, bool]:
    """Page `number` of `size` rows, cut into halves around unreadable rows: (pages, clamped to, at the end)."""
    try:
        page = scan.ask({**query, "per_page": size, "page": number})
    except UNREADABLE as problem:
        check_that_it_narrows(scan, problem)
        if size == 1:
            _name_poison(scan, query, number)
            return [], 0, False
        first, _, over = _narrowed(scan, query, 2 * number - 1, size // 2)
        rest, _, end = ([], 0, True) if over else _narrowed(scan, query, 2 * number, size // 2)
        return first + rest, 0, end
    clamped = page.per_page if page.per_page < size else 0
    return [page], clamped, len(page.records) < page.per_page


def _name_poison(scan: Scan, query: Params, number: int) -> None:
    """Record the id of an unreadable row; where the server does not give it, the id of the row before."""
    name = _id_at(scan, query, number)
    if not name:
        before = _id_at(scan, query, number - 1) if number > 1 else ""
        name = f"(the one behind {before} in the order of ids)" if before else f"(number {number} in the order of ids)"
    if name not in scan.poison:
        scan.poison.append(name)
    scan.unread += 1
    if scan.unread > MOST_POISON:
        raise UnexpectedShape(f"More than {MOST_POISON} records cannot be read from the server; nothing was stored.")


def _id_at(scan: Scan, query: Params, number: int) -> str:
    """The id of a row by its place; `filter_details` leaves out most fields, so poison is seldom in the answer."""
    try:
        there = scan.ask({**query, "per_page": 1, "page": number, "filter_details": "true"}).records
    except (*UNREADABLE, UnexpectedShape):
        return ""
    return key(there[0]) if there else ""


def _power_of_two(limit: int) -> int:
    return 1 << (max(1, limit).bit_length() - 1)

"""Asks for several pages of a list at once, in the order of ids, and hands them over in that order.

The pages are planned from the expected number of rows. Each begins a few rows before the end of the page in front, so
that they usually overlap even if a row vanishes between two answers. The chain checks whether they do.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from connector.scan.pages import UNREADABLE, Page, Params
from connector.scan.state import Scan, key
from schemas.errors import NetworkFailed, ServerUnavailable, Unreadable

Problem = Unreadable | ServerUnavailable | NetworkFailed
Place = tuple[int, int]
"""The number and the size of a page."""
NONE: Place = (0, 0)

SHARE = 200
"""A planned page of so many rows overlaps the page in front by one more row."""
EACH = 3
"""Most pages of one plan for each connection. This bounds the memory: if the first answer is last, all others wait."""


def planned(first: Place, rows: int, limit: int, most: int) -> list[Place]:
    """The first page and those behind it, up to the place `rows` of the list: at most `most` pages."""
    pages = [first]
    while len(pages) < most and (place := pages[-1][0] * pages[-1][1]) < rows:
        number, size = overlapping(max(1, place - limit // SHARE), limit)
        if number * size <= place:
            break
        pages.append((number, size))
    return pages


def overlapping(place: int, limit: int) -> Place:
    """The number and size of the page that brings most rows behind `place`, and the row at that place too.

    Places count from 1; 0 is the start of the list. NONE where no page of at most `limit` rows does both.
    """
    if place < 1:
        return 1, limit
    before = place - 1
    size = max(range(limit, limit // 2, -1), key=lambda rows: rows - before % rows)
    if size - before % size > 1:
        return before // size + 1, size
    size = max(range(limit, 1, -1), key=lambda rows: rows - before % rows, default=1)
    return (before // size + 1, size) if size - before % size > 1 else NONE


def answers(
    scan: Scan, query: Params, pages: Sequence[Place]
) -> Generator[tuple[Place, Page | Problem, bool], None, None]:
    """For each place, in order: the place, its answer, and whether it agrees with the answer in front.

    An answer is the page, or the error if it cannot be read. Two pages agree if each row that both hold is the same.
    Close the iterator if you do not read it to its end: that ends the running requests.
    """
    sources = [_answer(scan, {**query, "per_page": size, "page": number}) for number, size in pages]
    front, agrees = None, True
    for place, answer in zip(pages, _in_order(scan, sources), strict=True):
        if front is not None:
            compared = _agree(front[1], answer)  # before the caller can change the records
            yield *front, agrees
            agrees = compared
        front = place, answer
    if front is not None:
        yield *front, agrees


def _in_order(scan: Scan, sources: list[Iterator[Page | Problem]]) -> Iterator[Page | Problem]:
    if len(sources) == 1:
        yield from sources[0]
        return
    from connector.scan.side_by_side import side_by_side  # noqa: PLC0415 - an idle pull needs no threads

    early: dict[int, Page | Problem] = {}
    due = 0
    for place, answer in (scan.together or side_by_side)(sources, scan.connections):
        early[place] = answer
        while due in early:
            yield early.pop(due)
            due += 1


def _answer(scan: Scan, asked: Params) -> Iterator[Page | Problem]:
    try:
        answer: Page | Problem = scan.ask(asked)
    except UNREADABLE as problem:
        answer = problem
    yield answer


def _agree(front: Page | Problem, behind: Page | Problem) -> bool:
    if not isinstance(front, Page) or not isinstance(behind, Page):
        return True
    there = {key(record): record for record in front.records}
    return all(there.get(key(record), record) == record for record in behind.records)

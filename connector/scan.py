"""The scan: every record of a list, although the list changes while it is read.

Anchored to values, not to page numbers. Pages move under a live server: with offset paging, a row that is purged or
touched between two requests shifts the rows behind it, and one of them is never seen. So each request asks for page 1
of what is at or after the last stamp seen, in the order of the stamps; nothing that changes can fall behind the cursor.

    keyset    sort=updated_at|asc & updated_at=<cursor>, page 1; the next cursor is the last row's stamp
    grow      a whole page in one second: the page grows up to the server's cap
    walk      it cannot grow, or a row is poison: everything from that cursor by id, all pages, again and again
              until a walk brings all rows of the one before, and no new row stamped before that walk began

Every `updated_at` sent is the cursor less the skew of the server's time zone (see `connector.skew`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from connector.pages import UNREADABLE, Ask, Malformed, Page, Params, Unreadable, narrows
from connector.skew import HOUR, measure_skew, skew_fits
from schemas.errors import FilterIgnored, NetworkFailed, NotAuthorised, PagesMoved, ServerUnavailable, UnexpectedShape
from schemas.values import LAST_SECOND

PAGE_CAP = 5000
"""Records a page at the most (BaseController::resolveQueryLimit); a server that clamps lower says so in each page."""
PAST_THE_END = 10**9
TOLERANCE = 3 * HOUR
"""How far before the cursor a filter that works may reach: rounding of the skew, and daylight saving on both sides."""
MOST_WALKS = 12
MOST_POISON = 20


@dataclass(frozen=True, slots=True)
class FirstLook:
    """The first request of a run: the server's clock at its start, its version, its total and its newest record."""

    began: int
    version: str | None
    total: int | None
    newest: dict[str, object] | None


@dataclass(slots=True)
class Scan:
    """A scan under way, in unix seconds: the stamp from which its current page was asked, the highest stamp seen.

    `recheck` asks once whether the newest record can be seen with the known skew: a server whose time zone was changed
    hides the hours behind the cursor, and the newest record alone would not show that.
    """

    ask: Ask
    look: FirstLook
    page_size: int = 500
    skew: int | None = None
    recheck: bool = False
    cursor: int | None = None
    newest_seen: int = 0
    full: bool = False
    poison: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def first_look(ask: Ask) -> FirstLook:
    """The newest record and the total, in one unfiltered request of one row.

    Where that record cannot be read, a page past the end still tells the clock and the total.
    """
    try:
        page = ask({"sort": "updated_at|desc", "per_page": 1})
    except UNREADABLE as problem:
        if not narrows(problem):
            raise
        page = ask({"sort": "id|asc", "per_page": 1, "page": PAST_THE_END})
    newest = page.records[0] if page.records else None
    return FirstLook(
        began=int(page.date.timestamp()),
        version=page.version,
        total=page.total,
        newest=newest if isinstance(newest, dict) else None,
    )


def read(scan: Scan, since: int | None, resume_at: int | None = None) -> Iterator[list[object]]:
    """All records stamped at or after `since`, page by page; all records where it is None.

    `resume_at` is the cursor at which an interrupted scan of the same start stood: what lies before it is not asked for
    again, as long as the server's time zone is the known one.
    A record can come more than once; its newest version is the one with the highest stamp, and of equal stamps the one
    that came last. Raises PagesMoved where the list does not come to rest, and the errors of the requests. Where the
    server turns out to ignore the filter, everything is read.
    """
    scan.full = since is None
    newest = stamp(scan.look.newest)
    if scan.skew is None:
        scan.skew = measure_skew(scan.ask, newest)
    elif scan.recheck and newest and not skew_fits(scan.ask, newest, scan.skew):
        scan.notes.append("The server's time zone has changed: its offset was measured anew.")
        scan.skew, resume_at = measure_skew(scan.ask, newest), None
    if scan.skew is None:
        yield from _read_unfiltered(scan)
        return
    try:
        yield from _keyset(scan, since if resume_at is None else resume_at)
    except FilterIgnored:
        yield from _read_otherwise(scan, since)
    if scan.newest_seen < newest:
        yield from _read_again(scan, since, newest)


def next_watermark(scan: Scan, look_back: int) -> int | None:
    """Where the next scan starts: min(newest stamp seen, the server's clock at the first request) - look-back.

    Never this machine's clock. The look-back covers changes that are committed later than they are stamped. None where
    no record was seen: the watermark stays where it is.
    """
    return max(1, min(scan.newest_seen, scan.look.began) - look_back) if scan.newest_seen else None


def stamp(record: object) -> int:
    """A record's `updated_at` in unix seconds; 0 where it has none, or one that is no time."""
    found = record.get("updated_at") if isinstance(record, dict) else None
    return found if isinstance(found, int) and 0 < found <= LAST_SECOND else 0


def key(record: object) -> str:
    """A record's id; empty where it has none."""
    found = record.get("id") if isinstance(record, dict) else record.id if isinstance(record, Malformed) else ""
    return found if isinstance(found, str) else ""


def _keyset(scan: Scan, cursor: int | None) -> Iterator[list[object]]:
    size, ceiling = scan.page_size, PAGE_CAP
    wanted = size
    while True:
        scan.cursor = cursor
        try:
            page = scan.ask({"sort": "updated_at|asc", "per_page": wanted, **_since(scan, cursor)})
        except UNREADABLE as problem:
            _check_that_it_narrows(scan, problem)
            if wanted == 1:
                yield from _walk(scan, cursor)
                return
            ceiling = wanted - 1
            size = wanted = max(1, wanted // 4)
            continue
        _check_filter(cursor, page)
        yield _seen(scan, page)
        if len(page.records) < page.per_page:
            return
        last = stamp(page.records[-1])
        if last > (cursor or 0):
            cursor, wanted = last, size
        elif page.per_page == wanted < ceiling:
            wanted = min(wanted * 2, ceiling)
        else:
            yield from _walk(scan, cursor)
            return


def _since(scan: Scan, cursor: int | None) -> dict[str, int]:
    return {} if cursor is None else {"updated_at": max(1, cursor - (scan.skew or 0))}


def _seen(scan: Scan, page: Page) -> list[object]:
    scan.newest_seen = max(scan.newest_seen, *map(stamp, page.records), 0)
    rows = [r for r in page.records if isinstance(r, dict)]
    if rows and not any(r.get("client_hash", True) for r in rows):
        raise NotAuthorised(
            "This token may not see money: the server leaves balances out and sends 0 for them. "
            "Use a token of an owner or administrator."
        )
    return page.records


def _check_filter(cursor: int | None, page: Page) -> None:
    """A row from before the cursor: the filter was ignored, or the server's time zone is not the measured one."""
    stamps = [s for s in map(stamp, page.records) if s]
    if cursor is not None and stamps and min(stamps) < cursor - TOLERANCE:
        raise FilterIgnored


def _read_otherwise(scan: Scan, cursor: int | None) -> Iterator[list[object]]:
    measured = measure_skew(scan.ask, stamp(scan.look.newest))
    if measured is None or measured == scan.skew:
        yield from _read_unfiltered(scan)
        return
    scan.skew = measured
    scan.notes.append("The server's time zone has changed; its new offset was measured.")
    yield from _keyset(scan, cursor)


def _read_unfiltered(scan: Scan) -> Iterator[list[object]]:
    """Everything by id. A filter whose skew is unknown is not used at all: it may hide rows at each page."""
    if scan.look.total != 0:
        scan.notes.append(
            "The filter `updated_at` has no effect, or its offset cannot be measured: everything was read."
        )
    scan.full = True
    yield from _walk(scan, None)


def _read_again(scan: Scan, cursor: int | None, newest: int) -> Iterator[list[object]]:
    """The newest record of the first look was not reached: its server hides the last hours, or it has vanished."""
    measured = measure_skew(scan.ask, stamp(scan.look.newest))
    if measured is not None and measured != scan.skew:
        scan.skew = measured
        scan.notes.append(
            "The server's time zone hid the newest changes; its offset was measured and all was read again."
        )
        yield from _keyset(scan, cursor)
    if scan.newest_seen < newest:
        found = scan.ask({"client_id": key(scan.look.newest), "per_page": 1}).records
        if found and stamp(found[0]) >= newest:
            raise PagesMoved(
                "The scan did not reach the newest record; nothing was stored. Try again, or `pull --full`."
            )


def _walk(scan: Scan, cursor: int | None) -> Iterator[list[object]]:
    """Everything from the cursor by id, until a walk brings all rows of the one before and none that is new to it.

    By id alone a row is lost when another one vanishes in front of it. Then that other one is missing in the next walk,
    or the lost row is new in it although it was stamped before that walk began; so there is one more.
    """
    known: dict[str, int] = {}
    scan.cursor = cursor
    for _ in range(MOST_WALKS):
        came: dict[str, int] = {}
        began, fresh = 0, False
        scan.poison.clear()  # what answers this time was no poison
        for page in _pages_by_id(scan, cursor):
            began = began or int(page.date.timestamp())
            came.update((key(r), stamp(r)) for r in page.records)
            fresh = fresh or any(stamp(r) < began and known.get(key(r)) != stamp(r) for r in page.records)
            yield _seen(scan, page)
        if not fresh and known.keys() <= came.keys():
            return
        known = came
    raise PagesMoved


def _pages_by_id(scan: Scan, cursor: int | None) -> Iterator[Page]:
    query: Params = {"sort": "id|asc", **_since(scan, cursor)}
    size, number = _power_of_two(scan.page_size), 1
    while True:
        pages, clamped, at_end = _narrowed(scan, query, number, size)
        if clamped:
            size, number = _power_of_two(clamped), 1
            continue
        yield from pages
        if at_end:
            return
        number += 1


def _narrowed(scan: Scan, query: Params, number: int, size: int) -> tuple[list[Page], int, bool]:
    """Page `number` of `size` rows, cut into halves around unreadable rows: (pages, clamped to, at the end)."""
    try:
        page = scan.ask({**query, "per_page": size, "page": number})
    except UNREADABLE as problem:
        _check_that_it_narrows(scan, problem)
        if size == 1:
            _name_poison(scan, query, number)
            return [], 0, False
        first, _, over = _narrowed(scan, query, 2 * number - 1, size // 2)
        rest, _, end = ([], 0, True) if over else _narrowed(scan, query, 2 * number, size // 2)
        return first + rest, 0, end
    clamped = page.per_page if page.per_page < size else 0
    return [page], clamped, len(page.records) < page.per_page


def _check_that_it_narrows(scan: Scan, problem: Unreadable | ServerUnavailable | NetworkFailed) -> None:
    """Raise the problem where smaller pages are no way out: the server does not even answer a page without rows."""
    if not narrows(problem):
        raise problem
    try:
        scan.ask({"sort": "id|asc", "per_page": 1, "page": PAST_THE_END})
    except UNREADABLE:
        raise problem from None


def _name_poison(scan: Scan, query: Params, number: int) -> None:
    """Note the id of a row that cannot be read; `filter_details` leaves most of its fields out, so that often helps."""
    try:
        found = scan.ask({**query, "per_page": 1, "page": number, "filter_details": "true"}).records
        name = key(found[0]) if found else ""
    except (*UNREADABLE, UnexpectedShape):
        name = ""
    name = name or f"(number {number} in the order of ids)"
    if name not in scan.poison:
        scan.poison.append(name)
    if len(scan.poison) > MOST_POISON:
        raise UnexpectedShape(f"More than {MOST_POISON} records cannot be read from the server; nothing was stored.")


def _power_of_two(limit: int) -> int:
    return 1 << (max(1, limit).bit_length() - 1)

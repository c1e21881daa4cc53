"""The scan: every record of a list, although the list changes while it is read.

Anchored to values, not to page numbers. Pages move under a live server: with offset paging, a row that is purged or
touched between two requests shifts the rows behind it, and one of them is never seen. So each request asks for page 1
of the records at or after the last stamp seen, in the order of stamps; no change can fall behind the cursor.

    keyset    sort=updated_at|asc & updated_at=<cursor>, page 1; the next cursor is the last row's stamp
    grow      a page is mostly of one second: the next one is as large as that second needs
    walk      no page is large enough, or a row is poison: read everything from that cursor by id, once, in pages that
              overlap, several at once in a full read; beside poison in several walks, until one brings all rows of the
              one before and no new row stamped before it began. A pull walks as well where the look-back alone is more
              than a page
    ranges    a large full read begins with several cursors at once, each in its own part of the list; then keyset
              goes on with the parts they left open, and with everything touched meanwhile

Every `updated_at` sent is the cursor less the skew of the server's time zone (see `connector.scan.skew`).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

from connector.scan.keyset import keyset
from connector.scan.pages import UNREADABLE, Ask, narrows
from connector.scan.ranges import cut, read_spans
from connector.scan.skew import measure_skew, skew_fits
from connector.scan.state import PAST_THE_END, FirstLook, Scan, Span, key, stamp
from connector.scan.walk import walk
from schemas.errors import FilterIgnored, PagesMoved


def first_look(ask: Ask) -> FirstLook:
    """The newest record and the total, in one unfiltered request of one row.

    If that record cannot be read, a page past the end still gives the clock and the total.
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


def read(scan: Scan, since: int | None, resume: list[Span] | None = None) -> Generator[list[object], None, None]:
    """All records stamped at or after `since`, page by page; all records where it is None.

    `resume` holds the spans that an interrupted scan with the same start left open. The rest is not requested again,
    as long as the server's time zone is unchanged.
    A record can arrive more than once. Its newest version has the highest stamp; of equal stamps, it arrived last.
    Raises PagesMoved where the list does not come to rest, and the errors of the requests. Reads everything where the
    server turns out to ignore the filter. Close the generator if you do not read it to its end: that ends the running
    requests.
    """
    scan.full = since is None
    newest = stamp(scan.look.newest)
    if scan.skew is None:
        scan.skew = measure_skew(scan.ask, newest)
    elif scan.recheck and newest and not skew_fits(scan.ask, newest, scan.skew):
        scan.notes.append("The server's time zone has changed; its offset was measured again.")
        scan.skew, resume = measure_skew(scan.ask, newest), None
    if scan.skew is None:
        yield from _read_unfiltered(scan)
        return
    try:
        yield from _read_by_stamps(scan, since, resume)
    except FilterIgnored:
        yield from _read_otherwise(scan, since)
    if scan.newest_seen < newest:
        yield from _read_again(scan, since, newest)


def _found(scan: Scan, record_id: str) -> object:
    """A record as it is now; None where it is not there."""
    if scan.find is not None:
        return scan.find(record_id)
    listed = scan.ask({"client_id": record_id, "per_page": 1}).records
    return listed[0] if listed else None


def next_watermark(scan: Scan, look_back: int) -> int | None:
    """Where the next scan starts: min(newest stamp seen, the server's clock at the first request) - look-back.

    Never this machine's clock. The look-back covers changes committed later than their stamp. None where the scan saw
    no record: the watermark does not move.
    """
    return max(1, min(scan.newest_seen, scan.look.began) - look_back) if scan.newest_seen else None


def _read_by_stamps(scan: Scan, since: int | None, resume: list[Span] | None) -> Iterator[list[object]]:
    if since is not None and resume is None and scan.recent >= scan.page_size:
        yield from walk(scan, since)
        return
    if since is not None or scan.connections == 1:
        yield from keyset(scan, resume or [(since, None)])
        return
    spans = resume or cut(scan)
    if len(spans) > 1:
        from connector.scan.side_by_side import side_by_side  # noqa: PLC0415 - an idle pull needs no threads

        yield from read_spans(scan, spans, scan.together or side_by_side)
        spans = scan.open
    yield from keyset(scan, spans)


def _read_otherwise(scan: Scan, cursor: int | None) -> Iterator[list[object]]:
    measured = measure_skew(scan.ask, stamp(scan.look.newest))
    if measured is None or measured == scan.skew:
        yield from _read_unfiltered(scan)
        return
    scan.skew = measured
    scan.notes.append("The server's time zone has changed; its new offset was measured.")
    yield from keyset(scan, [(cursor, None)])


def _read_unfiltered(scan: Scan) -> Iterator[list[object]]:
    """Read everything by id. A filter with an unknown skew is not used at all: it may hide rows on each page."""
    if scan.look.total != 0:
        scan.notes.append(
            "The filter `updated_at` has no effect, or its offset cannot be measured: everything was read."
        )
    scan.full = True
    yield from walk(scan, None)


def _read_again(scan: Scan, cursor: int | None, newest: int) -> Iterator[list[object]]:
    """The scan missed the newest record of the first look: the server hides the last hours, or the record is gone."""
    measured = measure_skew(scan.ask, stamp(scan.look.newest))
    if measured is not None and measured != scan.skew:
        scan.skew = measured
        scan.notes.append(
            "The server's time zone hid the newest changes; its offset was measured and all was read again."
        )
        yield from keyset(scan, [(cursor, None)])
    if scan.newest_seen < newest and stamp(_found(scan, key(scan.look.newest))) >= newest:
        raise PagesMoved("The scan did not reach the newest record; nothing was stored. Try again, or `pull --full`.")

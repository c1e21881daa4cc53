"""The skew of a server's time zone: by how many seconds its `updated_at` filter is off.

Invoice Ninja stores wall time of SERVER_TIMEZONE, but binds the filter in UTC (QueryFilters::updated_at, Carbon 3).
West of UTC the filter hides the last hours' changes; east of UTC it returns that many hours too much. To measure it,
ask for the newest record and move the filter hour by hour: the record is visible exactly up to the skew.
"""

from __future__ import annotations

from connector.scan.pages import UNREADABLE, Ask, narrows
from schemas.shape import value_of

HOUR = 3600
FARTHEST = 15
"""Hours beyond every time zone (-12 ... +14)."""
QUARTER = 900
"""Seconds; time zones are multiples of it. A newer record within it gives the same skew as the old newest one."""
ATTEMPTS = 3


def measure_skew(ask: Ask, newest: int) -> int | None:
    """Seconds to take off each `updated_at` sent; None where the filter has no effect, or the skew cannot be measured.

    `newest` is the stamp of the newest record, in unix seconds, or 0. Takes two requests for a server in UTC, a few
    more otherwise. A skew is rounded up to whole hours; one hour is added to it for daylight saving, unless it is zero.

    The trap: a record that changes meanwhile is visible further than the old newest one. It becomes the newest, and the
    measurement starts again. A record that vanishes makes the skew larger, which costs time and loses nothing.
    """
    for _ in range(ATTEMPTS if newest else 0):
        try:
            skew, seen = _measure_once(ask, newest)
        except UNREADABLE as problem:
            if not narrows(problem):
                raise
            return None
        if seen < newest + QUARTER:
            return skew
        newest = seen
    return None


def skew_fits(ask: Ask, newest: int, skew: int) -> bool:
    """Whether the newest record is visible with a skew measured before."""
    try:
        return newest <= _highest(ask, newest - skew) < newest + QUARTER
    except UNREADABLE as problem:
        if not narrows(problem):
            raise
        return False


def _measure_once(ask: Ask, newest: int) -> tuple[int | None, int]:
    """The skew by this newest record, and the highest stamp seen."""
    seen = 0

    def visible(hours: int) -> bool:
        nonlocal seen
        highest = _highest(ask, newest + hours * HOUR)
        seen = max(seen, highest)
        return highest >= newest

    if visible(0) and not visible(1):
        return 0, seen
    if visible(FARTHEST):
        return None, seen
    low, high = -FARTHEST, FARTHEST  # visible at low, hidden at high
    if not visible(low):
        return None, seen  # the record vanished meanwhile
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if visible(middle) else (low, middle)
    return (1 - low) * HOUR, seen


def _highest(ask: Ask, since: int) -> int:
    """The highest stamp at or after this one, by the server's filter; 0 where there is none."""
    page = ask({"sort": "updated_at|desc", "per_page": 1, "updated_at": max(1, since)})
    stamp = value_of(page.records[0], "updated_at") if page.records else None
    return stamp if isinstance(stamp, int) else 0

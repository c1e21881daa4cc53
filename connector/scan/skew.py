"""The skew of a server's time zone: by how many seconds its `updated_at` filter is off.

Invoice Ninja stores wall time of SERVER_TIMEZONE, but binds the filter in UTC (QueryFilters::updated_at, Carbon 3).
West of UTC the filter hides the last hours' changes; east of UTC it gives that many hours too much. Measured by asking
for the newest record with the filter moved hour by hour: it is visible exactly up to the skew.
"""

from __future__ import annotations

from connector.scan.pages import UNREADABLE, Ask, narrows

HOUR = 3600
FARTHEST = 15
"""Hours beyond every time zone there is (-12 ... +14)."""
QUARTER = 900
"""Time zones are multiples of it: a record that is newer by less says the same as the one that was the newest."""
ATTEMPTS = 3


def measure_skew(ask: Ask, newest: int) -> int | None:
    """Seconds to take off each `updated_at` that is sent; None where the filter has no effect, or it cannot be said.

    `newest` is the stamp of the newest record, in unix seconds, or 0. Two requests for a server in UTC, a few more
    otherwise. A skew is rounded up to whole hours, and where it is not zero, one hour more is for daylight saving.

    The trap: a record that is changed meanwhile is visible further than the one that was the newest. It becomes the
    newest, and all is asked again. One that vanishes makes the skew larger, which costs time and loses nothing.
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
    """Whether the newest record can be seen with a skew that was measured before."""
    try:
        return newest <= _highest(ask, newest - skew) < newest + QUARTER
    except UNREADABLE as problem:
        if not narrows(problem):
            raise
        return False


def _measure_once(ask: Ask, newest: int) -> tuple[int | None, int]:
    """The skew by this newest record, and the highest stamp that came."""
    seen = 0

    def visible(hours: int) -> bool:
        nonlocal seen
        found = _highest(ask, newest + hours * HOUR)
        seen = max(seen, found)
        return found >= newest

    if visible(0) and not visible(1):
        return 0, seen
    if visible(FARTHEST):
        return None, seen
    low, high = -FARTHEST, FARTHEST  # visible at low, hidden at high
    if not visible(low):
        return None, seen  # the record has vanished meanwhile
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if visible(middle) else (low, middle)
    return (1 - low) * HOUR, seen


def _highest(ask: Ask, since: int) -> int:
    """The highest stamp at or after this one, by the server's filter; 0 where there is none."""
    page = ask({"sort": "updated_at|desc", "per_page": 1, "updated_at": max(1, since)})
    found = page.records[0] if page.records else None
    stamp = found.get("updated_at") if isinstance(found, dict) else None
    return stamp if isinstance(stamp, int) else 0

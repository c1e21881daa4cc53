"""The skew of a server's time zone: by how many seconds its `updated_at` filter is off.

Invoice Ninja stores wall time of SERVER_TIMEZONE, but binds the filter in UTC (QueryFilters::updated_at, Carbon 3).
West of UTC the filter hides the last hours' changes; east of UTC it gives that many hours too much. Measured by asking
for the newest record with the filter moved hour by hour: it is visible exactly up to the skew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.pages import Page

HOUR = 3600
FARTHEST = 15
"""Hours beyond every time zone there is (-12 ... +14)."""


def measure_skew(ask: Callable[[Mapping[str, str | int]], Page], newest: int) -> int | None:
    """Seconds to take off each `updated_at` that is sent; None where the filter has no effect at all.

    `newest` is the stamp of the newest record, in unix seconds. Two requests for a server in UTC, a few more otherwise.
    A skew is rounded up to whole hours, and one hour more is taken for daylight saving, where it is not zero.
    """

    def visible(hours: int) -> bool:
        page = ask({"sort": "updated_at|desc", "per_page": 1, "updated_at": newest + hours * HOUR})
        found = page.records[0] if page.records else None
        return isinstance(found, dict) and found.get("updated_at", 0) >= newest

    if visible(0) and not visible(1):
        return 0
    if visible(FARTHEST):
        return None
    low, high = -FARTHEST, FARTHEST  # visible at low, hidden at high
    if not visible(low):
        return 0  # the record has vanished meanwhile: nothing can be said
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if visible(middle) else (low, middle)
    return (1 - low) * HOUR

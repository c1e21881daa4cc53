"""Stops reading a list that never ends: checks that its pages still bring new records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from connector.scan.pages import Page
from connector.scan.state import key
from schemas.errors import EndlessList

MOST_STALE: Final = 30
"""Pages in a row without a new record. A few are normal: records move to later pages while others change."""
FAR: Final = 10
"""How often the server's own total may arrive in one reading: records that change meanwhile arrive again."""
SLACK: Final = 10_000
"""Records allowed beyond that, because some servers report a wrong total."""
REMEMBERED: Final = 50_000
"""Ids remembered at most: a list that repeats itself has a short cycle, and memory stays small."""


class Progress:
    """One reading of one list, page by page. Raises EndlessList where the list cannot end."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._stale = self._rows = self._pages = 0
        self._most = -1

    def check(self, pages: Sequence[Page]) -> None:
        """Count one step of the reading: one page, or the parts of a page that was divided."""
        records = [record for page in pages for record in page.records]
        if not records:
            return
        ids = set(map(key, records))
        self._pages, self._rows = self._pages + 1, self._rows + len(records)
        self._stale = self._stale + 1 if ids <= self._known else 0
        if len(self._known) > REMEMBERED:
            self._known.clear()
        self._known |= ids
        if self._stale > MOST_STALE:
            raise EndlessList(
                f"The server's list does not end: {self._stale} pages in a row held only records that had come "
                "before. Reading stopped. Does a cache or a proxy in front of the server drop the page number?"
            )
        # The largest total counts: where the filter moves on with the reading, the total shrinks.
        self._most = max([self._most, *(page.total for page in pages if page.total is not None)])
        if self._most >= 0 and self._rows > FAR * self._most + SLACK:
            raise EndlessList(
                f"The server's list does not end: {self._rows:,} records came in {self._pages:,} pages, but the server "
                f"reports a total of {self._most:,}. Reading stopped. Ask the people who run the server."
            )

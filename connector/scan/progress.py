"""Whether the pages of a list still bring something: the guard against a server whose list never ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from connector.scan.pages import Page
from connector.scan.state import key
from schemas.errors import EndlessList

MOST_STALE: Final = 30
"""Pages in a row with known records only. A few are no fault: records move to later pages while others are changed."""
FAR: Final = 10
"""So many times the server's own total may come in one reading: records that change meanwhile come again."""
SLACK: Final = 10_000
"""Records that may come beyond that, as some servers give a wrong total."""
REMEMBERED: Final = 50_000
"""Ids that are remembered at the most: a list that repeats has a short round, and memory stays small."""


class Progress:
    """One reading of one list, page by page. Raises EndlessList where it cannot come to an end."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._stale = self._rows = self._pages = 0
        self._most = -1

    def check(self, pages: Sequence[Page]) -> None:
        """Take the answer to one step of the reading: one page, or the parts of one that was divided."""
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
                f"The server's list does not end: {self._stale} pages in a row brought only records that had come "
                "before. The reading was stopped. Does a cache or a proxy in front of the server drop the page number?"
            )
        # The largest counts: where the filter moves on with the reading, the total shrinks to what is left.
        self._most = max([self._most, *(page.total for page in pages if page.total is not None)])
        if self._most >= 0 and self._rows > FAR * self._most + SLACK:
            raise EndlessList(
                f"The server's list does not end: {self._rows:,} records came in {self._pages:,} pages, and the server "
                f"says that there are {self._most:,}. The reading was stopped. Ask the people who run the server."
            )

"""A scan under way: what it has come to, what is still open of it, and what every answer to it is held to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.scan.pages import UNREADABLE, Ask, Malformed, Page, narrows
from connector.scan.skew import HOUR
from schemas.errors import FilterIgnored, NetworkFailed, NotAuthorised, ServerUnavailable, Unreadable
from schemas.values import LAST_SECOND

PAST_THE_END = 10**9
TOLERANCE = 3 * HOUR
"""How far before the cursor a filter that works may reach: rounding of the skew, and daylight saving on both sides."""

Span = tuple[int | None, int | None]
"""Stamps from a cursor (None: from the first record on, those without a stamp too) up to an end that is not in it
(None: to the end of the list)."""
Together = Callable[[Sequence[Iterator[Any]], int], Iterator[tuple[int, Any]]]
"""Goes through several iterators at once, so many at the most: (which one, its item), in no order between them."""


@dataclass(frozen=True, slots=True)
class FirstLook:
    """The first request of a run: the server's clock at its start, its version, its total and its newest record."""

    began: int
    version: str | None
    total: int | None
    newest: dict[str, object] | None


@dataclass(slots=True)
class Scan:
    """A scan under way, in unix seconds. `open` is what was not read when its last page was handed over, by stamps.

    `connections` is how many requests a full read may have under way at once; `together` sees to that (threads, where
    none is given). `recheck` asks once whether the newest record can be seen with the known skew: a server whose time
    zone was changed hides the hours behind the cursor, and the newest record alone would not show that.
    `unread` counts the places of one walk that could not be read: several of them can have one name in `poison`.
    """

    ask: Ask
    look: FirstLook
    page_size: int = 500
    skew: int | None = None
    recheck: bool = False
    connections: int = 1
    together: Together | None = None
    open: list[Span] = field(default_factory=list)
    newest_seen: int = 0
    full: bool = False
    poison: list[str] = field(default_factory=list)
    unread: int = 0
    notes: list[str] = field(default_factory=list)


def stamp(record: object) -> int:
    """A record's `updated_at` in unix seconds; 0 where it has none, or one that is no time."""
    found = record.get("updated_at") if isinstance(record, dict) else None
    return found if isinstance(found, int) and 0 < found <= LAST_SECOND else 0


def key(record: object) -> str:
    """A record's id; empty where it has none."""
    found = record.get("id") if isinstance(record, dict) else record.id if isinstance(record, Malformed) else ""
    return found if isinstance(found, str) else ""


def since(scan: Scan, cursor: int | None) -> dict[str, int]:
    """The filter for what is stamped at or after the cursor; none for the first request of a full read."""
    return {} if cursor is None else {"updated_at": max(1, cursor - (scan.skew or 0))}


def seen(scan: Scan, records: list[object]) -> list[object]:
    """The records, noted for the watermark: called where they are handed over, by one thread."""
    scan.newest_seen = max(scan.newest_seen, *map(stamp, records), 0)
    return records


def check_money(page: Page) -> None:
    """Raises NotAuthorised where the token may not see money: Invoice Ninja sends zeros then."""
    rows = [r for r in page.records if isinstance(r, dict)]
    if rows and not any(r.get("client_hash", True) for r in rows):
        raise NotAuthorised(
            "This token may not see money: the server leaves balances out and sends 0 for them. "
            "Use a token of an owner or administrator."
        )


def check_filter(cursor: int | None, page: Page) -> None:
    """A row from before the cursor: the filter was ignored, or the server's time zone is not the measured one."""
    stamps = [s for s in map(stamp, page.records) if s]
    if cursor is not None and stamps and min(stamps) < cursor - TOLERANCE:
        raise FilterIgnored


def check_that_it_narrows(scan: Scan, problem: Unreadable | ServerUnavailable | NetworkFailed) -> None:
    """Raise the problem where smaller pages are no way out: the server does not even answer a page without rows."""
    if not narrows(problem):
        raise problem
    try:
        scan.ask({"sort": "id|asc", "per_page": 1, "page": PAST_THE_END})
    except UNREADABLE:
        raise problem from None

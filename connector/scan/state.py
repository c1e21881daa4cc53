"""The state of a running scan: its results so far, its open spans, and the checks on every answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from connector.scan.pages import UNREADABLE, Ask, Page, narrows
from connector.scan.skew import HOUR
from schemas.errors import FilterIgnored, NetworkFailed, NotAuthorised, ServerUnavailable, Unreadable
from schemas.shape import Shaped, value_of
from schemas.values import LAST_SECOND

PAST_THE_END = 10**9
TOLERANCE = 3 * HOUR
"""Seconds before the cursor that a working filter may reach: rounding of the skew, daylight saving on both sides."""

Span = tuple[int | None, int | None]
"""Stamps from a cursor (None: from the first record, those without a stamp too) up to an end that it excludes
(None: to the end of the list)."""
Together = Callable[[Sequence[Iterator[Any]], int], Iterator[tuple[int, Any]]]
"""Iterates over several iterators, at most so many at once: (which one, its item), in no order between them."""


class FirstLook(msgspec.Struct, frozen=True):
    """The first request of a run: the server's clock at its start, its version, its total and its newest record."""

    began: int
    version: str | None
    total: int | None
    newest: dict[str, object] | None


class Wall(NamedTuple):
    """A second from which only a walk goes on: the largest page worth asking there, and about how many rows it has.

    The rows are those stamped at or after it; 0 where that is unknown.
    """

    page: int
    rows: int = 0


class Scan(msgspec.Struct):
    """A running scan, in unix seconds. `open` holds the spans still unread when its last page was handed over.

    `connections` is how many requests a full read may run at once; `together` runs them (threads, where None).
    `recheck` checks once whether the newest record is visible with the known skew. If the server's time zone was
    changed, it hides the hours behind the cursor, and the newest record alone would not show that.
    `find` reads one record by its id; without it, the list is asked. `recent` is how many records the warehouse has
    from the start of this scan on, which are those that it brings again.
    `walls` are the cursors from which only a walk goes on.
    `unread` counts the unreadable places of one walk: several of them can have one name in `poison`.
    """

    ask: Ask
    look: FirstLook
    page_size: int = 500
    skew: int | None = None
    recheck: bool = False
    connections: int = 1
    together: Together | None = None
    find: Callable[[str], object] | None = None
    recent: int = 0
    walls: dict[int | None, Wall] = {}
    open: list[Span] = []
    newest_seen: int = 0
    full: bool = False
    poison: list[str] = []
    unread: int = 0
    notes: list[str] = []


def stamp(record: object) -> int:
    """A record's `updated_at` in unix seconds; 0 where it has none, or one that is not a time."""
    updated_at = value_of(record, "updated_at")
    return updated_at if isinstance(updated_at, int) and 0 < updated_at <= LAST_SECOND else 0


def key(record: object) -> str:
    """A record's id; empty where it has none."""
    record_id = value_of(record, "id")
    return record_id if isinstance(record_id, str) else ""


def since(scan: Scan, cursor: int | None) -> dict[str, int]:
    """The filter for records stamped at or after the cursor; none for the first request of a full read."""
    return {} if cursor is None else {"updated_at": max(1, cursor - (scan.skew or 0))}


def seen(scan: Scan, records: list[object]) -> list[object]:
    """The records, counted for the watermark. Call it where they are handed over, in one thread."""
    scan.newest_seen = max(scan.newest_seen, *map(stamp, records), 0)
    return records


def check_money(page: Page) -> None:
    """Raise NotAuthorised where the token may not see money: Invoice Ninja then sends zeros."""
    rows = [r for r in page.records if isinstance(r, (dict, Shaped))]
    if rows and not any(value_of(r, "client_hash", True) for r in rows):
        raise NotAuthorised(
            "This token may not see money: the server leaves balances out and sends 0 for them. "
            "Use a token of an owner or administrator."
        )


def check_filter(cursor: int | None, page: Page) -> None:
    """Raise FilterIgnored for a row before the cursor: no filter at work, or another time zone than measured."""
    stamps = [s for s in map(stamp, page.records) if s]
    if cursor is not None and stamps and min(stamps) < cursor - TOLERANCE:
        raise FilterIgnored


def check_that_it_narrows(scan: Scan, problem: Unreadable | ServerUnavailable | NetworkFailed) -> None:
    """Raise the problem where smaller pages do not help: the server cannot even answer a page without rows."""
    if not narrows(problem):
        raise problem
    try:
        scan.ask({"sort": "id|asc", "per_page": 1, "page": PAST_THE_END})
    except UNREADABLE:
        raise problem from None

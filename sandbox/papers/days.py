"""Filters by the days on papers: from a day on, and between two (InvoiceFilters, PaymentFilters, QueryFilters).

The server compares a day with a moment, as if the day were its midnight.
"""

from __future__ import annotations

from datetime import datetime

from sandbox.clients.query import Filter, Query
from sandbox.php.php_time import bound_moment, parse
from sandbox.store.database import columns
from sandbox.store.world import World
from sandbox.wire.answers import server_error

MIDNIGHT = "{} || ' 00:00:00'"


def _text(moment: datetime | None) -> str | None:
    return moment.replace(microsecond=0).isoformat(" ") if moment else None


def from_day(column: str, *, breaks: bool = False) -> Filter:
    """Rows of this day or a later one; a text that means no day filters nothing, or breaks."""

    def apply(query: Query, value: str | None, world: World) -> None:
        if not value:
            return
        if (moment := _text(bound_moment(value, world.clock.now(), world.zone()))) is not None:
            query.add(f"{MIDNIGHT.format(column)} >= ?", moment)
        elif breaks:
            raise server_error()

    return apply


def between_days(column: str, *, named: bool = False) -> Filter:
    """`first,last`, or with `named` the column's name before them; anything else, also seconds, filters nothing."""

    def apply(query: Query, value: str | None, world: World) -> None:
        parts = (value or "").split(",")
        if named and parts.pop(0) != column:
            return
        if len(parts) != 2 or column not in columns(world.db, query.table):  # noqa: PLR2004 - first and last
            return
        now = datetime.fromtimestamp(world.clock.now(), world.zone()).replace(tzinfo=None)
        first, last = (_text(parse(part, now)) for part in parts)
        if first is not None and last is not None:
            query.add(f"{MIDNIGHT.format(column)} BETWEEN ? AND ?", first, last)

    return apply

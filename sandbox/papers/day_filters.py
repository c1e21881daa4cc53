"""Query parameters about days: from a day on, and between two days (InvoiceFilters, QueryFilters)."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.clients.query import Filter, Query
from sandbox.php.php_time import bound_moment, parse
from sandbox.store.database import columns
from sandbox.store.world import World

Moment = datetime


def from_day(column: str) -> Filter:
    """Rows with a day at or after this moment, given as a text or in seconds."""

    def apply(query: Query, value: str | None, world: World) -> None:
        moment = bound_moment(value, world.clock.now(), UTC) if value else None
        if moment is not None:
            query.add(f"{column} {_from(moment)} ?", moment.date().isoformat())

    return apply


def _from(moment: Moment) -> str:
    """A day is its midnight to the database: the day of a later moment is before it."""
    return ">=" if moment.time() == moment.time().min else ">"


def between(column: str, *, named: bool = False) -> Filter:
    """`start,end`, both included; with `named` the column's name comes first. Anything else restricts nothing."""

    def apply(query: Query, value: str | None, world: World) -> None:
        parts = (value or "").split(",")
        if named and parts.pop(0) != column:
            return
        if len(parts) != 2 or column not in columns(world.db, query.table):  # noqa: PLR2004 - start and end
            return
        now = datetime.fromtimestamp(world.clock.now(), UTC).replace(tzinfo=None)
        start, end = (parse(part, now) for part in parts)
        if start is not None and end is not None:
            days = (start.date().isoformat(), end.date().isoformat())
            query.add(f"({column} {_from(start)} ? AND {column} <= ?)", *days)

    return apply

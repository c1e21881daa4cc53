"""A SELECT of one table in the making, and the query parameters that every list understands (QueryFilters.php).

The server looks parameters up as PHP methods. So names are case-insensitive, unknown ones are ignored, and a value that
is not text, or is empty, calls the method without its argument: hence every filter takes None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.php import hashids
from sandbox.php.php_time import bound_moment
from sandbox.php.text import leading_number, to_int
from sandbox.store.world import MICROS, World
from sandbox.wire.access import Token
from sandbox.wire.answers import server_error
from sandbox.wire.calls import Call

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STATUSES = {
    "active": "deleted_at IS NULL",
    "archived": "(deleted_at IS NOT NULL AND is_deleted = 0)",
    "deleted": "is_deleted = 1",
}


@dataclass(slots=True)
class Query:
    """A SELECT in the making, of clients unless it names another table."""

    conditions: list[str]
    args: list[Any]
    order: list[str] = field(default_factory=list)
    order_args: list[Any] = field(default_factory=list)
    details_only: bool = False
    table: str = "clients"

    def add(self, condition: str, *args: Any) -> None:
        """Restrict it further."""
        self.conditions.append(condition)
        self.args.extend(args)

    def where(self) -> str:
        """The conditions as SQL."""
        return " AND ".join(self.conditions)


Filter = Callable[[Query, str | None, World], None]


def apply_all(query: Query, call: Call, filters: Mapping[str, Filter]) -> None:
    """Apply every parameter of the request that has a filter, in the order of the request."""
    for name, value in call.input.items():
        apply = filters.get(name.lower())
        if apply:
            apply(query, value if isinstance(value, str) else None, call.world)


def only_visible(query: Query, token: Token, entity: str = "client") -> None:
    """Only the user's own rows, unless they may see all; the others stay hidden (BaseController.php:920-939)."""
    if not token.may(f"view_{entity}"):
        query.add("(user_id = ? OR assigned_user_id = ?)", token.user_id, token.user_id)


def since(query: Query, call: Call) -> None:
    """The second check of `updated_at`, which all lists take: exact in any time zone (BaseController.php:947-949)."""
    value = call.input.get("updated_at")
    if value is None or isinstance(value, list | dict) or not _above_zero(value):
        return
    seconds = to_int(value)
    too_late = bound_moment(str(seconds), 0, UTC) is None  # milliseconds; equal to no stamp but NULL
    query.add("updated_at >= ?", 0 if too_late else seconds * MICROS)


def _above_zero(value: Any) -> bool:
    """PHP 8's `$value > 0`: it compares a text that is not a number as text."""
    number = leading_number(value)
    return number > 0 if number or not isinstance(value, str) else value > "0"


# ---- filters --------------------------------------------------------------------------------------------------------


def stamp_filter(column: str) -> Filter:
    """Rows stamped at or after a moment in this column."""

    def apply(query: Query, value: str | None, world: World) -> None:
        moment = bound_moment(value, world.clock.now(), world.zone()) if value else None
        if moment is None:
            return
        # Rows are stored in the server's own time, but seconds are bound in UTC: away from UTC this is skewed.
        aware = moment.replace(microsecond=0, tzinfo=world.zone())
        query.add(f"{column} >= ?", (aware - EPOCH) // timedelta(microseconds=1))

    return apply


def by_status(query: Query, value: str | None, _: World) -> None:
    """Rows in one of these states; words that are none are left out."""
    wanted = [STATUSES[word] for word in (value or "").split(",") if word in STATUSES]
    if wanted:
        query.add("(" + " OR ".join(wanted) + ")")


def by_is_deleted(query: Query, value: str | None, _: World) -> None:
    """MySQL reads "true" as 0: the rows that are not deleted."""
    query.add("is_deleted = ?", leading_number(value))


def with_trashed(query: Query, value: str | None, _: World) -> None:
    """`false` leaves deleted rows out."""
    if value is None:
        raise server_error()
    if value == "false":
        query.add("is_deleted = 0")


def split(_: Query, value: str | None, __: World) -> None:
    """A helper of the server that a parameter can call; without a colon it breaks."""
    if value is None or ":" not in value:
        raise server_error()


def broken_for(*values: str | None) -> Filter:
    """A method of the filter class that breaks for these values, without any for all."""

    def apply(_: Query, value: str | None, __: World) -> None:
        if not values or value in values:
            raise server_error()

    return apply


def like(*names: str) -> str:
    """A condition: the text is somewhere in one of these columns. Each of them takes one argument."""
    return " OR ".join(f"unicode_like(?, {name})" for name in names)


def equals(column: str) -> Filter:
    """Rows with exactly this text."""

    def apply(query: Query, value: str | None, _: World) -> None:
        if value:
            query.add(f"{column} = ?", value)

    return apply


def hashed(column: str) -> Filter:
    """Rows with the number behind this hashed id."""

    def apply(query: Query, value: str | None, _: World) -> None:
        if value:
            query.add(f"{column} = ?", hashids.decode(value))

    return apply


def with_row(query: Query, value: str | None, _: World) -> None:
    """OR one row into the conditions so far and put it first (QueryFilters.php:319-335)."""
    if value:
        number = hashids.decode(value)
        query.conditions = [f"(({query.where()}) OR id = ?)", "company_id = ?"]
        query.args += [number, query.args[0]]
        query.order.append("id = ? DESC")
        query.order_args.append(number)


def nothing(_: Query, __: str | None, ___: World) -> None:
    """A method of the filter class that restricts nothing here."""


SHARED: dict[str, Filter] = {
    "updated_at": stamp_filter("updated_at"),
    "created_at": stamp_filter("created_at"),
    "status": by_status,
    "is_deleted": by_is_deleted,
    "with_trashed": with_trashed,
    "split": split,
    "apply": broken_for(),
    "filters": nothing,
    "entityfilter": nothing,
    "with": with_row,
}

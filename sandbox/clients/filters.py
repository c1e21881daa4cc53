"""The query parameters of `GET /clients`, each with the SQL that the server makes of it (QueryFilters, ClientFilters).

The server looks parameters up as PHP methods. So names are case-insensitive, unknown ones are ignored, and a value that
is not text, or is empty, calls the method without its argument: hence every filter takes None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.php import hashids
from sandbox.php.php_time import bound_moment
from sandbox.php.text import leading_number, to_int
from sandbox.store.database import columns
from sandbox.store.world import MICROS, World
from sandbox.wire.access import Token
from sandbox.wire.answers import server_error
from sandbox.wire.calls import Call

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MONEY = ("balance", "paid_to_date", "payment_balance", "credit_balance")
NUMBERS = (
    "id",
    "company_id",
    "user_id",
    "assigned_user_id",
    "group_settings_id",
    "size_id",
    "industry_id",
    "country_id",
)
OPERATORS = {"lt": "<", "gt": ">", "lte": "<=", "gte": ">=", "eq": "="}
STATUSES = {
    "active": "deleted_at IS NULL",
    "archived": "(deleted_at IS NOT NULL AND is_deleted = 0)",
    "deleted": "is_deleted = 1",
}
LIVE_CONTACT = "EXISTS (SELECT 1 FROM contacts c WHERE c.client_id = clients.id AND c.deleted_at IS NULL AND {})"


@dataclass(slots=True)
class Query:
    """A SELECT on clients in the making."""

    conditions: list[str]
    args: list[Any]
    order: list[str] = field(default_factory=list)
    order_args: list[Any] = field(default_factory=list)
    details_only: bool = False

    def add(self, condition: str, *args: Any) -> None:
        """Restrict it further."""
        self.conditions.append(condition)
        self.args.extend(args)

    def where(self) -> str:
        """The conditions as SQL."""
        return " AND ".join(self.conditions)


Filter = Callable[[Query, str | None, World], None]


def filtered(call: Call) -> Query:
    """The company's clients under every parameter of the request, in the order of the request."""
    query = Query(["company_id = ?"], [call.token.company_id])
    generation = call.world.generation
    for name, value in call.input.items():
        apply = FILTERS.get(name.lower())
        if name == "sort" and isinstance(value, list) and generation.sorts_by_several:
            for column in value:
                _sort(query, column if isinstance(column, str) else None, call.world)
        elif apply:
            apply(query, value if isinstance(value, str) else None, call.world)
    since(query, call)
    only_visible(query, call.token)
    if generation.newest_first and not query.order:
        query.order.append("id DESC")
    return query


def only_visible(query: Query, token: Token) -> None:
    """Only the user's own clients, unless they may see all; the others stay hidden (BaseController.php:920-939)."""
    if not token.may("view_client"):
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


def _stamp_filter(column: str) -> Filter:
    def apply(query: Query, value: str | None, world: World) -> None:
        moment = bound_moment(value, world.clock.now(), world.zone()) if value else None
        if moment is None:
            return
        # Rows are stored in the server's own time, but seconds are bound in UTC: away from UTC this is skewed.
        aware = moment.replace(microsecond=0, tzinfo=world.zone())
        query.add(f"{column} >= ?", (aware - EPOCH) // timedelta(microseconds=1))

    return apply


def _status(query: Query, value: str | None, _: World) -> None:
    wanted = [STATUSES[word] for word in (value or "").split(",") if word in STATUSES]
    if wanted:
        query.add("(" + " OR ".join(wanted) + ")")


def _is_deleted(query: Query, value: str | None, _: World) -> None:
    query.add("is_deleted = ?", leading_number(value))  # MySQL reads "true" as 0: the rows that are not deleted


def _with_trashed(query: Query, value: str | None, _: World) -> None:
    if value is None:
        raise server_error()
    if value == "false":
        query.add("is_deleted = 0")


def _broken_for(*values: str | None) -> Filter:
    def apply(_: Query, value: str | None, __: World) -> None:
        if not values or value in values:
            raise server_error()

    return apply


def _split(_: Query, value: str | None, __: World) -> None:
    if value is None or ":" not in value:
        raise server_error()


def _like(*names: str) -> str:
    return " OR ".join(f"unicode_like(?, {name})" for name in names)


def _name(query: Query, value: str | None, _: World) -> None:
    if value:
        query.add(_like("name"), f"%{value}%")


def _text(query: Query, value: str | None, world: World) -> None:
    """One phrase, or each of its words, somewhere in the client or its contacts."""
    for phrase in (value or "").split(" ") if world.generation.filters_by_words else [value]:
        if phrase:
            _phrase(query, phrase)


def _phrase(query: Query, value: str) -> None:
    own = ("name", "id_number", "number", "custom_value1", "custom_value2", "custom_value3", "custom_value4")
    contact = ("c.first_name", "c.last_name", "c.email", "c.phone")
    query.add(
        f"({_like(*own)} OR {LIVE_CONTACT.format(f'({_like(*contact)})')})", *[f"%{value}%"] * (len(own) + len(contact))
    )


def _email(query: Query, value: str | None, _: World) -> None:
    if value:
        query.add(LIVE_CONTACT.format("c.email = ?"), value)


def _equals(column: str) -> Filter:
    def apply(query: Query, value: str | None, _: World) -> None:
        if value:
            query.add(f"{column} = ?", value)

    return apply


def _hashed(column: str) -> Filter:
    def apply(query: Query, value: str | None, _: World) -> None:
        if value:
            query.add(f"{column} = ?", hashids.decode(value))

    return apply


def _with(query: Query, value: str | None, _: World) -> None:
    """OR one client into the conditions so far and put it first (QueryFilters.php:319-335)."""
    if value:
        number = hashids.decode(value)
        query.conditions = [f"(({query.where()}) OR id = ?)", "company_id = ?"]
        query.args += [number, query.args[0]]
        query.order.append("id = ? DESC")
        query.order_args.append(number)


def _balance(query: Query, value: str | None, world: World) -> None:
    """`value:operator`; the other way round, as documented, compares with 0 (QueryFilters.php:119-129)."""
    if value and ":" in value:
        amount, operator, *_rest = value.split(":")
        if world.generation.operator_first:
            amount, operator = operator, amount
        query.add(f"CAST(balance AS REAL) {OPERATORS.get(operator, '=')} ?", leading_number(amount))


def _between_balance(query: Query, value: str | None, _: World) -> None:
    parts = (value or "").split(":")
    if len(parts) == 2:  # noqa: PLR2004 - from and to
        query.add("CAST(balance AS REAL) BETWEEN ? AND ?", *map(leading_number, parts))


def _filter_details(query: Query, value: str | None, _: World) -> None:
    query.details_only = value == "true"


def _sort(query: Query, value: str | None, world: World) -> None:
    """`column|direction` with exactly one `|`; any direction but `asc` is descending (ClientFilters.php:155-178)."""
    parts = (value or "").split("|")
    if len(parts) != 2 or parts[0] == "documents":  # noqa: PLR2004 - column and direction
        return
    column = {"display_name": "name"}.get(parts[0], parts[0].lower())
    if column not in columns(world.db, "clients"):
        if world.generation.ignores_unknown_sort:
            return
        raise server_error()
    query.order.append(f"{_sortable(column)} {'ASC' if parts[1] == 'asc' else 'DESC'}")


def _sortable(column: str) -> str:
    if column == "number":
        return "digits_in(number)"
    if column in MONEY:
        return f"CAST({column} AS REAL)"
    plain = column in NUMBERS or column.endswith(("_at", "_login")) or column.startswith(("is_", "has_"))
    return column if plain else f"folded({column})"


def _nothing(_: Query, __: str | None, ___: World) -> None:
    """A method of the filter class that restricts nothing here."""


FILTERS: dict[str, Filter] = {
    "updated_at": _stamp_filter("updated_at"),
    "created_at": _stamp_filter("created_at"),
    "status": _status,
    "is_deleted": _is_deleted,
    "with_trashed": _with_trashed,
    "filter_deleted_clients": _broken_for("true", None),
    "without_deleted_clients": _broken_for(),
    "without_deleted_vendors": _broken_for(),
    "split": _split,
    "apply": _broken_for(),
    "filters": _nothing,
    "entityfilter": _nothing,
    "vendor_id": _nothing,
    "client_id": _hashed("id"),
    "with": _with,
    "name": _name,
    "email": _email,
    "id_number": _equals("id_number"),
    "number": _equals("number"),
    "group": _hashed("group_settings_id"),
    "filter": _text,
    "balance": _balance,
    "between_balance": _between_balance,
    "filter_details": _filter_details,
    "sort": _sort,
}

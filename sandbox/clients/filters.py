"""The query parameters of `GET /clients`, each with the SQL that the server makes of it (ClientFilters)."""

from __future__ import annotations

from sandbox.clients.query import (
    SHARED,
    Filter,
    Query,
    broken_for,
    equals,
    hashed,
    like,
    nothing,
    only_visible,
    since,
)
from sandbox.php.text import leading_number
from sandbox.store.database import columns
from sandbox.store.world import World
from sandbox.wire.answers import server_error
from sandbox.wire.calls import Call

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
LIVE_CONTACT = "EXISTS (SELECT 1 FROM contacts c WHERE c.client_id = clients.id AND c.deleted_at IS NULL AND {})"


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


def _name(query: Query, value: str | None, _: World) -> None:
    if value:
        query.add(like("name"), f"%{value}%")


def _text(query: Query, value: str | None, world: World) -> None:
    """One phrase, or each of its words, somewhere in the client or its contacts."""
    for phrase in (value or "").split(" ") if world.generation.filters_by_words else [value]:
        if phrase:
            _phrase(query, phrase)


def _phrase(query: Query, value: str) -> None:
    own = ("name", "id_number", "number", "custom_value1", "custom_value2", "custom_value3", "custom_value4")
    contact = ("c.first_name", "c.last_name", "c.email", "c.phone")
    query.add(
        f"({like(*own)} OR {LIVE_CONTACT.format(f'({like(*contact)})')})", *[f"%{value}%"] * (len(own) + len(contact))
    )


def _email(query: Query, value: str | None, _: World) -> None:
    if value:
        query.add(LIVE_CONTACT.format("c.email = ?"), value)


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


FILTERS: dict[str, Filter] = {
    **SHARED,
    "filter_deleted_clients": broken_for("true", None),
    "without_deleted_clients": broken_for(),
    "without_deleted_vendors": broken_for(),
    "vendor_id": nothing,
    "client_id": hashed("id"),
    "name": _name,
    "email": _email,
    "id_number": equals("id_number"),
    "number": equals("number"),
    "group": hashed("group_settings_id"),
    "filter": _text,
    "balance": _balance,
    "between_balance": _between_balance,
    "filter_details": _filter_details,
    "sort": _sort,
}

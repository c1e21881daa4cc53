"""What lists, shows and bulk actions must know about one kind of record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.clients.query import Filter, Query, hashed, like
from sandbox.store.database import Row, columns
from sandbox.store.world import World
from sandbox.wire.calls import Call

Json = dict[str, Any]
Shown = Callable[[Call, Sequence[Row]], list[Json]]
"""The rows of a page as JSON, all at once: one query for each table behind them."""
Include = Callable[[Call, Sequence[Row], Sequence[Json]], None]
"""Adds one relation to the JSON of each row."""
CONTACT_OF_CLIENT = (
    "EXISTS (SELECT 1 FROM contacts c WHERE c.client_id = {table}.client_id AND c.deleted_at IS NULL AND ({like}))"
)
CLIENT_NAME = "(SELECT name FROM clients WHERE clients.id = {table}.client_id)"
LINE = (
    "EXISTS (SELECT 1 FROM json_each(line_items) line WHERE unicode_like(?, json_extract(line.value, '$.notes'))"
    " OR unicode_like(?, json_extract(line.value, '$.product_key')))"
)
FIGURES = frozenset(
    (
        "amount", "balance", "paid_to_date", "partial", "applied", "refunded", "discount", "total_taxes",
        "exchange_rate", "price", "cost", "quantity", "tax_rate1", "tax_rate2", "tax_rate3", "custom_surcharge1",
        "custom_surcharge2", "custom_surcharge3", "custom_surcharge4",
    )
)  # fmt: skip
"""Columns that hold a decimal as text, and sort as a number."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its table is also its path, `model` its name in errors, `entity` its word in permissions."""

    table: str
    model: str
    entity: str
    shown: Shown
    filters: Mapping[str, Filter] = field(default_factory=dict)
    """Its own query parameters; those of every kind of paper are in `shared_filters`."""
    includes: Mapping[str, Include] = field(default_factory=dict)
    relations: frozenset[str] = frozenset()
    """Names that `include=` accepts without an effect, besides its includes."""


def one_of(conditions: Mapping[str, str]) -> Filter:
    """`client_status`: rows that meet one of the words' conditions; without a known word, or with `all`, every row."""

    def apply(query: Query, value: str | None, _: World) -> None:
        words = (value or "").split(",")
        wanted = [condition for word, condition in conditions.items() if word in words]
        if wanted and "all" not in words:
            query.add("(" + " OR ".join(wanted) + ")")

    return apply


def text_in(*own: str, lines: bool = False) -> Filter:
    """`filter`: a text in one of these columns, in the client's name, in its contacts, or in the lines."""

    def apply(query: Query, value: str | None, _: World) -> None:
        if not value:
            return
        names = [f"printf('%.6f', CAST({name} AS REAL))" if name in FIGURES else name for name in own]
        contact = CONTACT_OF_CLIENT.format(table=query.table, like=like("c.first_name", "c.last_name", "c.email"))
        found = [like(*names, CLIENT_NAME.format(table=query.table)), contact, *([LINE] if lines else [])]
        query.add(f"({' OR '.join(found)})", *[f"%{value}%"] * sum(x.count("?") for x in found))

    return apply


def contains(column: str) -> Filter:
    """Rows with the text somewhere in one column."""

    def apply(query: Query, value: str | None, _: World) -> None:
        if value:
            query.add(like(column), f"%{value}%")

    return apply


def of_client(query: Query, value: str | None, world: World) -> None:
    """`client_id`: silently ignored where the table has no such column."""
    if "client_id" in columns(world.db, query.table):
        hashed("client_id")(query, value, world)


def of_vendor(query: Query, value: str | None, world: World) -> None:
    """`vendor_id`: silently ignored where the table has no such column."""
    if "vendor_id" in columns(world.db, query.table):
        hashed("vendor_id")(query, value, world)


def without_deleted_vendors(query: Query, _: str | None, world: World) -> None:
    """Rows of vendors that are neither archived nor deleted, whatever the value, and rows without a vendor."""
    if "vendor_id" in columns(world.db, query.table):
        query.add(
            "(vendor_id IS NULL OR EXISTS (SELECT 1 FROM vendors v"
            f" WHERE v.id = {query.table}.vendor_id AND v.is_deleted = 0 AND v.deleted_at IS NULL))"
        )


def without_deleted_clients(query: Query, _: str | None, world: World) -> None:
    """Rows of clients that are neither archived nor deleted, whatever the value, and rows without a client."""
    if "client_id" in columns(world.db, query.table):
        query.add(
            "(client_id IS NULL OR EXISTS (SELECT 1 FROM clients c"
            f" WHERE c.id = {query.table}.client_id AND c.is_deleted = 0 AND c.deleted_at IS NULL))"
        )


def filter_deleted_clients(query: Query, value: str | None, world: World) -> None:
    """`true`: rows of clients that are not deleted."""
    if value == "true" and "client_id" in columns(world.db, query.table):
        query.add(f"EXISTS (SELECT 1 FROM clients c WHERE c.id = {query.table}.client_id AND c.is_deleted = 0)")


def sort(query: Query, value: str | None, world: World) -> None:
    """`column|direction` with exactly one `|`; any direction but `asc` is descending; unknown columns are ignored."""
    parts = (value or "").split("|")
    if len(parts) != 2 or parts[0] not in columns(world.db, query.table):  # noqa: PLR2004 - column and direction
        return
    query.order.append(f"{_sortable(query.table, parts[0])} {'ASC' if parts[1] == 'asc' else 'DESC'}")


def _sortable(table: str, column: str) -> str:
    if column == "number":
        return "digits_in(number)"
    if column == "client_id":
        return f"folded({CLIENT_NAME.format(table=table)})"
    if column in FIGURES:
        return f"CAST({column} AS REAL)"
    plain = column == "id" or column.endswith(("_id", "_at", "date")) or column.startswith(("is_", "uses_"))
    return column if plain else f"folded({column})"

"""The open items of one client: its invoices with an open amount, today or at the end of an earlier day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow.compute as pc

from flows.ask.aging import check_day, items_of
from flows.ask.ask import Result, reading
from flows.ask.kept import KEPT, read_names, sight_for
from flows.ask.rights import Sight
from flows.configuration.values import Settings
from flows.session.clock import SYSTEM_CLOCK, Clock
from schemas.errors import SettingsError
from schemas.money import in_own_decimals
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

Record = dict[str, Any]
EVERYBODY = {"source": None, "id": None}


@dataclass(frozen=True, slots=True)
class OpenItems:
    """The items of a client, and by currency what it owes, what it has overpaid, and what it owes less that."""

    number: str | None
    client: str | None = field(repr=False)
    items: Sequence[Record] = field(default=(), repr=False)
    sums: Sequence[Record] = ()


def read_items(
    settings: Settings, source: str, client_id: str, day: date | None = None, *, clock: Clock = SYSTEM_CLOCK
) -> OpenItems:
    """Return the open items of a client. Raises SettingsError for a client, source or day that is not known."""
    check_day(day, clock)
    with reading(settings) as warehouse:
        sight = sight_for(warehouse, settings, source)
        client = read_names(warehouse, [client_id], sight).get((source, client_id))
        rows = _rows(warehouse, settings, source, client_id, day, sight)
    if client is None and not rows:
        raise SettingsError(f"The warehouse has no client {client_id[:64]!r} of {source}.")
    items = [row | {"open_amount": in_own_decimals(row["open_amount"], row["currency"])} for row in rows]
    names = client or {"number": None, "client": None}
    return OpenItems(_text(names["number"]), _text(names["client"]), items, _sums(items))


def prepare_items(settings: Settings, day: date) -> None:
    """Compute the open items of all clients on an earlier day, so that each client's page finds them."""
    with reading(settings) as warehouse:
        sight = sight_for(warehouse, settings, None)
        KEPT.table(warehouse, settings, _sql(day, sight), EVERYBODY, sight=sight)


def _sql(day: date | None, sight: Sight) -> str:
    return statement("aging/items").format(items=items_of(day, sight.views))


def _rows(
    warehouse: Warehouse, settings: Settings, source: str, client_id: str, day: date | None, sight: Sight
) -> list[Record]:
    """Return the rows of one client. On an earlier day, to compute all clients takes hardly longer than one."""
    sql = _sql(day, sight)
    if day is None:
        return Result(*warehouse.answer(sql, {"source": source, "id": client_id})).records()
    everybody = KEPT.table(warehouse, settings, sql, EVERYBODY, sight=sight)
    rows: list[Record] = everybody.filter(
        (pc.field("source") == source) & (pc.field("client_id") == client_id)
    ).to_pylist()
    return rows


def _sums(items: Sequence[Record]) -> list[Record]:
    sums = []
    for code in dict.fromkeys(item["currency"] for item in items):
        amounts = [item["open_amount"] for item in items if item["currency"] == code]
        owed = sum((amount for amount in amounts if amount > 0), Decimal(0))
        overpaid = -sum((amount for amount in amounts if amount < 0), Decimal(0))
        row = {"owed": owed, "overpaid": overpaid, "net": owed - overpaid}
        sums.append({"currency": code} | {name: in_own_decimals(value, code) for name, value in row.items()})
    return sums


def _text(value: object) -> str | None:
    return None if value is None else str(value)

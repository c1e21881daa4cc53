"""The clients who owe, by the last pull: whom to send a statement, who has no address, who was mailed already.

The amounts are the balances of the server at the last pull, as `clients statement --debtors` asks for them. The list is
only a proposal: `flows.statements.run` reads each client again before it sends anything.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from flows.ask.ask import Result, reading, reading_itself
from flows.ask.balances import check_source
from flows.ask.kept import KEPT, last_load
from flows.configuration.values import Settings
from flows.session.clock import SYSTEM_CLOCK, Clock
from schemas.errors import SettingsError
from schemas.money import in_own_decimals
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

Record = dict[str, Any]

PAGE: Final = 50
NOT_AGAIN: Final = timedelta(hours=24)
"""A client that was mailed a statement so recently gets no second one."""


@dataclass(frozen=True, slots=True)
class Debtors:
    """The ids of those who match, most owed first, and their sums by currency; `last_load_at` is the last pull.

    `mailed` are those whose statement was mailed within NOT_AGAIN, with the time.
    """

    with_address: Sequence[str]
    without_address: Sequence[str]
    sums: Sequence[Record]
    currencies: Sequence[str]
    mailed: dict[str, datetime] = field(default_factory=dict)
    last_load_at: datetime | None = None

    def ids(self) -> list[str]:
        """Return all ids."""
        return [*self.with_address, *self.without_address]

    def to_mail(self, left_out: Collection[str]) -> list[str]:
        """Return the ids of those who can be mailed now: with an address, not left out, and not mailed recently."""
        return [key for key in self.with_address if key not in left_out and key not in self.mailed]


def read_debtors(
    settings: Settings,
    source: str,
    least: Decimal = Decimal(0),
    currency: str = "",
    *,
    clock: Clock = SYSTEM_CLOCK,
) -> Debtors:
    """Return who owes something, and at least `least` in its own currency. Raises SettingsError.

    Right before mails are sent, ask `mailed_since` again.
    """
    with reading(settings) as warehouse:
        check_source(warehouse, settings, source)
        everybody = _everybody(warehouse, settings, source)
        last = last_load(warehouse, source)
    known = sorted(code for code in everybody["currency"].unique().to_pylist() if code)
    if currency and currency not in known:
        raise SettingsError(f"Nobody owes anything in {currency!r}. Currencies: {', '.join(known) or 'none'}.")
    own = pc.field("owed") >= pa.scalar(least, pa.decimal128(38, 6))
    chosen = everybody.filter(own & (pc.field("currency") == currency) if currency else own)
    return Debtors(
        chosen.filter(pc.field("has_address"))["client_id"].to_pylist(),
        chosen.filter(~pc.field("has_address"))["client_id"].to_pylist(),
        _sums(chosen), known, mailed_since(settings, source, clock.now() - NOT_AGAIN),
        last,
    )  # fmt: skip


def read_rows(settings: Settings, source: str, ids: Sequence[str]) -> list[Record]:
    """Return some of them in this order: number, name, address, currency and amount."""
    with reading(settings) as warehouse:
        owed = _everybody(warehouse, settings, source)
        figures = owed.filter(pc.field("client_id").isin(pa.array(ids, pa.string()))).to_pylist()
        named = Result(
            *warehouse.answer(statement("debtors/addresses"), {"source": source, "ids": list(ids)})
        ).records()
    names = {row["client_id"]: row for row in named}
    rows = {
        row["client_id"]: names.get(row["client_id"], dict.fromkeys(("number", "client", "email")))
        | {**row, "owed": in_own_decimals(row["owed"], row["currency"])}
        for row in figures
    }
    return [rows[key] for key in ids if key in rows]


def mailed_since(settings: Settings, source: str, since: datetime, *, certain: bool = False) -> dict[str, datetime]:
    """Return the clients whose statement was mailed, or may have been mailed, since a moment, with the last time.

    The trap: while a run holds a DuckDB file, readers get its published copy, which lacks the mails since. Raises Busy
    then, if `certain`.
    """
    opened = reading_itself(settings) if certain else reading(settings, newest=True)
    with opened as warehouse:
        rows = warehouse.rows(statement("debtors/mailed"), {"source": source, "since": since})
    return {str(key): at for key, at in rows if isinstance(at, datetime)}


def _everybody(warehouse: Warehouse, settings: Settings, source: str) -> pa.Table:
    everybody = KEPT.table(warehouse, settings, statement("debtors/all"))
    return everybody.filter(pc.field("source") == source)


def _sums(chosen: pa.Table) -> list[Record]:
    counted = chosen.append_column("without", pc.invert(chosen["has_address"]).cast(pa.int64()))
    grouped = counted.group_by("currency").aggregate([("owed", "sum"), ("client_id", "count"), ("without", "sum")])
    rows = grouped.rename_columns(
        [
            {"owed_sum": "owed", "client_id_count": "clients", "without_sum": "without"}.get(n, n)
            for n in grouped.column_names
        ]
    ).to_pylist()
    own = [row | {"owed": in_own_decimals(row["owed"], row["currency"])} for row in rows]
    return sorted(own, key=lambda row: (-row["owed"], row["currency"] or ""))

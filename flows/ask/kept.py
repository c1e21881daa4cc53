"""Answers that take long: kept in memory, without personal data, until the warehouse changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Final

from flows.ask.balances import check_source
from flows.ask.rights import EVERYTHING, Sight, sight_of
from flows.configuration.values import Settings
from schemas.errors import SettingsError
from warehouse.engine.seam import Params, Warehouse
from warehouse.engine.sql import statement

if TYPE_CHECKING:
    import pyarrow as pa

MOST: Final = 12
"""Answers that are kept; the ones not asked for longest go first. In books of 100,000 clients one takes about 10 MB."""


@dataclass
class _Slot:
    """An answer, and the state of the warehouse that it belongs to. One thread at a time makes it."""

    lock: Lock = field(default_factory=Lock)
    version: object = None
    table: pa.Table | None = None


class Kept:
    """Answers by their SQL and parameters. Any number of threads may ask; the same answer is made once."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self._lock = most, Lock()
        self._slots: OrderedDict[tuple[object, ...], _Slot] = OrderedDict()

    def table(
        self,
        warehouse: Warehouse,
        settings: Settings,
        sql: str,
        params: Params | None = None,
        *,
        sight: Sight = EVERYTHING,
    ) -> pa.Table:
        """Return the answer of a query, made again if a load or a new day has changed it."""
        version, slot = _version(warehouse, sight), self._slot(settings, sql, params)
        with slot.lock:
            if slot.table is None or slot.version != version:
                slot.table, slot.version = warehouse.table(sql, params), version
            return slot.table

    def has(
        self,
        warehouse: Warehouse,
        settings: Settings,
        sql: str,
        params: Params | None = None,
        *,
        sight: Sight = EVERYTHING,
    ) -> bool:
        """Whether an answer is there, and still right."""
        slot = self._slot(settings, sql, params)
        return slot.table is not None and slot.version == _version(warehouse, sight)

    def _slot(self, settings: Settings, sql: str, params: Params | None) -> _Slot:
        key = (settings.warehouse, settings.publish, sql, *sorted((params or {}).items()))
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > self._most:
                self._slots.popitem(last=False)
            return slot


def sight_for(warehouse: Warehouse, settings: Settings, source: str | None) -> Sight:
    """Return what this role may read. Raises SettingsError for an unknown source, and if nothing was pulled yet."""
    sight = sight_of(warehouse)
    if sight is None:
        raise SettingsError("Nothing has been pulled yet. The first pull reads invoices and payments too.")
    if sight.everything:
        check_source(warehouse, settings, source)
    elif source is not None and source not in settings.sources:
        raise SettingsError(f"There is no source {source!r}.")
    return sight


def last_load(warehouse: Warehouse, source: str | None, sight: Sight = EVERYTHING) -> datetime | None:
    """Return the end of the last run that stored a change; None if there was none."""
    ((at,),) = warehouse.rows(_of_role("aging/last_load", "aging/last_load_of_views", sight), {"source": source})
    return at if isinstance(at, datetime) else None


def read_names(warehouse: Warehouse, ids: Sequence[str], sight: Sight) -> dict[tuple[str, str], dict[str, object]]:
    """Return number, name and country of clients, by source and id. A name that the role may not see is None."""
    columns, rows = warehouse.answer(_of_role("aging/names", "aging/names_of_views", sight), {"ids": list(ids)})
    found = (dict(zip(columns, row, strict=True)) for row in rows)
    return {(str(row["source"]), str(row["id"])): row for row in found}


def _version(warehouse: Warehouse, sight: Sight) -> object:
    return tuple(warehouse.rows(_of_role("aging/version", "aging/version_of_views", sight)))


def _of_role(name: str, twin: str, sight: Sight) -> str:
    """Return a statement that reads the tables, or its twin that reads the views of a role that may see no more."""
    if sight.everything:
        return statement(name)
    names = "number, display_name as client" if sight.names else "null as number, null as client"
    return statement(twin).format(mart=sight.views, names=names)


KEPT: Final = Kept()
"""The answers of this process. A command asks once and ends, so only the desk gains by them."""

"""Answers that take long: kept in memory, without personal data, until the warehouse changes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Final

from flows.configuration.values import Settings
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

    def table(self, warehouse: Warehouse, settings: Settings, sql: str, params: Params | None = None) -> pa.Table:
        """Return the answer of a query, made again if a load or a new day has changed it."""
        version, slot = _version(warehouse), self._slot(settings, sql, params)
        with slot.lock:
            if slot.table is None or slot.version != version:
                slot.table, slot.version = warehouse.table(sql, params), version
            return slot.table

    def has(self, warehouse: Warehouse, settings: Settings, sql: str, params: Params | None = None) -> bool:
        """Whether an answer is there, and still right."""
        slot = self._slot(settings, sql, params)
        return slot.table is not None and slot.version == _version(warehouse)

    def _slot(self, settings: Settings, sql: str, params: Params | None) -> _Slot:
        key = (settings.warehouse, settings.publish, sql, *sorted((params or {}).items()))
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > self._most:
                self._slots.popitem(last=False)
            return slot


def last_load(warehouse: Warehouse, source: str | None) -> datetime | None:
    """Return the end of the last run that stored a change; None if there was none."""
    ((at,),) = warehouse.rows(statement("aging/last_load"), {"source": source})
    return at if isinstance(at, datetime) else None


def _version(warehouse: Warehouse) -> object:
    return tuple(warehouse.rows(statement("aging/version")))


KEPT: Final = Kept()
"""The answers of this process. A command asks once and ends, so only the desk gains by them."""

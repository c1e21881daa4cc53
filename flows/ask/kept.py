"""Answers that take long: kept in memory, without personal data, until the warehouse changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Final

from flows.ask.balances import check_source
from flows.ask.rights import EVERYTHING, Sight, sight_of
from flows.configuration.values import Settings
from schemas.errors import Busy, SettingsError
from warehouse.engine.seam import Params, Warehouse
from warehouse.engine.sql import statement

if TYPE_CHECKING:
    import pyarrow as pa

MOST: Final = 12
"""Answers that are kept; the ones not asked for longest go first. In books of 100,000 clients one takes about 10 MB."""


COMPUTING: Final = "The figures are being computed, which takes a few seconds."
MOST_WAITING: Final = 6
"""Requests that may wait for one answer: the others get Busy at once, so that threads are left for other pages."""
_PATIENCE: ContextVar[float | None] = ContextVar("patience", default=None)


@contextmanager
def waiting_at_most(seconds: float | None) -> Iterator[None]:
    """Within this, wait so long for an answer that somebody else has asked for, then raise Busy; None waits for it."""
    before = _PATIENCE.set(seconds)
    try:
        yield
    finally:
        _PATIENCE.reset(before)


@dataclass
class _Slot:
    """An answer, and the state of the warehouse that it belongs to. One thread at a time makes it; others wait."""

    lock: Lock = field(default_factory=Lock)
    waiting: int = 0
    made: tuple[object, pa.Table] | None = None

    def table(self, version: object) -> pa.Table | None:
        """Return the answer of a state of the warehouse, if it is there."""
        return self.made[1] if self.made is not None and self.made[0] == version else None


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
        """Return the answer of a query, made again if a load or a new day has changed it.

        Raises Busy if another thread is making it for longer than this one may wait: see `waiting_at_most`.
        """
        version, slot = _version(warehouse, sight), self._slot(settings, sql, params)
        if (table := slot.table(version)) is not None:
            return table
        with self._turn(slot):
            if (table := slot.table(version)) is None:
                table = warehouse.table(sql, params)
                slot.made = version, table
            return table

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
        return self._slot(settings, sql, params).table(_version(warehouse, sight)) is not None

    @contextmanager
    def _turn(self, slot: _Slot) -> Iterator[None]:
        """Wait for the turn to make or take an answer. Raises Busy for a request that would wait too long."""
        if not slot.lock.acquire(blocking=False):
            self._wait(slot, _PATIENCE.get())
        try:
            yield
        finally:
            slot.lock.release()

    def _wait(self, slot: _Slot, patience: float | None) -> None:
        with self._lock:
            if patience is not None and slot.waiting >= MOST_WAITING:
                raise Busy(COMPUTING)
            slot.waiting += 1
        try:
            if not slot.lock.acquire(timeout=-1 if patience is None else patience):
                raise Busy(COMPUTING)
        finally:
            with self._lock:
                slot.waiting -= 1

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

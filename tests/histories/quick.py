"""What makes thousands of pulls quick, and is no part of what the histories try: opening a file of DuckDB anew.

A pull opens its warehouse some four times, and reads each time whether its tables are current: half of what a pull of a
dozen clients takes. Here a file stays open beneath, with one thread, and is found current once. Opening, closing and
crashing have tests of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import _duckdb
import duckdb
import pytest

from warehouse.engine.place import Place
from warehouse.engine.seam import Warehouse
from warehouse.opened import migrate as migrations

ONCE = ("set allowed_directories", "set enable_external_access", "set memory_limit", "set temp_directory")
"""Settings of the file as a whole: the first connection makes them. The last one, which locks them, is left out."""
CONFIG = {"autoinstall_known_extensions": False, "threads": 1}

_connect, _migrate = duckdb.connect, migrations.migrate
_open: dict[str, Any] = {}
_current: set[str] = set()


class _Connection:
    """A connection to a file that is open already."""

    def __init__(self, connection: Any, *, first: bool) -> None:
        self._connection, self._first = connection, first

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def execute(self, sql: str, params: Any = None) -> Any:
        made = sql.startswith("set lock_configuration") or (sql.startswith(ONCE) and not self._first)
        return self._connection.execute("select 1" if made else sql, params)


def connect(path: Any, *, config: object = None, **_: object) -> Any:
    """A connection to the file, which stays open until it is forgotten; no warehouse is opened without a `config`."""
    if config is None and str(path) not in _open:
        return _connect(str(path))
    first = str(path) not in _open
    if first:
        _open[str(path)] = _connect(str(path), config=CONFIG)
    return _Connection(_connect(str(path), config=CONFIG), first=first)


def migrate(warehouse: Warehouse, **named: Any) -> None:
    """Bring a warehouse to this version, where that has not been done."""
    if warehouse.shown not in _current:
        _migrate(warehouse, **named)
        _current.add(warehouse.shown)


def forget(place: Place) -> None:
    """Close a file; forget a database."""
    _current.discard(str(place))
    if str(place) in _open:
        _open.pop(str(place)).close()


def forget_all() -> None:
    """Close all files; forget all databases."""
    _current.clear()
    while _open:
        _open.popitem()[1].close()


@contextmanager
def quick() -> Iterator[None]:
    """All of this, inside."""
    with pytest.MonkeyPatch.context() as patched:
        for package in (duckdb, _duckdb):
            patched.setattr(package, "connect", connect)
        patched.setattr(migrations, "migrate", migrate)
        yield

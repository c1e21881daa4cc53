"""Query the warehouse, through its published copy if there is one, so that a run never blocks a query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from flows.ask.copies import COPIES
from flows.configuration.load import place_of
from flows.configuration.values import Settings
from schemas.errors import Busy, SettingsError, WarehouseError
from warehouse.engine.duckdb import DuckdbWarehouse, open_warehouse
from warehouse.engine.place import PostgresUrl, reader_of
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement
from warehouse.opened.open import open_place


@dataclass(frozen=True, slots=True)
class Result:
    """The columns and rows of an answer."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]

    def records(self) -> list[dict[str, object]]:
        """Return one dictionary per row. Repeated column names are numbered: a, a_1, a_2."""
        names = _distinct(self.columns)
        return [dict(zip(names, row, strict=True)) for row in self.rows]


@contextmanager
def reading(settings: Settings, *, newest: bool = False) -> Iterator[Warehouse]:
    """Open the published copy, else the warehouse. `newest` prefers the warehouse, unless a run holds it."""
    path = place_of(settings)
    if isinstance(path, PostgresUrl):  # its readers never wait for a run
        with open_place(path, read_only=True, wait=settings.wait) as opened:
            yield opened
        return
    copy = reader_of(path)
    published = readable_file(settings, path) == copy
    if published and not newest:
        with COPIES.reader(copy, lambda: _open_copy(settings, copy)) as reader:
            yield reader
        return
    with _own_file_or_copy(settings, path, copy if published else None) as file:
        yield file


@contextmanager
def reading_itself(settings: Settings) -> Iterator[Warehouse]:
    """Open the warehouse itself, never its published copy. Raises Busy while a run holds it."""
    with open_place(place_of(settings), read_only=True, wait=settings.wait) as opened:
        yield opened


def readable_file(settings: Settings, path: Path) -> Path:
    """Return the published copy of a DuckDB warehouse if there is one, else the warehouse's own file."""
    copy = reader_of(path)
    return copy if settings.publish and copy.exists() else path


def _open_copy(settings: Settings, copy: Path) -> DuckdbWarehouse:
    with usable_copy():
        return open_warehouse(copy, read_only=True, wait=settings.wait)


def _own_file_or_copy(settings: Settings, path: Path, copy: Path | None) -> Warehouse:
    try:
        return open_warehouse(path, read_only=True, wait=0 if copy else settings.wait)
    except Busy:
        if copy is None:
            raise
        return open_warehouse(copy, read_only=True, wait=settings.wait)


@contextmanager
def usable_copy() -> Iterator[None]:
    """Add to an error of a published copy that is missing or damaged how to get another one."""
    try:
        yield
    except Busy:
        raise
    except WarehouseError as problem:
        raise WarehouseError(f"{problem} `ninja-sync publish` writes the published copy again.") from None


def ask(settings: Settings, sql: str) -> Result:
    """Answer a query that a person wrote. Raises SettingsError with the engine's message if it fails."""
    if not sql.strip().strip(";"):
        raise SettingsError('The query is empty. Try: ninja-sync sql "select * from mart.clients limit 5"')
    with reading(settings) as warehouse:
        return Result(*warehouse.ask(sql))


def asked(settings: Settings, name: str, params: Mapping[str, object], *, newest: bool = False) -> Result:
    """Answer one named statement, such as `read/status`."""
    with reading(settings, newest=newest) as warehouse:
        return Result(*warehouse.answer(statement(name), params))


def _distinct(names: Sequence[str]) -> list[str]:
    distinct: list[str] = []
    for name in names:
        others = (f"{name}_{number}" for number in count(1))
        distinct.append(
            name if name not in distinct else next(new for new in others if new not in distinct + list(names))
        )
    return distinct

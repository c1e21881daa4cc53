"""Questions to the warehouse: through the published copy where there is one, so that no run is in the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from flows.settings import Settings, warehouse_path
from schemas.errors import Busy
from warehouse.duckdb_engine import Warehouse, open_warehouse
from warehouse.publish import reader_of
from warehouse.statements import statement


@dataclass(frozen=True, slots=True)
class Result:
    """The columns and rows of a question."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]

    def records(self) -> list[dict[str, object]]:
        """One dictionary per row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@contextmanager
def reading(settings: Settings, *, newest: bool = False) -> Iterator[Warehouse]:
    """The published copy, else the warehouse itself; `newest` asks for the warehouse itself unless a run holds it."""
    path, copy = warehouse_path(settings), reader_of(warehouse_path(settings))
    published = settings.publish and copy.exists()
    if published and not newest:
        opened = open_warehouse(copy, read_only=True, wait=settings.wait)
    else:
        try:
            opened = open_warehouse(path, read_only=True, wait=0 if published else settings.wait)
        except Busy:
            if not published:
                raise
            opened = open_warehouse(copy, read_only=True, wait=settings.wait)
    with opened:
        yield opened


def ask(settings: Settings, sql: str) -> Result:
    """The answer to a query that a person wrote. Raises SettingsError with the engine's words where it is wrong."""
    with reading(settings) as warehouse:
        return Result(*warehouse.ask(sql))


def asked(settings: Settings, name: str, params: Mapping[str, object], *, newest: bool = False) -> Result:
    """The answer to one statement of `sql/read`."""
    with reading(settings, newest=newest) as warehouse:
        return Result(*warehouse.answer(statement(f"read/{name}"), params))

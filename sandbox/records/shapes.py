"""The fields of a plain record by their types: how its table holds them, how the API shows them, and takes them in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.clients.input import LONG, plain
from sandbox.papers.entered import day_of, decimal_of, row_number
from sandbox.papers.kinds import Json, Shown
from sandbox.papers.shown import day, figure, hashed, text, times
from sandbox.php.input import Input
from sandbox.php.text import truth
from sandbox.store.database import Row
from sandbox.wire.answers import server_error
from sandbox.wire.calls import Call

Addition = Callable[[Call, Sequence[Row], Sequence[Json]], None]
"""Adds the fields that need more than the row, to all records of a page."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of a kind, besides id, stamps and is_deleted. `fixed` ones have no column: they never change here."""

    texts: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    lookups: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    defaults: Row = field(default_factory=dict)
    """Columns of a new record whose value is not empty."""
    added: Addition | None = None

    def shown(self) -> Shown:
        """How a page of rows is shown."""

        def records(call: Call, rows: Sequence[Row]) -> list[Json]:
            out = [self._record(row) for row in rows]
            if self.added is not None:
                self.added(call, rows, out)
            return out

        return records

    def _record(self, row: Row) -> Json:
        return {
            "id": hashed(row["id"]),
            **{name: hashed(row[name]) for name in self.ids},
            **{name: text(row[name]) for name in self.texts},
            **{name: figure(row[name]) for name in self.figures},
            **{name: str(row[name] or "") for name in self.lookups},
            **{name: day(row[name]) for name in self.days},
            **{name: bool(row[name]) for name in self.flags},
            **times(row),
            "is_deleted": bool(row["is_deleted"]),
            **self.fixed,
            "documents": [],
        }

    def columns_of(self, data: Input) -> Row:
        """The columns that this data sets; a user cannot set who made the record."""
        out: Row = {name: _text(data[name]) for name in self.texts if name in data}
        out |= {name: decimal_of(data[name]) for name in self.figures if name in data}
        out |= {name: _lookup(data[name]) for name in self.lookups if name in data}
        out |= {name: day_of(data[name] or None) for name in self.days if name in data}
        out |= {name: int(truth(data[name])) for name in self.flags if name in data}
        return out | {name: _row(data[name]) for name in self.ids if name in data and name != "user_id"}


def _text(value: Any) -> str:
    if isinstance(value, list | dict):
        raise server_error()
    return "" if value is None else plain(value).encode()[:LONG].decode("utf-8", "ignore")


def _lookup(value: Any) -> int | None:
    return int(value) if str(value or "").isdecimal() else None


def _row(value: Any) -> int | None:
    return row_number(value) or None if isinstance(value, str) else None

"""The SQLite database behind the sandbox: opening it, and the four statements that serve all its modules."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from importlib import resources
from itertools import chain
from pathlib import Path
from typing import Any

from sandbox.php import collation
from sandbox.php.text import leading_number

Row = dict[str, Any]
SCHEMA = (resources.files("sandbox") / "schema.sql").read_text(encoding="utf-8")


class OldDatabaseError(Exception):
    """A database file with the tables of another version."""


def connect(path: Path | None) -> sqlite3.Connection:
    """An open database with its tables, in memory where no path is given.

    Raises OldDatabaseError for the file of another version, and leaves it unchanged.

    One connection serves every request, from any thread of the server. It gives up durability on purpose: a sandbox
    that crashes is started again.
    """
    db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
    db.create_collation("unicode_ci", collation.compare)
    db.create_function("unicode_like", 2, collation.like, deterministic=True)
    db.create_function("folded", 1, _folded, deterministic=True)
    db.create_function("leading_number", 1, leading_number, deterministic=True)
    db.create_function("digits_in", 1, digits_in, deterministic=True)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA journal_mode = MEMORY")
    db.execute("PRAGMA foreign_keys = ON")
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'clients'").fetchone():
        db.executescript(SCHEMA)
    elif _tables(db) != _tables_of_today():
        db.close()
        raise OldDatabaseError(f"{path} was written by another version of the sandbox: delete it, or name another file")
    return db


def _tables(db: sqlite3.Connection) -> set[tuple[str, str]]:
    """Every column of every table."""
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {(table, name) for table in tables for _, name, *_ in db.execute(f"PRAGMA table_info({table})")}


def _tables_of_today() -> set[tuple[str, str]]:
    with closing(connect(None)) as new:
        return _tables(new)


def _folded(text: Any) -> Any:
    return collation.folded(text) if isinstance(text, str) else text


def digits_in(text: str | None) -> float | None:
    """`number` as the server sorts it: its digits as one number (ClientFilters.php:155-178)."""
    return None if text is None else float("".join(c for c in text if c in "0123456789") or 0)


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Run all statements inside, or none of them."""
    db.execute("BEGIN")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


@lru_cache(maxsize=64)
def columns(db: sqlite3.Connection, table: str) -> tuple[str, ...]:
    """The names of a table's columns, in order."""
    return tuple(name for _, name, *_ in db.execute(f"PRAGMA table_info({table})"))


def select(db: sqlite3.Connection, table: str, where: str, args: Sequence[Any] = ()) -> list[Row]:
    """Whole rows of one table; `where` may go on with ORDER BY and LIMIT."""
    names = columns(db, table)
    return [dict(zip(names, row, strict=True)) for row in db.execute(f"SELECT * FROM {table} WHERE {where}", args)]


def insert(db: sqlite3.Connection, table: str, values: Mapping[str, Any]) -> int:
    """Adds one row and returns its id."""
    marks = ", ".join("?" * len(values))
    done = db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
    return int(done.lastrowid or 0)


def insert_all(db: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    """Adds rows that all have the same columns."""
    ordered = iter(rows)
    first = next(ordered, None)
    if first is not None:
        names = tuple(first)
        sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks(names)})"
        db.executemany(sql, (tuple(row[name] for name in names) for row in chain([first], ordered)))


def next_id(db: sqlite3.Connection, table: str) -> int:
    """The id of the next row of a table that counts its own."""
    last = db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return (last[0] if last else 0) + 1


def update(db: sqlite3.Connection, table: str, values: Mapping[str, Any], ids: Iterable[int]) -> None:
    """Sets the same values in each of these rows."""
    sets = ", ".join(f"{name} = ?" for name in values)
    chosen = list(ids)
    db.execute(f"UPDATE {table} SET {sets} WHERE id IN ({marks(chosen)})", (*values.values(), *chosen))


def marks(values: Sequence[Any]) -> str:
    """`?, ?, ?` for this many values."""
    return ", ".join("?" * len(values))

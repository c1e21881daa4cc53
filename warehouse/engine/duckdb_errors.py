"""DuckDB's errors as ours: who holds a file, a full disk, and no values of rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import _duckdb as duckdb

from schemas.errors import OUT_OF_MEMORY, Busy, WarehouseError, is_short_of_memory
from warehouse.engine.sql import promise_of

SAFE_TO_SHOW = (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.PermissionException)
"""Errors whose text names only files and limits. The text of other errors may hold values of rows (personal data)."""
SAME_FILE: Final = "same database file"
HERE: Final = (SAME_FILE, "Unique file handle conflict")
"""Words of DuckDB's errors where this process has the file open in another way, or is about to close it."""


def refused_by(path: Path, problem: Exception) -> WarehouseError:
    """Return why DuckDB does not open a file, and what to do: Busy if another program or this one holds it."""
    if held := _holder(problem):
        return Busy(f"{path} is open in {held}. Close it there, or try again.")
    if full := _disk_full(problem):
        return WarehouseError(full)
    if is_short_of_memory(problem):
        return WarehouseError(OUT_OF_MEMORY)
    what = "" if isinstance(problem, duckdb.IOException) else " as a warehouse"
    return WarehouseError(f"{path} cannot be opened{what}: {_first_line(problem)}")


def _holder(problem: Exception) -> str | None:
    """Name the process that holds the file, from DuckDB's `Conflicting lock is held in PROGRAM (PID N)`.

    None if the problem is another one.
    """
    message = str(problem)
    if any(words in message for words in HERE):
        return "this process already"
    if not isinstance(problem, duckdb.IOException) or "lock" not in message or _disk_full(problem):
        return None
    matched = re.search(r"held in (?P<program>.*?) \(PID (?P<pid>\d+)\)", message)
    name = f"{Path(matched['program']).name}, process {matched['pid']}" if matched else "the system does not name it"
    return f"another process: {name}"


def _first_line(problem: Exception) -> str:
    return str(problem).split("\n", 1)[0]


@contextmanager
def translated(sql: str) -> Iterator[None]:
    """Raise DuckDB's errors as ours, without texts that may hold values of rows."""
    try:
        yield
    except (duckdb.Error, OSError) as problem:  # while rows are streamed, pyarrow makes an OSError of it
        if full := _disk_full(problem):
            raise WarehouseError(full) from None
        if is_short_of_memory(problem):
            raise WarehouseError(OUT_OF_MEMORY) from None
        detail = _first_line(problem) if isinstance(problem, SAFE_TO_SHOW) else f"({promise_of(sql)})"
        raise WarehouseError(f"DuckDB: {type(problem).__name__} {detail}") from None


def _disk_full(problem: Exception) -> str:
    """Return the message for an error caused by a full disk; '' for any other error."""
    text = str(problem)
    if "failed to offload data block" in text:
        return "The disk is full: DuckDB cannot spill rows into <warehouse>.tmp. Make room and try again."
    if "No space left on device" not in text:
        return ""
    file = re.search(r'file \\?"(?P<path>[^"\\]+)', text)
    folder = f"in {Path(file['path']).parent}" if file else "beside the warehouse"
    return f"The disk is full: DuckDB cannot write {folder}. Make room there, and try again."

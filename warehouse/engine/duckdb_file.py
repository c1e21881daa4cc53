"""The file of a DuckDB warehouse: how much memory a writer may take, and how to remove it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from warehouse.engine.private import remove_halves

Config = dict[str, str | bool | int | float | list[str]]

MIB = 1024 * 1024
LEAST_MEMORY = 128
"""Minimum for the engine's memory limit while it writes, in MiB."""
LEAST_TO_LOAD = 64
"""The same for a load of staged pages. To publish, the engine sorts and joins whole rows, and needs more."""


def bounds(path: Path) -> Config:
    """Return settings that limit a load's memory; DuckDB spills the rest into `<warehouse>.tmp`.

    By default DuckDB takes four fifths of the machine's memory. A load needs memory for the ids of all rows (hash
    tables), so the limit grows with the warehouse. Measured: to compare a million clients needs 80 MiB, 400,000
    payments 40 MiB, and 500,000 invoices that have all changed 140 MiB. With more, a load takes as much CPU. One thread
    is as fast as several, and holds one row group (122,880 rows, uncompressed) instead of several. Smaller row groups
    would save 40 MB, but only ATTACH takes their size: a second connection of this process is then refused too late,
    and drops the process's lock on the file.
    """
    staged = sum(_size(file) for file in path.with_name(path.name + ".staging").rglob("*.arrow"))
    if staged:
        memory = LEAST_TO_LOAD + (_size(path) // 3 + staged // 6) // MIB
    else:
        memory = LEAST_MEMORY + _size(path) // 4 // MIB
    return {"memory_limit": f"{memory}MiB", "threads": "1", "write_buffer_row_group_count": "1"}


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def remove_warehouse(path: Path) -> None:
    """Remove a warehouse and its log, locks, published copies, staged pages and spilled rows."""
    lock = re.compile(re.escape(path.name) + r"\.[^.]+(\.writes)?\.lock")
    locks = [file for file in path.parent.iterdir() if lock.fullmatch(file.name)] if path.parent.exists() else []
    for file in (path, path.with_name(path.name + ".wal"), *locks):
        file.unlink(missing_ok=True)
    for half in (path, path.with_name(path.name + ".rewritten")):
        remove_halves(half)
    for kind in ("published", "staging", "tmp"):
        folder = path.with_name(f"{path.name}.{kind}")
        if folder.exists():
            shutil.rmtree(folder)

"""The file of a DuckDB warehouse: a connection to it, with what a load may take, and its removal."""

from __future__ import annotations

import re
import shutil
from contextlib import ExitStack
from pathlib import Path

import _duckdb as duckdb

from warehouse.engine.private import remove_halves

Config = dict[str, str | bool | int | float | list[str]]

MIB = 1024 * 1024
LEAST_MEMORY = 112
"""Minimum for the engine's memory limit while it writes, in MiB."""

ROW_GROUP = 10_240
"""Rows that a load holds uncompressed until it writes them; a twelfth of DuckDB's usual size, and of its memory."""


def connected(path: Path, closing: ExitStack, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Connect to the file. Only ATTACH takes the size of row groups, and forgets it when the file is closed.

    The database around it is in memory, and has the file's name: connections of one process share it, and so the file.
    """
    config: Config = {"autoinstall_known_extensions": "false"}
    if read_only:
        connection = duckdb.connect(str(path), read_only=True, config=config)
        closing.callback(connection.close)
        return connection
    bounds = {**_bounds(path), "temp_directory": f"{path}.tmp"}
    connection = duckdb.connect(f":memory:{path}", read_only=False, config={**config, **bounds})
    closing.callback(connection.close)
    quoted = str(path).replace("'", "''")
    connection.execute(f"attach if not exists '{quoted}' as warehouse (row_group_size {ROW_GROUP})").fetchall()
    connection.execute("use warehouse").fetchall()
    return connection


def _bounds(path: Path) -> Config:
    """Return settings that limit a load's memory; DuckDB spills the rest into `<warehouse>.tmp`.

    By default DuckDB takes four fifths of the machine's memory. A load needs memory for the ids of all rows (hash
    tables), so the limit grows with the warehouse. Measured: half of a million clients change with 189 MiB, not 149.
    One thread is as fast as several, and holds one row group instead of several.
    """
    staged = sum(_size(file) for file in path.with_name(path.name + ".staging").glob("*/*.arrow"))
    memory = LEAST_MEMORY + max(_size(path) // 4, staged // 6) // MIB
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

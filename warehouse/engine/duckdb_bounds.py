"""How much memory DuckDB may hold while it writes a warehouse."""

from __future__ import annotations

from pathlib import Path

Config = dict[str, str | bool | int | float | list[str]]

MIB = 1024 * 1024
LEAST_MEMORY = 112
"""Minimum for the engine's memory limit while it writes, in MiB."""


def bounds(path: Path) -> Config:
    """Return settings that limit a load's memory; DuckDB spills the rest into `<warehouse>.tmp`.

    By default DuckDB takes four fifths of the machine's memory. A load needs memory for the ids of all rows (hash
    tables), so the limit grows with the warehouse. Measured: half of a million clients change with 189 MiB, not 149.
    One thread is as fast as several, and holds one row group instead of several.
    """
    staged = sum(_size(file) for file in path.with_name(path.name + ".staging").glob("*/*.arrow"))
    memory = LEAST_MEMORY + max(_size(path) // 4, staged // 24) // MIB
    return {"memory_limit": f"{memory}MiB", "threads": "1", "write_buffer_row_group_count": "1"}


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0

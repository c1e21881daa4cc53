"""Published copies: what other programs read while a run holds the warehouse.

DuckDB locks a file for one process, so readers get a copy of it and Parquet files of the marts, each written aside and
renamed into place: a reader that has the old one open keeps reading the old one.

    <warehouse>.published/reader.duckdb
    <warehouse>.published/clients.parquet, contacts.parquet, client_balances.parquet, load_status.parquet
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from schemas.errors import WarehouseError
from warehouse.duckdb_engine import Warehouse, exports_of
from warehouse.private import make_private_file, make_private_folder, rename_into_place
from warehouse.statements import named

READER = "reader.duckdb"


def publish(warehouse: Warehouse) -> Path:
    """Publish the warehouse as it is now; returns the folder. The warehouse stays open, so nobody can change it."""
    folder = exports_of(warehouse.path)
    make_private_folder(folder)
    for view in named("mart"):
        beside = folder / f"{view}.parquet.part"
        beside.unlink(missing_ok=True)
        warehouse.execute(f"copy (select * from mart.{view}) to '{_quoted(beside)}' (format parquet, compression zstd)")
        _into_place(beside)
    warehouse.checkpoint()
    beside = folder / f"{READER}.part"
    _copy(warehouse.path, beside)
    _into_place(beside)
    return folder


def reader_of(path: Path) -> Path:
    """The published copy of a warehouse for readers."""
    return exports_of(path.absolute()) / READER


def _copy(file: Path, beside: Path) -> None:
    """Copy the open warehouse in a process of its own.

    The trap: POSIX gives back all locks of a process on a file as soon as that process closes any descriptor of it, so
    a copy made here would unlock the warehouse for another writer.
    """
    beside.touch(mode=0o600)
    done = subprocess.run(["cp", "--", str(file), str(beside)], capture_output=True, text=True, check=False)  # noqa: S603, S607 - our own paths, and POSIX's cp
    if done.returncode:
        raise WarehouseError(f"The copy for readers cannot be written: {done.stderr.strip()}")


def _into_place(beside: Path) -> None:
    make_private_file(beside)
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    rename_into_place(beside, beside.with_suffix(""))


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")

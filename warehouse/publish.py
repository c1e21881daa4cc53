"""Published copies: what other programs read while a run holds the warehouse.

DuckDB locks a file for one process, so readers get a copy of it and Parquet files of the marts, each written aside and
renamed into place: a reader that has the old one open keeps reading the old one.

    <warehouse>.published/reader.duckdb
    <warehouse>.published/clients.parquet, contacts.parquet, client_balances.parquet, load_status.parquet

What they show is noted in `control.published` of the warehouse once all files are in place. A publication that was cut
short has left no note, so the next one makes up for it. The copy itself therefore holds the note of the one before.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from schemas.errors import WarehouseError
from warehouse.duckdb_engine import Warehouse, exports_of
from warehouse.private import make_private_file, make_private_folder, rename_into_place
from warehouse.statements import named, statement

READER = "reader.duckdb"


def publish_if_due(warehouse: Warehouse, *, now: datetime) -> Path | None:
    """Publish where runs have changed what the copies do not show, or where a file of theirs is missing; else None.

    Runs are counted, not compared by their times: this machine's clock may go back.
    """
    ((_, changed, shown),) = warehouse.rows(statement("read/published"))
    folder = exports_of(warehouse.path)
    whole = all((folder / name).exists() for name in (READER, *(f"{view}.parquet" for view in named("mart"))))
    return None if shown == changed and whole else publish(warehouse, now=now)


def publish(warehouse: Warehouse, *, now: datetime | None = None) -> Path:
    """Publish the warehouse as it is now; returns the folder. The warehouse stays open, so nobody can change it.

    Without `now`, the engine's clock says when. Raises WarehouseError where the files cannot be written; those that
    are there stay.
    """
    folder = exports_of(warehouse.path)
    try:
        _write(warehouse, folder)
    except OSError as problem:
        raise WarehouseError(f"The copies for readers cannot be written: {problem}") from None
    _remember(warehouse, now)
    return folder


def reader_of(path: Path) -> Path:
    """The published copy of a warehouse for readers."""
    return exports_of(path.absolute()) / READER


def _write(warehouse: Warehouse, folder: Path) -> None:
    make_private_folder(folder)
    for view in named("mart"):
        with _in_place(folder / f"{view}.parquet") as beside:
            target = str(beside).replace("'", "''")
            warehouse.execute(f"copy (select * from mart.{view}) to '{target}' (format parquet, compression zstd)")
    warehouse.checkpoint()
    with _in_place(folder / READER) as beside:
        _copy(warehouse.path, beside)


def _remember(warehouse: Warehouse, now: datetime | None) -> None:
    ((newest, changed, _),) = warehouse.rows(statement("read/published"))
    with warehouse.transaction():
        warehouse.execute("delete from control.published")
        warehouse.execute(
            "insert into control.published values ($run_id, $changed, coalesce($now, now()))",
            {"run_id": newest, "changed": changed, "now": now},
        )


def _copy(file: Path, beside: Path) -> None:
    """Copy the open warehouse in a process of its own.

    The trap: POSIX gives back all locks of a process on a file as soon as that process closes any descriptor of it, so
    a copy made here would unlock the warehouse for another writer.
    """
    beside.touch(mode=0o600)
    done = subprocess.run(["cp", "--", str(file), str(beside)], capture_output=True, text=True, check=False)  # noqa: S603, S607 - our own paths, and POSIX's cp
    if done.returncode:
        raise WarehouseError(f"The copy for readers cannot be written: {done.stderr.strip()}")


@contextmanager
def _in_place(file: Path) -> Iterator[Path]:
    """A path beside `file` to write to; what is there at the end gets the name, what failed is removed."""
    beside = file.with_name(file.name + ".part")
    beside.unlink(missing_ok=True)
    try:
        yield beside
        make_private_file(beside)
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        rename_into_place(beside, file)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise

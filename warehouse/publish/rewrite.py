"""Rewrite a DuckDB file, so that it holds no bytes of deleted rows.

The bytes stay in the file after a DELETE and a checkpoint, even after the table is dropped. Only a copy of the
database into a new file leaves them behind (measured on 2.0.0).
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import duckdb

from schemas.errors import Busy, WarehouseError
from warehouse.engine.duckdb import QUIET, DuckdbWarehouse, open_warehouse
from warehouse.engine.place import exports_of
from warehouse.engine.private import aside, make_private_file, only_private_files, remove_halves, rename_into_place
from warehouse.engine.sql import quoted
from warehouse.schema.views import create_views, drop_views

REWRITTEN = ".rewritten"
"""The ending of the new file's name while it is written; opening the warehouse leaves files of this name alone."""


def rewrite(path: Path, *, wait: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
    """Replace a closed warehouse by a new file with the same rows; remove the copies and spilled rows.

    Meanwhile the old file is locked, so that nobody writes to it; processes that wait for it open the new file. After a
    kill at any point, the old or the new file is there and complete. Raises Busy, WarehouseError.
    """
    open_warehouse(path, wait=wait).__exit__()  # moves rows from the log into the file
    rewritten = path.with_name(path.name + REWRITTEN)
    remove_halves(rewritten)
    until = clock() + wait
    with only_private_files(), aside(rewritten) as beside:
        try:
            with duckdb.connect(str(beside)) as new:
                new.execute(QUIET).fetchall()
                _attach(new, path, until, clock)
                new.execute(f"copy from database old to {_name_of(new)}").fetchall()
                new.execute("checkpoint").fetchall()
                _make_views(beside, new)
                _swap(beside, path)
        except duckdb.Error as problem:
            raise WarehouseError(f"{path} cannot be rewritten: {type(problem).__name__}.") from None
    for folder in (exports_of(path), path.with_name(path.name + ".tmp")):
        shutil.rmtree(folder, ignore_errors=True)


def _attach(new: duckdb.DuckDBPyConnection, path: Path, until: float, clock: Callable[[], float]) -> None:
    while True:
        try:
            new.execute(f"attach {quoted(path)} as old (read_only)").fetchall()
        except duckdb.IOException as problem:
            if "lock" not in str(problem) or clock() >= until:
                raise Busy(f"{path} is open in another process. Close it there, or try again.") from None
            time.sleep(0.1)
        else:
            return


def _name_of(new: duckdb.DuckDBPyConnection) -> str:
    ((name,),) = new.execute("select current_database()").fetchall()
    return '"' + str(name).replace('"', '""') + '"'


def _make_views(beside: Path, new: duckdb.DuckDBPyConnection) -> None:
    """Create the views and comments again, as DuckDB copies no comments. The connection holds both files."""
    from warehouse.schema.tables import comment_on_mirror  # noqa: PLC0415 - SQLAlchemy, for new tables only

    opened = DuckdbWarehouse(new, beside, ExitStack())
    with opened.transaction():
        drop_views(opened)
        create_views(opened)
        comment_on_mirror(opened)
        opened.execute("delete from control.published")
    opened.checkpoint()


def _swap(beside: Path, path: Path) -> None:
    make_private_file(beside)
    descriptor = os.open(beside, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    rename_into_place(beside, path)

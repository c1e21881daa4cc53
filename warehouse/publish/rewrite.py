"""A DuckDB file written anew, so that nothing is left in it of rows that were deleted.

After a DELETE, a checkpoint, even after the table was dropped, the bytes of rows stay in the file: only a copy of the
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
from warehouse.schema.comments import comment_on_mirror
from warehouse.schema.views import create_views, drop_views

REWRITTEN = ".rewritten"
"""Ends the name under which the new file is written: whoever opens the warehouse meanwhile leaves that alone."""


def rewrite(path: Path, *, wait: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
    """Write a closed warehouse into a new file, and put that in its place; copies and spilled rows are removed.

    The old file is held meanwhile, so that nobody writes into it; whoever waits for it opens the new one. Killed at any
    point, the old one or the new one is there, whole. Raises Busy, WarehouseError.
    """
    open_warehouse(path, wait=wait).__exit__()  # what stands in the log alone goes into the file
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
            raise WarehouseError(f"{path} cannot be written again: {type(problem).__name__}.") from None
    for folder in (exports_of(path), path.with_name(path.name + ".tmp")):
        shutil.rmtree(folder, ignore_errors=True)


def _attach(new: duckdb.DuckDBPyConnection, path: Path, until: float, clock: Callable[[], float]) -> None:
    quoted = str(path).replace("'", "''")
    while True:
        try:
            new.execute(f"attach '{quoted}' as old (read_only)").fetchall()
        except duckdb.IOException as problem:
            if "lock" not in str(problem) or clock() >= until:
                raise Busy(f"{path} is open in another process. Close it there, or try again.") from None
            time.sleep(0.1)
        else:
            return


def _name_of(new: duckdb.DuckDBPyConnection) -> str:
    found = new.execute("select current_database()").fetchall()
    return '"' + str(found[0][0]).replace('"', '""') + '"'


def _make_views(beside: Path, new: duckdb.DuckDBPyConnection) -> None:
    """Comments are not copied, so views and comments are made anew, over the connection that holds both files."""
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

"""Published copies, for other programs to read while a run holds the warehouse.

DuckDB locks a file for one process. So readers get a copy of it, and Parquet files of the marts. Each file is written
aside and renamed into place: a reader with the old file open keeps reading the old one.

    <warehouse>.published/reader.duckdb
    <warehouse>.published/clients.parquet, contacts.parquet, ... (one for each view of EXPORTED)

Once all files are in place, `control.published` notes which changes they show. A killed publication leaves no note, so
the next pull publishes again. The copy itself therefore holds the note of the publication before.

Every publication writes all files, which takes long for a large warehouse. One that took longer than `CHEAP` is not
repeated before ten times as long has passed, so that even frequent pulls spend at most a tenth of the time on it.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import msgspec

from schemas.errors import SettingsError, WarehouseError
from warehouse.engine.duckdb import DuckdbWarehouse
from warehouse.engine.place import READER, exports_of
from warehouse.engine.private import make_own_folder, reason, remove_halves, written_aside
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import quoted, statement

EXPORTED = (
    "clients", "client_balances", "client_redirects", "contacts", "load_status", "unlisted_clients",
    "invoices", "payments", "credits", "open_items", "aging",
)  # fmt: skip
"""The views written as Parquet: the small ones and those for daily questions. The copy holds all views."""
PARQUET = "format parquet, compression zstd, row_group_size 10240"
"""Row groups are small, because DuckDB holds one in memory until it is written."""
UNPACKED = "format parquet, compression uncompressed, row_group_size 10240"
BY_CLIENT = {"clients": "id", "contacts": "client_id"}
"""The large views, with the column of the client's id."""
PIECE = 150_000
"""The most clients for which one query writes such a view."""
CHEAP = 3.0
"""Seconds. A publication that takes no longer follows every change."""
REST = 10
"""A slower publication is not repeated before this many times its duration has passed."""


class Postponed(msgspec.Struct, frozen=True):
    """The copies lack the newest changes; the first pull after `until` writes them."""

    until: datetime

    def __str__(self) -> str:
        """One line for people."""
        return (
            "The copies for readers do not show this yet: writing them takes long, so the first pull after "
            f"{self.until:%Y-%m-%d %H:%M:%S %Z} writes them. `ninja-sync publish` writes them now."
        )


def publish_if_due(
    warehouse: Warehouse, *, now: datetime, clock: Callable[[], float] = time.monotonic
) -> Path | Postponed | None:
    """Publish if the copies lack a change or a file; return the folder, or Postponed, or None if nothing was due.

    Runs are counted, not compared by time, because this machine's clock may go back. If the last publication lies in
    the future, the clock did go back, and a due publication is not postponed. On Postgres nothing is ever due.
    """
    if not isinstance(warehouse, DuckdbWarehouse):
        return None
    ((_, changed, shown, at, seconds),) = warehouse.rows(statement("read/published"))
    folder = exports_of(warehouse.path)
    whole = _is_whole(folder)
    if whole and shown == changed:
        return None
    if whole and isinstance(at, datetime) and isinstance(seconds, Decimal) and seconds > CHEAP:
        until = at + REST * timedelta(seconds=float(seconds))
        if at <= now < until:
            return Postponed(until)
    return publish(warehouse, now=now, clock=clock)


def _is_whole(folder: Path) -> bool:
    """Whether all published files are there."""
    return all((folder / name).exists() for name in (READER, *(f"{view}.parquet" for view in EXPORTED)))


def publish_findings(
    warehouse: Warehouse, *, now: datetime, clock: Callable[[], float] = time.monotonic, write: bool = True
) -> Path | Postponed | None:
    """Publish what `dedupe find` stored: the copy only, as no Parquet file has it; all files if they lack more.

    Without `write`, only note that the copies lack it. A killed publication leaves that note.
    """
    if not isinstance(warehouse, DuckdbWarehouse):
        return None
    ((_, changed, shown, *_),) = warehouse.rows(statement("read/published"))
    folder = exports_of(warehouse.path)
    whole = _is_whole(folder)
    warehouse.execute("update control.published set changed_runs = -1")
    if not write:
        return None
    if not whole or shown != changed:
        return publish_if_due(warehouse, now=now, clock=clock)
    try:
        _write_copy(warehouse, folder)
    except OSError as problem:
        raise WarehouseError(f"The copies for readers cannot be written to {folder}: {reason(problem)}.") from None
    warehouse.execute("update control.published set changed_runs = $changed", {"changed": changed})
    return folder


def publish(warehouse: Warehouse, *, now: datetime | None = None, clock: Callable[[], float] = time.monotonic) -> Path:
    """Publish the warehouse and return the folder. The warehouse stays open meanwhile, so nobody can change it.

    Without `now`, the engine's clock gives the time. Raises SettingsError on Postgres, and WarehouseError if the files
    cannot be written; the old files stay.
    """
    if not isinstance(warehouse, DuckdbWarehouse):
        raise SettingsError("Readers of Postgres need no copies: they query mart.clients and the other views directly.")
    folder, began = exports_of(warehouse.path), clock()
    try:
        _write(warehouse, folder)
    except OSError as problem:
        raise WarehouseError(f"The copies for readers cannot be written to {folder}: {reason(problem)}.") from None
    _remember(warehouse, now, seconds=round(clock() - began, 3))
    return folder


def _write(warehouse: DuckdbWarehouse, folder: Path) -> None:
    make_own_folder(folder)
    firsts = _first_ids(warehouse)
    for view in EXPORTED:
        with _in_place(folder / f"{view}.parquet") as beside:
            if view in BY_CLIENT and len(firsts) > 1:
                _write_pieces(warehouse, view, beside, firsts)
            else:
                warehouse.execute(f"copy ({_rows(view, folder)}) to {quoted(beside)} ({PARQUET})")
    _write_copy(warehouse, folder)


def _write_copy(warehouse: DuckdbWarehouse, folder: Path) -> None:
    warehouse.checkpoint()
    with _in_place(folder / READER) as beside:
        _copy(warehouse.path, beside)


def _first_ids(warehouse: Warehouse) -> list[object]:
    """Return the first id of each piece of at most `PIECE` clients, in order."""
    ((clients,),) = warehouse.rows("select count(*) from ninja.clients")
    pieces = -(-int(str(clients)) // PIECE)
    if pieces < 2:  # noqa: PLR2004 - one piece is the whole
        return []
    return [first for (first,) in warehouse.rows(statement("read/first_ids"), {"number": pieces})]


def _write_pieces(warehouse: Warehouse, view: str, beside: Path, firsts: Sequence[object]) -> None:
    """Write the rows of a large view piece by piece beside the file, then the file from the pieces.

    The view joins and sorts. For a million clients at once, DuckDB would hold 400 MB, or spill 15 GB.
    """
    files = []
    for number, (first, end) in enumerate(pairwise([*firsts, None])):
        within = f"{BY_CLIENT[view]} >= $first" + (f" and {BY_CLIENT[view]} < $end" if end is not None else "")
        files.append(quoted(beside.with_name(f"{number}.parquet")))
        query = f"select * from mart.{view} where {within}"
        warehouse.execute(f"copy ({query}) to {files[-1]} ({UNPACKED})", {"first": first, "end": end})
    warehouse.execute(f"copy (select * from read_parquet([{', '.join(files)}])) to {quoted(beside)} ({PARQUET})")


def _rows(view: str, folder: Path) -> str:
    """Return the query for the rows of a view. To read balances from the file of clients takes half of the time."""
    if view != "client_balances":
        return f"select * from mart.{view}"
    _, _, query = statement(f"mart/{view}").partition(f"create view mart.{view} as\n")
    before, clients, behind = query.partition("from mart.clients\n")
    if not clients or EXPORTED.index(view) < EXPORTED.index("clients"):  # the file would be that of the last time
        raise RuntimeError("mart.client_balances must read mart.clients once, and be written behind it.")
    return f"{before}from read_parquet({quoted(folder / 'clients.parquet')})\n{behind}"


def _remember(warehouse: Warehouse, now: datetime | None, *, seconds: float) -> None:
    ((newest, changed, *_),) = warehouse.rows(statement("read/published"))
    with warehouse.transaction():
        warehouse.execute("delete from control.published")
        warehouse.execute(
            "insert into control.published (run_id, changed_runs, published_at, seconds) "
            "values ($run_id, $changed, coalesce($now, now()), $seconds)",
            {"run_id": newest, "changed": changed, "now": now, "seconds": seconds},
        )


def _copy(file: Path, beside: Path) -> None:
    """Copy the open warehouse in another process.

    The trap: POSIX releases all locks of a process on a file as soon as that process closes any descriptor of it. A
    copy made in this process would unlock the warehouse for another writer.
    """
    beside.touch(mode=0o600)
    done = subprocess.run(["cp", "--", str(file), str(beside)], capture_output=True, text=True, check=False)  # noqa: S603, S607 - our own paths, and POSIX's cp
    if done.returncode:
        full = "No space left on device" in done.stderr
        why = "the disk is full. Make room there, and try again." if full else done.stderr.strip()
        raise WarehouseError(f"The copy for readers cannot be written to {beside.parent.parent}: {why}")


@contextmanager
def _in_place(file: Path) -> Iterator[Path]:
    """Yield a path beside `file` to write to; rename it at the end. Remove the halves that killed writers left."""
    remove_halves(file)
    file.with_name(file.name + ".part").unlink(missing_ok=True)  # version 0.1.0 left such files
    with written_aside(file) as beside:
        yield beside

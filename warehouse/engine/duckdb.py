"""The warehouse on DuckDB: one file, one process at a time, no access to files outside its own folders.

It implements the seam of `warehouse.engine.seam`; the SQL above the seam is the same on both engines.

The package `duckdb` adds relations, expressions and Arrow to its own extension `_duckdb`. Importing it takes 0.04 s, so
only the methods that use Arrow do that. The version is pinned (duckdb < 2.1).
"""

from __future__ import annotations

import importlib
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import _duckdb as duckdb

from schemas.errors import Busy, SettingsError, WarehouseError
from warehouse.engine.duckdb_errors import SAME_FILE, refused_by, translated
from warehouse.engine.duckdb_file import Config, bounds
from warehouse.engine.place import READER, exports_of
from warehouse.engine.private import (
    check_ours,
    make_private_file,
    make_private_folder,
    make_whole,
    only_private_files,
)
from warehouse.engine.seam import DUCKDB, Params
from warehouse.engine.sql import quoted

if TYPE_CHECKING:
    import pyarrow as pa

NAMED = re.compile(r"\$(\w+)")
"""A parameter of a statement, by its name."""

QUIET = "set enable_progress_bar = false"
"""By default DuckDB draws a progress bar on standard output after two seconds, in the middle of a command's JSON."""

READING: Final[Config] = {"autoinstall_known_extensions": "false"}
"""The configuration that every reader in this process opens a file with: DuckDB refuses a second one that differs."""
_SETTING_UP: Final = threading.Lock()


class DuckdbWarehouse:
    """An open DuckDB file. Use it in `with`, which closes the file and releases its lock at the end.

    While it is open, all files that this process creates are private (umask 077). DuckDB creates its log again after
    each checkpoint and spills rows into files; the umask decides who may read them.
    """

    engine = DUCKDB

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, closing: ExitStack) -> None:
        self._connection, self.path, self._closing = connection, path, closing

    def __enter__(self) -> DuckdbWarehouse:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    @property
    def shown(self) -> str:
        """The path of the file."""
        return str(self.path)

    def execute(self, sql: str, params: Params | None = None) -> None:
        """Run one statement."""
        with translated(sql):
            self._connection.execute(sql, _used(sql, params)).fetchall()

    def rows(self, sql: str, params: Params | None = None) -> list[tuple[object, ...]]:
        """Return the rows of one query."""
        with translated(sql):
            return self._connection.execute(sql, _used(sql, params)).fetchall()

    def answer(self, sql: str, params: Params | None = None) -> tuple[list[str], list[tuple[object, ...]]]:
        """Return the column names and rows of one query."""
        with translated(sql):
            cursor = self._connection.execute(sql, _used(sql, params))
            return [column[0] for column in cursor.description or []], cursor.fetchall()

    def ask(self, sql: str) -> tuple[list[str], list[tuple[object, ...]]]:
        """Like `answer`, for a query that a person typed. Raises SettingsError with DuckDB's message if it fails."""
        try:
            cursor = self._connection.execute(sql)
            return [column[0] for column in cursor.description or []], cursor.fetchall()
        except duckdb.Error as problem:
            raise SettingsError(f"The query cannot be run: {problem}") from None

    def table(self, sql: str, params: Params | None = None) -> pa.Table:
        """Return the result of one query as an Arrow table."""
        with translated(sql):
            return self._with_arrow().sql(sql, params=_used(sql, params)).to_arrow_table()

    def streamed(self, sql: str, params: Params | None = None, *, rows: int = 5000) -> Iterator[pa.RecordBatch]:
        """Yield Arrow batches of at most `rows`. Run no other statement until they are all read."""
        with translated(sql):
            yield from self._with_arrow().sql(sql, params=_used(sql, params)).to_arrow_reader(rows)

    def stage(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """Stream Arrow batches into a new temporary table."""
        self._read(f"create or replace temp table {name} as select * from arriving", schema, batches)

    def append(self, table: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """Stream Arrow batches into a table, by the names of the columns."""
        self._read(f"insert into {table} by name select * from arriving", schema, batches)

    def _read(self, sql: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """Run a statement that reads the batches once, as `arriving`."""
        import pyarrow as pa  # noqa: PLC0415 - 0.3 s which a pull without changes does not spend

        reader = pa.RecordBatchReader.from_batches(schema, batches)
        with translated(sql):
            self._with_arrow().register("arriving", reader)
            self._connection.execute(sql).fetchall()
            self._connection.unregister("arriving")

    @contextmanager
    def transaction(self, *, run_id: str | None = None) -> Iterator[None]:  # noqa: ARG002 - a commit is never in doubt here
        """Commit at the end, or roll back on any exception."""
        self.execute("begin transaction")
        try:
            yield
        except BaseException:
            self.execute("rollback")
            raise
        self.execute("commit")

    def hold(self, name: str) -> None:
        """Do nothing: no other process can open the file."""

    def analyze(self, tables: Sequence[str]) -> None:
        """Do nothing: DuckDB keeps its statistics up to date."""

    def checkpoint(self) -> None:
        """Write the log into the file, so that a copy of the file alone is complete."""
        self.execute("checkpoint")

    def _with_arrow(self) -> duckdb.DuckDBPyConnection:
        """Return the connection, which hands rows over as Arrow once the whole package is imported."""
        importlib.import_module("duckdb")
        return self._connection


def open_warehouse(
    path: Path,
    *,
    read_only: bool = False,
    wait: float = 10.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> DuckdbWarehouse:
    """Open the file; create it (0600, in a folder of 0700) if it does not exist.

    Waits up to `wait` seconds for another process to close it. Raises Busy, naming that process; SettingsError if the
    path cannot be a warehouse; WarehouseError if the file is not a DuckDB file or is damaged.
    """
    path = path.resolve()
    check_ours(*(path.with_name(path.name + ending) for ending in ("", ".wal", ".tmp", ".published")))
    if read_only:
        _check_there(path)
    else:
        make_private_folder(path.parent)
    until = clock() + wait
    while True:
        try:
            return _opened(path, read_only=read_only)
        except duckdb.Error as problem:
            refused = refused_by(path, problem)
            if not isinstance(refused, Busy) or clock() >= until:
                raise refused from None
            sleep(0.1)


def _check_there(path: Path) -> None:
    if not path.exists():
        raise WarehouseError(f"There is no warehouse at {path} yet: `ninja-sync pull` creates it.")


def _opened(path: Path, *, read_only: bool) -> DuckdbWarehouse:
    if path.is_dir():
        raise SettingsError(
            f"The warehouse {path} is a folder; name a file in it, such as {path / 'warehouse.duckdb'}."
        )
    if path.exists() and not path.is_file():
        raise SettingsError(f"The warehouse {path} is no plain file: name another one.")
    with ExitStack() as closing:
        closing.enter_context(only_private_files())
        if not read_only:  # a kill while DuckDB creates a file leaves one that DuckDB never opens again
            make_whole(path, lambda beside: duckdb.connect(str(beside)).close())
        connection = _reader(path) if read_only else _writer(path)
        closing.callback(connection.close)
        if not read_only:
            make_private_file(path)  # another program may have created it
        if not _restrict(connection, path) and not read_only:
            # DuckDB would let two threads write, each without the other's locks.
            raise duckdb.ConnectionException(SAME_FILE)
        return DuckdbWarehouse(connection, path, closing.pop_all())


def _writer(path: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(path), read_only=False, config={**READING, **bounds(path)})


def reader_connection(path: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection of DuckDB's own that only reads, for other libraries. Raises Busy, WarehouseError."""
    _check_there(path)
    try:
        connection = _reader(path)
    except duckdb.Error as problem:
        raise refused_by(path, problem) from None
    _restrict(connection, path)
    return connection


def _reader(path: Path) -> duckdb.DuckDBPyConnection:
    """Return a new connection that only reads: of a published copy always the newest one.

    While a process has a connection to a file, DuckDB gives each further one the same database, also if the file was
    replaced since. So each reader of a copy attaches it to a database of its own. The warehouse's own file must not be
    opened twice: a process loses all its locks on a file when it closes one of its descriptors.
    """
    if path.name != READER:
        return duckdb.connect(str(path), read_only=True, config=READING)
    connection = duckdb.connect(config={**READING, "temp_directory": f"{path}.tmp"})
    try:
        connection.execute(f"attach {quoted(path)} as reader (read_only)").fetchall()
        connection.execute("use reader").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _restrict(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    """Set up a new connection: times in UTC, and no files but this warehouse's own folder of exports.

    Connections of one process to one file share one database and most settings. The first one locks them, for all.
    Return whether this is the first.
    """
    with _SETTING_UP:
        if connection.execute("select current_setting('lock_configuration')").fetchall() == [(True,)]:
            return False
        connection.execute("set global timezone = 'UTC'").fetchall()
        connection.execute(QUIET).fetchall()
        # First the folders, then the lock.
        connection.execute(f"set allowed_directories = [{quoted(f'{exports_of(path)}/')}]").fetchall()
        connection.execute("set enable_external_access = false").fetchall()
        connection.execute("set lock_configuration = true").fetchall()
        return True


def _used(sql: str, params: Params | None) -> dict[str, object]:
    """Return the parameters that the statement names: DuckDB refuses any others."""
    named = set(NAMED.findall(sql)) if params else ()
    return {name: value for name, value in (params or {}).items() if name in named}

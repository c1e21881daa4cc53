"""The warehouse on Postgres: the same statements as on DuckDB, over one connection.

A statement's `$name` becomes `$1`, bound by the server. Every statement runs in a transaction that begins with our
settings: one of its own, in one round trip, or the one of `transaction`. Arrow batches arrive by COPY of CSV, the
fastest way measured. If the connection is lost during COMMIT, we look up whether the commit succeeded before we do
anything else.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import TransactionStatus

from schemas.errors import ConnectionLost, SettingsError, WarehouseError
from warehouse.engine.place import PostgresUrl
from warehouse.engine.postgres_arrow import arrow_schema, column_types, copied, record_batch
from warehouse.engine.postgres_connection import connected
from warehouse.engine.postgres_errors import NOT_ALLOWED, timed_out, translated, words
from warehouse.engine.postgres_session import Settings
from warehouse.engine.seam import POSTGRES, Params

if TYPE_CHECKING:
    import pyarrow as pa

XACT_STATUS = "select pg_xact_status(cast($number as xid8))"
READABLE = """
select nspname from pg_namespace
where nspname in ('mart', 'mart_public') and has_schema_privilege(oid, 'usage') order by nspname
"""


class PostgresWarehouse:
    """An open Postgres database. Use it in `with`, which closes the connection at the end."""

    engine = POSTGRES

    def __init__(
        self, connection: psycopg.Connection[Any], place: PostgresUrl, reopen: Callable[[], Any], settings: Settings
    ) -> None:
        self._connection, self.place, self._reopen, self._settings = connection, place, reopen, settings

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return str(self.place)

    @property
    def announced_session(self) -> int:
        """The session's process id, as the server or pooler announced it when the connection began."""
        return self._connection.info.backend_pid

    def __enter__(self) -> PostgresWarehouse:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(psycopg.Error):
            self._connection.close()

    def execute(self, sql: str, params: Params | None = None) -> None:
        """Run one statement."""
        with translated(sql):
            self._run(sql, params)

    def rows(self, sql: str, params: Params | None = None) -> list[tuple[object, ...]]:
        """Return the rows of one query."""
        with translated(sql):
            return self._run(sql, params).fetchall()

    def answer(self, sql: str, params: Params | None = None) -> tuple[list[str], list[tuple[object, ...]]]:
        """Return the column names and rows of one query."""
        with translated(sql):
            cursor = self._run(sql, params)
            return [column.name for column in cursor.description or []], cursor.fetchall()

    def ask(self, sql: str) -> tuple[list[str], list[tuple[object, ...]]]:
        """Like `answer`, for a query that a person typed. Raises SettingsError with Postgres' message if it fails.

        The trap: the simple protocol runs several statements at once, and the second could end the read-only
        transaction. A pipeline uses the extended protocol, which takes one statement.
        """
        try:
            cursor = self._run(sql, None)
            return [column.name for column in cursor.description or []], cursor.fetchall()
        except psycopg.ProgrammingError as problem:
            if problem.sqlstate is None:  # the statement returns no rows
                return [], []
            advice = self._advice() if problem.sqlstate == NOT_ALLOWED else ""
            raise SettingsError(f"The query cannot be run: {words(problem)}{advice}") from None
        except psycopg.Error as problem:
            raise SettingsError(f"The query cannot be run: {timed_out(problem) or words(problem)}") from None

    def _advice(self) -> str:
        """Return which of the views for people this role may read."""
        names: list[str] = []
        with suppress(psycopg.Error):
            names = [str(name) for (name,) in self._run(READABLE).fetchall()]
        return f". Of the views for people, this role may read those of {' and '.join(names)}." if names else ""

    def table(self, sql: str, params: Params | None = None) -> pa.Table:
        """Return the result of one query as an Arrow table."""
        import pyarrow as pa  # noqa: PLC0415 - 0.3 s which a pull without changes does not spend

        with translated(sql):
            cursor = self._run(sql, params)
            schema = arrow_schema(cursor.description or [])
            return pa.Table.from_batches([record_batch(schema, cursor.fetchall())], schema=schema)

    def streamed(self, sql: str, params: Params | None = None, *, rows: int = 5000) -> Iterator[pa.RecordBatch]:
        """Yield Arrow batches of at most `rows`. Call it in a transaction and read it to the end."""
        text, values = _numbered(sql, params)
        with translated(sql), psycopg.RawServerCursor(self._connection, "streamed") as cursor:
            cursor.execute(text.encode(), values)
            schema = arrow_schema(cursor.description or [])
            while fetched := cursor.fetchmany(rows):
                yield record_batch(schema, fetched)

    def stage(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """Stream Arrow batches into a new temporary table, and analyze it for the planner."""
        if self._connection.info.transaction_status == TransactionStatus.IDLE:
            raise RuntimeError("A temporary table outside a transaction would outlive it: use `scratch`.")
        with translated(f"stage {name}"):
            self._run(f'drop table if exists pg_temp."{name}"')
            self._run(f'create temp table "{name}" ({column_types(schema)})')
            for batch in batches:
                copied(self._connection, f'"{name}"', batch)
            self._run(f'analyze "{name}"')

    def append(self, table: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:  # noqa: ARG002 - DuckDB needs it
        """Stream Arrow batches into a table, by the names of the columns."""
        with translated(f"append to {table}"):
            for batch in batches:
                copied(self._connection, table, batch)

    @contextmanager
    def transaction(self, *, run_id: str | None = None) -> Iterator[None]:
        """Commit at the end, or roll back on any exception. After a lost COMMIT, look up whether it succeeded."""
        with translated("begin"):
            self._connection.execute(self._settings.begin.encode())
        try:
            yield
            ((number,),) = self.rows("select cast(pg_current_xact_id_if_assigned() as text)")
        except BaseException:
            with suppress(WarehouseError):
                self.execute("rollback")
            raise
        try:
            self.execute("commit")
        except ConnectionLost:
            if not self._has_landed(None if number is None else str(number), run_id):
                raise ConnectionLost from None

    def _has_landed(self, number: str | None, run_id: str | None) -> bool:
        """Connect again, and return whether the transaction was committed whose COMMIT was lost.

        The old session may still be committing, so we wait until it has ended: `pg_xact_status` shows that (Postgres
        manual, "Transaction ID and Snapshot Information Functions"). Then the run is in `control.runs` or it is not.
        """
        try:
            self._connection = self._reopen()
            status = None if number is None else self._ended_as(number)
            if run_id is not None:
                return bool(self.rows("select 1 from control.runs where run_id = $run_id", {"run_id": run_id}))
        except WarehouseError:
            raise WarehouseError(
                f"The connection to {self.shown} was lost during the commit of the run, and connecting again failed: "
                "we do not know yet whether the run is stored. The next run finds out and continues from there."
            ) from None
        return number is None or status == "committed"

    def _ended_as(self, number: str) -> str:
        """Wait for the end of a lost connection's transaction, and return its status.

        A number that the server does not know was lost in a crash before it reached the disk: aborted.
        """
        while True:
            try:
                ((status,),) = self._run(XACT_STATUS, {"number": number}).fetchall()
            except psycopg.errors.InvalidParameterValue:  # "transaction ID … is in the future"
                return "aborted"
            except psycopg.Error as problem:
                raise WarehouseError(f"Postgres: {words(problem)}") from None
            if status != "in progress":
                return str(status)
            time.sleep(0.2)

    def hold(self, name: str) -> None:
        """Hold a named lock until the transaction ends, against all machines."""
        self.execute("select pg_advisory_xact_lock(hashtextextended($name, 0))", {"name": f"ninja-sync {name}"})

    def analyze(self, tables: Sequence[str]) -> None:
        """Analyze these tables, so that the planner knows how many rows they have."""
        for table in tables:
            self.execute(f"analyze {table}")

    def _run(self, sql: str, params: Params | None = None) -> psycopg.Cursor[Any]:
        """Run a statement; outside a transaction, in a transaction of its own."""
        text, values = _numbered(sql, params)
        connection = self._connection
        vacuums = text.startswith("vacuum") and not self._settings.read_only  # a vacuum runs outside a transaction
        if vacuums or connection.info.transaction_status != TransactionStatus.IDLE:
            return connection.execute(text.encode(), values or None)
        problem: psycopg.Error | None = None
        try:
            with connection.pipeline():
                try:
                    connection.execute(self._settings.first.encode())
                    connection.execute(self._settings.then.encode())
                    cursor = connection.execute(text.encode(), values or None)
                    connection.execute(b"commit")
                except psycopg.Error as raised:  # kept here: leaving the pipeline raises an error that follows from it
                    problem = raised
        except psycopg.Error as raised:
            problem = problem or raised
        if problem is not None:
            _roll_back(connection)
            raise problem
        return cursor


def _roll_back(connection: psycopg.Connection[Any]) -> None:
    if connection.info.transaction_status == TransactionStatus.INERROR:
        with suppress(psycopg.Error):
            connection.execute(b"rollback")


def open_postgres(
    place: PostgresUrl,
    *,
    read_only: bool = False,
    wait: float = 10.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> PostgresWarehouse:
    """Connect, trying for up to `wait` seconds. Raises WarehouseError with the server's reason if that fails."""

    def connect() -> psycopg.Connection[Any]:
        return connected(place, wait=wait, clock=clock, sleep=sleep)

    return PostgresWarehouse(connect(), place, connect, Settings(read_only=read_only))


def _numbered(sql: str, params: Params | None) -> tuple[str, list[object]]:
    """Return the statement with `$1` in place of `$name` and without comments, and its values in that order."""
    if not params:
        return sql, []
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        name = match[1]
        if name not in params:
            return match[0]
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    text = re.sub(r"\$([a-z_]\w*)", number, re.sub(r"--[^\n]*", "", sql))
    return text, [params[name] for name in names]

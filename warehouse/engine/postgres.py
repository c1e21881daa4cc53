"""The warehouse on Postgres: the same statements as on DuckDB, over one connection.

A statement's `$name` becomes `$1`, bound by the server. Each runs in a transaction that begins with our settings: one
of its own, in one round trip, or that of `transaction`. Arrow batches arrive by COPY of CSV, which measured fastest. A
connection that is lost while COMMIT is under way leaves the outcome open: it is looked up before anything else happens.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import TransactionStatus

from schemas.errors import Busy, ConnectionLost, SettingsError, WarehouseError
from warehouse.engine.place import PostgresUrl
from warehouse.engine.postgres_arrow import arrow_schema, column_types, copied, record_batch
from warehouse.engine.postgres_connection import connected, refused_by_pooler, timed_out, words
from warehouse.engine.postgres_session import Settings
from warehouse.engine.seam import POSTGRES, Params

if TYPE_CHECKING:
    import pyarrow as pa

SAFE_CLASSES = ("08", "28", "3D", "3F", "42", "53", "55", "57", "58")
"""Classes of SQLSTATE whose messages name objects, rights and limits; those of others may hold values of rows."""
XACT_STATUS = "select pg_xact_status(cast($number as xid8))"
NOT_MADE = ("42P01", "3F000", "42703")
"""Undefined table, schema, column."""


class PostgresWarehouse:
    """An open Postgres database. Use it in `with`; the connection is closed at the end."""

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
    def session_told(self) -> int:
        """The number of the session, as it was given when the connection began."""
        return self._connection.info.backend_pid

    def __enter__(self) -> PostgresWarehouse:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(psycopg.Error):
            self._connection.close()

    def execute(self, sql: str, params: Params | None = None) -> None:
        """Run one statement."""
        with _translated(sql):
            self._run(sql, params)

    def rows(self, sql: str, params: Params | None = None) -> list[tuple[object, ...]]:
        """The rows of one query."""
        with _translated(sql):
            return self._run(sql, params).fetchall()

    def answer(self, sql: str, params: Params | None = None) -> tuple[list[str], list[tuple[object, ...]]]:
        """The column names and rows of one query."""
        with _translated(sql):
            cursor = self._run(sql, params)
            return [column.name for column in cursor.description or []], cursor.fetchall()

    def ask(self, sql: str) -> tuple[list[str], list[tuple[object, ...]]]:
        """The same for a query that a person typed: where it is wrong, a SettingsError says so in Postgres' words.

        The trap: the simple protocol runs several statements at once, the second of which could end the read-only
        transaction. In a pipeline the extended one is used, which takes one.
        """
        try:
            cursor = self._run(sql, None)
            return [column.name for column in cursor.description or []], cursor.fetchall()
        except psycopg.ProgrammingError as problem:
            if problem.sqlstate is None:  # a statement without rows
                return [], []
            raise SettingsError(f"The query cannot be run: {words(problem)}") from None
        except psycopg.Error as problem:
            raise SettingsError(f"The query cannot be run: {timed_out(problem) or words(problem)}") from None

    def table(self, sql: str, params: Params | None = None) -> pa.Table:
        """The result of one query as an Arrow table."""
        import pyarrow as pa  # noqa: PLC0415 - 0.3 s which a pull without changes does not spend

        with _translated(sql):
            cursor = self._run(sql, params)
            schema, found = arrow_schema(cursor.description or []), cursor.fetchall()
            return pa.Table.from_batches([record_batch(schema, found)], schema=schema)

    def streamed(self, sql: str, params: Params | None = None, *, rows: int = 5000) -> Iterator[pa.RecordBatch]:
        """The result of one query as Arrow batches of at most `rows`; call it in a transaction, and read it whole."""
        text, values = _numbered(sql, params)
        with _translated(sql), psycopg.RawServerCursor(self._connection, "streamed") as cursor:
            cursor.execute(text.encode(), values)
            schema = arrow_schema(cursor.description or [])
            while found := cursor.fetchmany(rows):
                yield record_batch(schema, found)

    def stage(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """Make the temporary table `name` from Arrow batches, streamed, and count what is in it for the planner."""
        if self._connection.info.transaction_status == TransactionStatus.IDLE:
            raise RuntimeError("A temporary table outside a transaction would outlive it: use `scratch`.")
        with _translated(f"stage {name}"):
            self._run(f'drop table if exists pg_temp."{name}"')
            self._run(f'create temp table "{name}" ({column_types(schema)})')
            for batch in batches:
                if batch.num_rows:
                    copied(self._connection, name, batch)
            self._run(f'analyze "{name}"')

    @contextmanager
    def transaction(self, *, run_id: str | None = None) -> Iterator[None]:
        """All or nothing: commits at the end, rolls back on any exception; a lost COMMIT is looked up."""
        with _translated("begin"):
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
        """Whether a transaction was committed whose connection was lost at its end. The connection is a new one then.

        The old one may still be at it, so its end is waited for: `pg_xact_status` knows it (Postgres 9.6.x and later,
        "Transaction ID and Snapshot Information Functions"). Then the run itself stands in `control.runs` or does not.
        """
        try:
            self._connection = self._reopen()
            status = None if number is None else self._ended_as(number)
            if run_id is not None:
                return bool(self.rows("select 1 from control.runs where run_id = $run_id", {"run_id": run_id}))
        except WarehouseError:
            raise WarehouseError(
                f"The connection to {self.shown} was lost while the run was being committed, and cannot be had again: "
                "whether it is stored is not known yet. The next run finds out, and goes on from there."
            ) from None
        return number is None or status == "committed"

    def _ended_as(self, number: str) -> str:
        """How a transaction of a lost connection ended. After a crash, one that never reached the disk is unknown."""
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
        """Until the transaction ends, keep off others who hold the same name, on whatever machine."""
        self.execute("select pg_advisory_xact_lock(hashtextextended($name, 0))", {"name": f"ninja-sync {name}"})

    def analyze(self, tables: Sequence[str]) -> None:
        """Count what is in these tables, so that the next queries are planned by it."""
        for table in tables:
            self.execute(f"analyze {table}")

    def _run(self, sql: str, params: Params | None = None) -> psycopg.Cursor[Any]:
        """Run a statement, outside a transaction in one of its own."""
        text, values = _numbered(sql, params)
        connection = self._connection
        vacuums = text.startswith("vacuum") and not self._settings.read_only  # which no transaction may hold
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
                except psycopg.Error as raised:  # out of the pipeline, psycopg would log the one that follows from it
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
    """Connect, trying for up to `wait` seconds. Raises WarehouseError, with the server's reason, where that fails."""

    def connect() -> psycopg.Connection[Any]:
        return connected(place, wait=wait, clock=clock, sleep=sleep)

    return PostgresWarehouse(connect(), place, connect, Settings(read_only=read_only))


def _numbered(sql: str, params: Params | None) -> tuple[str, list[object]]:
    """A statement with `$1` in place of `$name`, and the values in that order; comments are left out."""
    if not params:
        return sql, []
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        name = found[1]
        if name not in params:
            return found[0]
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    text = re.sub(r"\$([a-z_]\w*)", number, re.sub(r"--[^\n]*", "", sql))
    return text, [params[name] for name in names]


@contextmanager
def _translated(sql: str) -> Iterator[None]:
    """Postgres' errors as ours. Their text is left out where it could hold values of rows."""
    try:
        yield
    except psycopg.errors.LockNotAvailable:
        raise Busy(f"Postgres: another session holds what is needed ({_what(sql)}). Try again.") from None
    except psycopg.errors.DiskFull as problem:
        raise WarehouseError(
            f"Postgres: the disk of the database server is full: {words(problem)} Have room made there, and try again."
        ) from None
    except psycopg.errors.DependentObjectsStillExist as problem:
        raise WarehouseError(
            f"Postgres: other objects stand on what has to be made anew: {problem.diag.message_detail} Drop them, try "
            "again, and make them anew."
        ) from None
    except psycopg.errors.ReadOnlySqlTransaction:
        raise WarehouseError(
            "Postgres only reads here: the server is a standby, or default_transaction_read_only is on for this "
            "database or user. Nothing was stored. `ninja-sync doctor` says which."
        ) from None
    except psycopg.errors.UniqueViolation as problem:
        raise WarehouseError(
            f"An id of {problem.diag.table_name} would stand twice in the warehouse; nothing was stored."
        ) from None
    except psycopg.Error as problem:
        state = problem.sqlstate or ""
        if refused := refused_by_pooler(problem):
            raise refused from None
        if ended := timed_out(problem):
            raise WarehouseError(f"Postgres: {ended}") from None
        if _is_lost(problem):
            raise ConnectionLost from None
        hint = " Has anything been pulled yet? `ninja-sync pull` makes the tables." if state in NOT_MADE else ""
        detail = words(problem) + hint if state.startswith(SAFE_CLASSES) else f"({_what(sql)})"
        raise WarehouseError(f"Postgres: {type(problem).__name__} {detail}") from None


def _is_lost(problem: psycopg.Error) -> bool:
    """Whether the connection is of no use any more: closed by the network, the server, or an administrator (57P0x)."""
    state = problem.sqlstate
    return isinstance(problem, psycopg.OperationalError) and (state is None or state.startswith(("08", "57P0")))


def _what(sql: str) -> str:
    """The promise of a statement: its first comment, or its first words."""
    return sql.strip().split("\n", 1)[0].removeprefix("--").strip()[:100]

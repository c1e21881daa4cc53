"""The seam between this project's SQL and the engine: the operations that DuckDB and Postgres both provide.

The SQL above the seam is the same on both engines. Parameters are written `$name`, rows are tuples, money is `Decimal`,
times are aware and in UTC, JSON is text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    import pyarrow as pa

Params = Mapping[str, object]
DUCKDB, POSTGRES = "duckdb", "postgres"
SHA256 = {DUCKDB: "sha256({})", POSTGRES: "encode(sha256(convert_to({}, 'UTF8')), 'hex')"}
"""The SQL for the SHA-256 of a text, in hexadecimal digits. Some servers of Postgres forbid md5()."""


class Warehouse(Protocol):
    """An open warehouse. Use it in `with`, which closes it at the end. All methods raise WarehouseError."""

    engine: str
    """DUCKDB or POSTGRES."""

    @property
    def shown(self) -> str:
        """The warehouse's name in messages, never with a password."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def execute(self, sql: str, params: Params | None = None) -> None:
        """Run one statement."""

    def rows(self, sql: str, params: Params | None = None) -> list[tuple[object, ...]]:
        """Return the rows of one query."""

    def answer(self, sql: str, params: Params | None = None) -> tuple[list[str], list[tuple[object, ...]]]:
        """Return the column names and rows of one query."""

    def ask(self, sql: str) -> tuple[list[str], list[tuple[object, ...]]]:
        """Like `answer`, for a query that a person typed. Raises SettingsError with the engine's message."""

    def table(self, sql: str, params: Params | None = None) -> pa.Table:
        """Return the result of one query as an Arrow table."""

    def streamed(self, sql: str, params: Params | None = None, *, rows: int = 5000) -> Iterator[pa.RecordBatch]:
        """Yield Arrow batches of at most `rows`. Call it in a transaction and read it to the end."""

    def stage(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """Stream Arrow batches into a new temporary table. Call it in a transaction."""

    def append(self, table: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """Stream Arrow batches into a table, by the names of the columns. Call it in a transaction."""

    def transaction(self, *, run_id: str | None = None) -> AbstractContextManager[None]:
        """Commit at the end, or roll back on any exception.

        `run_id` is the run that the transaction writes into `control.runs`. If the connection is lost during the
        commit, that row shows whether the commit succeeded.
        """

    def hold(self, name: str) -> None:
        """Hold a named lock until the transaction ends, against all machines."""

    def analyze(self, tables: Sequence[str]) -> None:
        """Have the engine update its statistics of these tables, after many rows have changed."""


class _Done(Exception):
    """Ends a scratch transaction, which rolls it back."""


@contextmanager
def scratch(warehouse: Warehouse) -> Iterator[None]:
    """Open a transaction for queries that need temporary tables. It always rolls back, so nothing is stored.

    The trap: a transaction pooler may give the session to another program as soon as a transaction ends. A temporary
    table made outside a transaction would stay on that session, and our next statement might run on another one.
    """
    with suppress(_Done), warehouse.transaction():
        yield
        raise _Done


def rows_of(engine: str, table: str, ids: str) -> str:
    """Return the SQL for the rows of `$source` in a table whose ids are in another table.

    DuckDB filters ids by a hash that lets some others pass. For a few ids among a million, it would read the records of
    nearly all rows. By rowid it reads only the blocks that hold the rows.
    """
    those = f"w.source = $source and w.id in (select id from {ids})"
    if engine == POSTGRES:
        return f"(select w.* from {table} as w where {those})"
    return f"(select r.* from {table} as r where r.rowid in (select w.rowid from {table} as w where {those}))"

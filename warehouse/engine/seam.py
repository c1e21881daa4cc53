"""The seam between the SQL of this project and the engine below it: what DuckDB and Postgres both do.

Everything above it is the same text on both: parameters are written `$name`, rows are tuples, money is `Decimal`, times
are aware and in UTC, JSON is text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    import pyarrow as pa

Params = Mapping[str, object]
DUCKDB, POSTGRES = "duckdb", "postgres"


class Warehouse(Protocol):
    """An open warehouse. Use it in `with`; it is closed at the end. All methods raise WarehouseError."""

    engine: str
    """DUCKDB or POSTGRES."""

    @property
    def shown(self) -> str:
        """How it is called in messages; never with a password."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def execute(self, sql: str, params: Params | None = None) -> None:
        """Run one statement."""

    def rows(self, sql: str, params: Params | None = None) -> list[tuple[object, ...]]:
        """The rows of one query."""

    def answer(self, sql: str, params: Params | None = None) -> tuple[list[str], list[tuple[object, ...]]]:
        """The column names and rows of one query."""

    def ask(self, sql: str) -> tuple[list[str], list[tuple[object, ...]]]:
        """The same for a query that a person typed: SettingsError, in the engine's words, where it is wrong."""

    def table(self, sql: str, params: Params | None = None) -> pa.Table:
        """The result of one query as an Arrow table."""

    def streamed(self, sql: str, params: Params | None = None, *, rows: int = 5000) -> Iterator[pa.RecordBatch]:
        """The result of one query as Arrow batches of at most `rows`; call it in a transaction, and read it whole."""

    def stage(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """Make the temporary table `name` from Arrow batches, streamed. Call it in a transaction."""

    def transaction(self, *, run_id: str | None = None) -> AbstractContextManager[None]:
        """All or nothing: commits at the end, rolls back on any exception.

        `run_id` is the run that the transaction writes into `control.runs`: where the connection is lost at the commit,
        it says whether that came to be.
        """

    def hold(self, name: str) -> None:
        """Until the transaction ends, keep off others who hold the same name, on whatever machine."""

    def analyze(self, tables: Sequence[str]) -> None:
        """Tell the engine that these tables have changed much."""


class _Done(Exception):
    """The end of a scratch."""


@contextmanager
def scratch(warehouse: Warehouse) -> Iterator[None]:
    """A transaction for questions that need temporary tables: at its end they are gone, and nothing is stored.

    The trap: behind a transaction pooler a temporary table outside a transaction stays on a session that goes on to
    another program, and the next statement may run on another session.
    """
    with suppress(_Done), warehouse.transaction():
        yield
        raise _Done

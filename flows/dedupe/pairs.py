"""The pairs worth comparing, and the level that each reaches in each comparison. DuckDB does the work, in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from flows.dedupe.comparable import Comparable
from flows.dedupe.levels import COLUMNS, COMPARISONS, MACROS, STEPS, Comparison
from warehouse.engine.duckdb import QUIET

HOLDERS: Final = 12
"""The most clients that may hold a mailbox, phone or number; one that more of them hold identifies nobody."""
FEW: Final = 3
"""A value that at most this many clients hold is nearly one client's own."""
STRONG_CAP: Final = 60
WEAK_CAP: Final = 20
"""The most clients that may share a strong or a weak key to look for pairs by; more would make too many pairs."""
PARTS: Final = 8
"""Pairs are compared in so many parts, which bounds memory."""
_TEXTS: Final = (
    "id", "name", "tight", "form", "vat_number", "id_number", "domain", "street", "house", "city", "postal_code",
    "country",
)  # fmt: skip
_LISTS: Final = ("words", "numbers", "given", "initials", "persons", "emails", "phones")
_SWITCHES: Final = ("lone", "personal", "named", "vat_valid")
_NEVER_NULL: Final = ("numbers", "given", "initials")
_SQL: Final = {
    name: Path(__file__).with_name(f"{name}.sql").read_text(encoding="utf-8")
    for name in ("known", "book", "keys", "candidates")
}


@contextmanager
def prepared(clients: Sequence[Comparable], folder: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open DuckDB with the clients and their keys: the tables `known` and `keys`, of the columns in their SQL files.

    It has no access to files or the network. Data that does not fit into memory goes into `folder`, if there is one.
    """
    with duckdb.connect(config={"temp_directory": str(folder) if folder else ""}) as connection:
        for query in (QUIET, *MACROS, "set enable_external_access = false"):
            connection.execute(query).fetchall()
        connection.register("clients", table_of(clients))
        connection.execute(f"create table known as {_SQL['known']}", {"holders": HOLDERS, "few": FEW}).fetchall()
        connection.unregister("clients")
        connection.execute(f"create table book as {_SQL['book']}").fetchall()
        connection.execute(f"create table all_keys as {_SQL['keys']}").fetchall()
        few = "holders <= case when strong then $strong else $weak end"
        caps = {"strong": STRONG_CAP, "weak": WEAK_CAP}
        connection.execute(f"create table keys as select n, key, strong from all_keys where {few}", caps).fetchall()
        yield connection


def left_out(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of strong keys by which no pairs were looked for, because too many clients share each."""
    query = "select count(distinct key) from all_keys where strong and holders > $s"
    return int(connection.execute(query, {"s": STRONG_CAP}).fetchall()[0][0])


def has_own_addresses(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether each address belongs to one client, as in lists of persons or sites (book.sql)."""
    return bool(connection.execute("select own_addresses from book").fetchall()[0][0])


def levels_of(connection: duckdb.DuckDBPyConnection, query: str = "select * from pairs") -> Iterator[pa.Table]:
    """Yield the answers of a query on `pairs`, part by part.

    `pairs` has id_l, id_r, and for each comparison the rank of its level, from 1; 0 if there is nothing to compare.
    """
    for part in range(PARTS):
        candidates = _SQL["candidates"].replace("$parts", str(PARTS)).replace("$part", str(part))
        yield connection.sql(f"with pairs as ({_levels(candidates)}) {query}").to_arrow_table()


def levels_between(connection: duckdb.DuckDBPyConnection, pairs: Sequence[tuple[str, str]]) -> pa.Table:
    """Return the ranks of given pairs of ids, as in `levels_of`, whether or not they share a key.

    Pairs with an id that is not among the prepared clients are left out.
    """
    columns = {"a": [min(pair) for pair in pairs], "b": [max(pair) for pair in pairs]}
    wanted = (
        "select a.n as l, b.n as r from wanted join known as a on a.id = wanted.a join known as b on b.id = wanted.b"
    )
    connection.register("wanted", pa.table(columns, pa.schema([("a", pa.string()), ("b", pa.string())])))
    try:
        return connection.sql(_levels(wanted)).to_arrow_table()
    finally:
        connection.unregister("wanted")


def _levels(pairs: str) -> str:
    both = ", ".join(f"a.{name} as {name}_l, b.{name} as {name}_r" for name in COLUMNS)
    query = f"select {both} from ({pairs}) as p join known as a on a.n = p.l join known as b on b.n = p.r"
    for step in STEPS:
        query = f"select *, {', '.join(f'{sql} as {name}' for name, sql in step.items())} from ({query})"
    return f"select id_l, id_r, {', '.join(rank_of(comparison) for comparison in COMPARISONS)} from ({query})"


def rank_of(comparison: Comparison) -> str:
    """Return the SQL expression of a comparison's rank, named after it."""
    cases = " ".join(f"when {level.condition} then {rank}" for rank, level in enumerate(comparison.levels, 1))
    return f'(case when {comparison.nothing} then 0 {cases} else 0 end)::utinyint as "{comparison.name}"'


def table_of(clients: Sequence[Comparable]) -> pa.Table:
    """Return the clients as a table, a column for each form."""
    columns: dict[str, pa.Array] = {}
    for name in _TEXTS:
        columns[name] = pa.array([getattr(client, name) for client in clients], pa.string())
    for name in _LISTS:
        empty = () if name in _NEVER_NULL else None
        columns[name] = pa.array([getattr(client, name) or empty for client in clients], pa.list_(pa.string()))
    for name in _SWITCHES:
        columns[name] = pa.array([getattr(client, name) for client in clients], pa.bool_())
    return pa.table(columns)

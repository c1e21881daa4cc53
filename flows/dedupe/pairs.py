"""The pairs worth comparing, and the level that each reaches in each comparison. DuckDB does the work, in memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from flows.dedupe.comparable import Comparable
from flows.dedupe.forms import read_forms, table_of_forms
from flows.dedupe.levels import COLUMNS, COMPARISONS, STEPS, Comparison
from flows.dedupe.macros import MACROS
from warehouse.engine.duckdb import QUIET

HOLDERS: Final = 12
"""The most clients that may hold a mailbox, phone or number; one that more of them hold identifies nobody."""
FEW: Final = 3
"""A value that at most this many clients hold is nearly one client's own."""
STRONG_CAP: Final = 60
WEAK_CAP: Final = 20
"""The most clients that may share a strong or a weak key to look for pairs by; more would make too many pairs."""
LOOKED_AT: Final = 20_000
"""So many clients show what a book is like."""
PART: Final = 15_000
MOST_PARTS: Final = 20
"""Pairs are compared in parts, each those of at most so many clients, which bounds memory; but each part costs time."""
MOST_THREADS: Final = 4
_SQL: Final = {
    name: Path(__file__).with_name(f"{name}.sql").read_text(encoding="utf-8")
    for name in ("known", "book", "keys", "prints", "candidates")
}


@contextmanager
def opened(forms: pa.Table, folder: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open DuckDB with clients: the tables `known`, `book`, `all_keys` (see their SQL files), and `crowded` keys.

    `forms` has the columns of `forms.SCHEMA`. DuckDB has no access to files or the network. Data that does not fit into
    its share of memory goes into `folder`, if there is one.
    """
    memory = f"{384 + forms.num_rows // 1000}MiB"
    config: dict[str, str | bool | int | float | list[str]] = {"threads": 1, "temp_directory": str(folder or "")}
    if folder:
        config["memory_limit"] = memory
    with duckdb.connect(config=config) as connection:
        for query in (QUIET, *MACROS, "set enable_external_access = false", "set preserve_insertion_order = false"):
            connection.execute(query).fetchall()
        connection.register("arriving", forms)
        for query, values in (
            (f"create table clients as {read_forms()}", {}),
            (f"create table known as {_SQL['known']}", {"holders": HOLDERS, "few": FEW}),
            ("drop table clients", {}),
            (f"create table book as {_SQL['book']}", {"every": 1 + forms.num_rows // LOOKED_AT}),
            (f"create table all_keys as {_SQL['keys']}", {}),
            (_CROWDED, {"strong": STRONG_CAP, "weak": WEAK_CAP}),
        ):
            connection.execute(query, values).fetchall()
        yield connection


_CROWDED: Final = """
create table crowded as select key, strong from all_keys group by key, strong
having count(*) > case when strong then $strong else $weak end
"""


@contextmanager
def prepared(clients: Sequence[Comparable], folder: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open DuckDB with clients and the keys to compare all of them by."""
    with opened(table_of_forms(clients), folder) as connection:
        compare_all(connection)
        yield connection


def compare_all(connection: duckdb.DuckDBPyConnection) -> None:
    """Have all clients compared: make the table `keys` (n, key, strong, again) of the keys that make pairs.

    Only that is worth several threads, as each thread holds rows of its own.
    """
    connection.execute(f"set threads to {min(MOST_THREADS, os.cpu_count() or 1)}").fetchall()
    connection.execute(
        "create table keys as select n, key, strong, true as again from all_keys semi join "
        "(select key, strong from all_keys group by key, strong "
        "having count(*) between 2 and case when strong then $strong else $weak end) using (key, strong)",
        {"strong": STRONG_CAP, "weak": WEAK_CAP},
    ).fetchall()
    connection.execute("drop table all_keys").fetchall()


def compare_only(connection: duckdb.DuckDBPyConnection) -> None:
    """Have only pairs compared with a client of the table `again` (n): make `keys` of the keys that make such pairs."""
    sought = "select distinct key, strong from all_keys semi join again using (n) anti join crowded using (key, strong)"
    keys = (
        "select n, key, strong, n in (select n from again) as again from all_keys semi join sought using (key, strong)"
    )
    for query in (f"create table sought as {sought}", f"create table keys as {keys}", "drop table all_keys"):
        connection.execute(query).fetchall()


def print_clients(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table `prints`: n, id, print (prints.sql)."""
    connection.execute(f"create table prints as {_SQL['prints'].replace('$columns', ', '.join(COLUMNS))}").fetchall()


def code_of_pairs() -> str:
    """Return a digest of all that decides on pairs and their levels, and of the engine that computes them."""
    decisive = [duckdb.__version__, HOLDERS, FEW, STRONG_CAP, WEAK_CAP, sorted(_SQL.items()), _levels(""), MACROS]
    return hashlib.sha256(repr(decisive).encode()).hexdigest()


def left_out(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of strong keys that make no pairs, because too many clients share each."""
    return int(connection.execute("select count(*) from crowded where strong").fetchall()[0][0])


def has_own_addresses(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether each address belongs to one client, as in lists of persons or sites (book.sql)."""
    return bool(connection.execute("select own_addresses from book").fetchall()[0][0])


def levels_of(connection: duckdb.DuckDBPyConnection, query: str = "select * from pairs") -> Iterator[pa.Table]:
    """Yield the answers of a query on `pairs`, part by part.

    `pairs` has id_l, id_r, and for each comparison the rank of its level, from 1; 0 if there is nothing to compare.
    """
    ((again,),) = connection.execute("select count(distinct n) from keys where again").fetchall()
    parts = parts_for(again)
    for part in range(parts):
        candidates = _SQL["candidates"].replace("$parts", str(parts)).replace("$part", str(part))
        yield connection.sql(f"with pairs as ({_levels(candidates)}) {query}").to_arrow_table()


def parts_for(again: int) -> int:
    """Return in how many parts the pairs of so many clients are compared."""
    return min(MOST_PARTS, 1 + again // PART)


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

"""Compare the clients of a book: all of them, or only those that changed since the last search.

The score of a pair follows from its clients' columns of known.sql, from the keys that too many clients share, and from
the model. A print (prints.sql) is a hash of a client's columns and such keys. It also moves if the client
itself is unchanged but its book is not: another client has taken its name, or a word is rare no more. So the pairs of
two clients with the prints of the last search score what they scored, and all others are compared again. The result is
exactly that of comparing all clients.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from flows.dedupe.explain import keys_of, reasons
from flows.dedupe.forms import basis_of_forms, completed
from flows.dedupe.levels import COMPARISONS
from flows.dedupe.model import Model, digest_of, model_for, probability
from flows.dedupe.pairs import (
    compare_all,
    compare_only,
    left_out,
    levels_of,
    opened,
    parts_for,
    print_clients,
)
from flows.dedupe.questions import LEAST_ASKED
from flows.dedupe.rules import Rules
from flows.session.progress import Progress, silent
from warehouse.control.compared import BATCH, After, Basis, Before
from warehouse.control.dedupe import FoundPair, Pair

UNCERTAIN: Final = LEAST_ASKED
"""Pairs less probable than this are not stored, unless the rules have a lower floor."""
MOST_AGAIN: Final = 0.2
"""If more than this share of the clients is to be compared again, comparing all of them takes no longer."""
_MOVED: Final = "from prints as p join arriving as a using (id) where a.print is distinct from p.print"
"""The clients that are new, or whose print has moved."""
SCORES: Final = pa.schema([
    ("id_a", pa.string()), ("id_b", pa.string()), ("probability", pa.float64()), ("in_conflict", pa.bool_()),
    ("ranks", pa.string()),
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compared:
    """The pairs that may be the same: their probabilities, those in conflict, and how to explain one.

    `again` is the number of clients compared again, `left_out` that of strong keys that too many clients share.
    """

    probable: Mapping[Pair, float]
    conflicts: Set[Pair]
    left_out: int
    again: int
    after: After = field(repr=False)
    ranks: Mapping[Pair, str] = field(repr=False)

    def explained(self, pair: Pair) -> FoundPair:
        """Return the pair with its reasons."""
        return FoundPair(
            *pair, self.probable.get(pair, 0.0), *_explained(self.ranks.get(pair, "")), pair in self.conflicts
        )


@contextmanager
def compared(
    batches: list[pa.RecordBatch],
    before: Before,
    rules: Rules,
    *,
    model: Model | None = None,
    folder: Path | None = None,
    progress: Progress = silent,
) -> Iterator[Compared]:
    """Compare clients in batches of `read_inputs`; without a model of their kind, the shipped one decides.

    The batches may have stored forms only if `can_use` allows that. `after` can be read until the context ends.
    """
    with opened(_forms(batches, rules, progress), folder) as connection:
        print_clients(connection)
        model = model_for(connection, model)
        basis, kept = _basis(rules, model, before), before.basis
        same = kept is not None and (kept.forms, kept.scores, kept.least) == (basis.forms, basis.scores, basis.least)
        again = _choose(connection, whole=not same)
        scores = [_unchanged(connection, before.scores)] if same else []
        skipped = left_out(connection)
        progress("comparing", 0, again)
        for done, part in enumerate(_scores(connection, model, basis.least) if again else (), 1):
            scores.append(part)
            progress("comparing", again * done // parts_for(again), again)
        for table in ("known", "keys", "book", "crowded", "all_keys"):
            connection.execute(f"drop table if exists {table}").fetchall()
        table = pa.concat_tables(scores) if scores else SCORES.empty_table()
        after = After(
            basis, _written(connection), _ids(connection, before.gone), table,
            kept_forms=kept is not None and kept.forms == basis.forms,
            changed=not same or again > 0 or bool(before.gone),
        )  # fmt: skip
        yield _of(table, min(UNCERTAIN, rules.floor), skipped, again, after)


def can_use(before: Before, rules: Rules) -> bool:
    """Whether the stored forms are those that this version would make."""
    return before.basis is not None and before.basis.forms == basis_of_forms(rules.free_mail)


def read_ranks(text: str) -> dict[str, int]:
    """Return the rank of each comparison's level, from its character."""
    return {comparison.name: ord(rank) - 48 for comparison, rank in zip(COMPARISONS, text, strict=False)}


@cache
def _explained(ranks: str) -> tuple[list[str], list[str], list[str]]:
    """Return the keys and reasons of a pair by the ranks of its levels, which many pairs have in common."""
    read = read_ranks(ranks)
    return keys_of(read), *reasons(read)


def _forms(batches: list[pa.RecordBatch], rules: Rules, progress: Progress) -> pa.Table:
    """Return the forms of all clients. The batches are taken out of the list, so that each frees its memory."""
    made, done, count = [], 0, sum(batch.num_rows for batch in batches)
    for batch in completed((batches.pop() for _ in range(len(batches))), rules.free_mail):
        made.append(batch)
        done += batch.num_rows
        progress("preparing", done, count)
    return pa.Table.from_batches(made)


def _basis(rules: Rules, model: Model, before: Before) -> Basis:
    """Return what forms and scores are made by now. A lower bound than asked for is kept: it has all that is needed."""
    scores = digest_of(model)
    least, kept = min(UNCERTAIN, rules.floor), before.basis
    searches = 1 + (kept.searches if kept else 0)
    return Basis(basis_of_forms(rules.free_mail), scores, min(least, kept.least) if kept else least, searches)


def _choose(connection: duckdb.DuckDBPyConnection, *, whole: bool) -> int:
    """Choose the clients to compare again; return their number."""
    connection.execute(f"create table again as select p.n {_MOVED}").fetchall()
    ((again, clients),) = connection.execute(
        "select (select count(*) from again), (select count(*) from prints)"
    ).fetchall()
    if whole or again > MOST_AGAIN * clients:
        compare_all(connection)
        connection.execute("insert into again select n from prints where n not in (select n from again)").fetchall()
        return int(clients)
    if again:
        compare_only(connection)
    return int(again)


def _unchanged(connection: duckdb.DuckDBPyConnection, scores: pa.Table | None) -> pa.Table:
    """Return the stored pairs whose clients are both present, and not compared again."""
    connection.register("stored", SCORES.empty_table() if scores is None else scores)
    still = "(select id from prints where n not in (select n from again))"
    query = f"select * from stored where id_a in {still} and id_b in {still}"
    return connection.sql(query).to_arrow_table()


def _scores(connection: duckdb.DuckDBPyConnection, model: Model, least: float) -> Iterator[pa.Table]:
    ranks = " || ".join(f'chr(48 + "{comparison.name}"::integer)' for comparison in COMPARISONS)
    query = (
        f"select id_l as id_a, id_r as id_b, match_probability as probability, in_conflict, {ranks} as ranks "
        f"from (select *, {probability(model)} from pairs) where match_probability >= {least!r}"
    )
    yield from levels_of(connection, query)


def _written(connection: duckdb.DuckDBPyConnection) -> Iterator[pa.RecordBatch]:
    """Yield the forms to store: those of clients that are new, or whose print has moved."""
    yield from connection.sql(f"select id, a.inputs, p.print, a.forms {_MOVED}").to_arrow_reader(BATCH)


def _ids(connection: duckdb.DuckDBPyConnection, gone: Sequence[str]) -> pa.Table:
    """Return the ids whose stored forms go, or are replaced."""
    ids = connection.sql(f"select id {_MOVED}").to_arrow_table()
    return pa.concat_tables([ids, pa.table({"id": pa.array(gone, pa.string())})])


def _of(table: pa.Table, least: float, skipped: int, again: int, after: After) -> Compared:
    pairs = list(zip(table["id_a"].to_pylist(), table["id_b"].to_pylist(), strict=True))
    probable = dict(zip(pairs, table["probability"].to_pylist(), strict=True))
    conflicts = {pair for pair, against in zip(pairs, table["in_conflict"].to_pylist(), strict=True) if against}
    ranks = dict(zip(pairs, table["ranks"].to_pylist(), strict=True))
    return Compared(
        {p: value for p, value in probable.items() if value >= least}, conflicts, skipped, again, after, ranks
    )

"""`make bench`: duplicates found on labelled sets, beside other ways; the page docs/duplicates-measured.md.

The sets are those of `tests.bench.dedupe_sets`. Invented books and companies hold clients that only look alike; FEBRL
(without dates of birth and social security numbers) has names and addresses of persons, with slips of the pen made by a
program. The pairs inside Ninja Sync's clusters are counted; of the others, which make no clusters, the pairs at the
default threshold. Figures for invented data say what a method can and cannot tell apart. They are no promise for a
book of your own.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import duckdb
import pyarrow as pa

from flows.dedupe.clusters import clusters
from flows.dedupe.comparable import Comparable, comparable
from flows.dedupe.forms import LISTS, NEVER_NULL, SWITCHES, TEXTS
from flows.dedupe.model import predicted
from flows.dedupe.rules import Rules
from tests.bench.dedupe_fields import Row
from tests.bench.dedupe_judged import Judged, Pair, judged
from tests.bench.dedupe_page import OURS, page_of
from tests.bench.dedupe_sets import sets

Found = tuple[dict[Pair, float], Sequence[Sequence[str]]]
"""Probable pairs, and clusters of ids."""
Ways = dict[str, Callable[[Sequence[Row]], Found]]
THRESHOLD = 0.85
PAIRS = (
    "select a.id as id_l, b.id as id_r, 1.0::double as match_probability from c as a join c as b on a.id < b.id and "
)


def ninja_sync(rows: Sequence[Row]) -> Found:
    """Return what `ninja-sync dedupe find` finds under its default rules."""
    found, rules = predicted(_comparables(rows)), Rules()
    pairs = _pairs(found)
    conflicts = _pairs(found.filter(found["in_conflict"])).keys()
    grouped = clusters(pairs, {}, threshold=rules.threshold, floor=rules.floor, conflicts=conflicts)
    return pairs, grouped


def exact_keys(clients: Sequence[Comparable]) -> pa.Table:
    """A mail address, phone or VAT number; the same name and postal code, or the same address and postal code."""
    same = (
        "(a.postal_code = b.postal_code and (a.name = b.name or (a.street = b.street and a.house = b.house))"
        " or a.vat_number = b.vat_number or list_has_any(a.emails, b.emails) or list_has_any(a.phones, b.phones))"
    )
    return _asked(clients, PAIRS + same)


def jaro_winkler(clients: Sequence[Comparable]) -> pa.Table:
    """Within a postal code or the first letters of a name and a city: names at 0.92, or names at 0.8 and a street."""
    blocks = "(a.postal_code = b.postal_code or (substr(a.name, 1, 3) = substr(b.name, 1, 3) and a.city = b.city))"
    like = "jaro_winkler_similarity(a.name, b.name)"
    street = "jaro_winkler_similarity(a.street, b.street) >= 0.88"
    return _asked(clients, f"{PAIRS} {blocks} and ({like} >= 0.92 or ({like} >= 0.8 and {street}))")


def splinks_defaults(clients: Sequence[Comparable]) -> pa.Table:
    """Splink's own ready-made comparisons, two blocking rules, u sampled, m by expectation maximisation.

    Names and addresses only: mails, phones and numbers, of which companies have some, it is not given. Where it cannot
    train (a book without postal codes, too few pairs), it keeps its starting values.
    """
    import splink.comparison_library as ready  # noqa: PLC0415 - for this alone
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on  # noqa: PLC0415
    from splink.internals.exceptions import EMTrainingException  # noqa: PLC0415

    with duckdb.connect() as connection:
        settings = SettingsCreator(
            link_type="dedupe_only", unique_id_column_name="id",
            comparisons=[
                ready.NameComparison("name"), ready.JaroWinklerAtThresholds("street"), ready.ExactMatch("city"),
                ready.DamerauLevenshteinAtThresholds("postal_code"),
            ],
            blocking_rules_to_generate_predictions=[block_on("name"), block_on("postal_code")],
        )  # fmt: skip
        linker = Linker(DuckDBAPI(connection=connection).register(table_of(clients)), settings, logging.ERROR)
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
        for key in ("name", "postal_code"):
            with suppress(EMTrainingException, ValueError):
                linker.training.estimate_parameters_using_expectation_maximisation(block_on(key))
        found = linker.inference.predict(threshold_match_probability=0.01, warning_mode="never")
        return connection.sql(f"select id_l, id_r, match_probability from {found.physical_name}").to_arrow_table()


def main() -> None:
    """Print the page with the figures of each way on each set, and write it if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="a page to write, such as docs/duplicates-measured.md")
    asked = parser.parse_args()
    page = page_of(dict(_measured()))
    print(page)
    if asked.write:
        asked.write.write_text(page, encoding="utf-8")


def _measured() -> Iterator[tuple[tuple[str, str], Judged]]:
    """Yield what each way is worth on each set: ((set, way), its figures)."""
    for label, make in sets().items():
        records = make()
        for name, way in WAYS.items():
            print(f"{label}: {name} ...", file=sys.stderr)
            yield (label, name), judged(records, *way([record.row for record in records]))


def _peer(way: Callable[[Sequence[Comparable]], pa.Table]) -> Callable[[Sequence[Row]], Found]:
    def found(rows: Sequence[Row]) -> Found:
        pairs = _pairs(way(_comparables(rows)))
        return pairs, [pair for pair, probability in pairs.items() if probability >= THRESHOLD]

    return found


def _comparables(rows: Sequence[Row]) -> list[Comparable]:
    return [comparable(**row) for row in rows]


def _pairs(table: pa.Table) -> dict[Pair, float]:
    columns = (table.column(name).to_pylist() for name in ("id_l", "id_r", "match_probability"))
    return {(min(a, b), max(a, b)): float(probability) for a, b, probability in zip(*columns, strict=True)}


def table_of(clients: Sequence[Comparable]) -> pa.Table:
    """Return the clients as a table, a column for each form."""
    columns: dict[str, pa.Array] = {"id": pa.array([client.id for client in clients], pa.string())}
    for name in TEXTS:
        columns[name] = pa.array([getattr(client, name) for client in clients], pa.string())
    for name in LISTS:
        empty = () if name in NEVER_NULL else None
        columns[name] = pa.array([getattr(client, name) or empty for client in clients], pa.list_(pa.string()))
    for name in SWITCHES:
        columns[name] = pa.array([getattr(client, name) for client in clients], pa.bool_())
    return pa.table(columns)


def _asked(clients: Sequence[Comparable], query: str) -> pa.Table:
    with duckdb.connect() as connection:
        connection.register("c", table_of(clients))
        return connection.sql(query).to_arrow_table()


WAYS: Ways = {
    OURS: ninja_sync, "exact keys": _peer(exact_keys), "Jaro-Winkler": _peer(jaro_winkler),
    "Splink's defaults": _peer(splinks_defaults),
}  # fmt: skip


if __name__ == "__main__":
    main()

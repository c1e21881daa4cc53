"""`make bench`: what `dedupe plan --certain` would merge on labelled sets, and how much of it is not one client.

Beside the planned groups stand the pairs at that probability, and the groups of such pairs only: a group is not planned
either if one of its clients may be the same as one outside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from flows.dedupe.clusters import clusters
from flows.dedupe.comparable import comparable
from flows.dedupe.explain import reasons
from flows.dedupe.levels import COMPARISONS
from flows.dedupe.model import predicted
from flows.dedupe.plan import CERTAIN, is_certain, torn
from flows.dedupe.review import Case, pairs_in
from flows.dedupe.rules import Rules
from tests.bench.dedupe_books import Labelled
from tests.bench.dedupe_sets import sets
from warehouse.control.dedupe import FoundPair

KINDS = ("pairs", "groups", "planned")


def counts(records: Sequence[Labelled]) -> Counter[str]:
    """Return how many pairs and groups are certain, how many groups are planned, and how many of each are wrong."""
    who, rules = {record.row["id"]: record.who for record in records}, Rules()
    found = predicted([comparable(**record.row) for record in records]).to_pylist()
    pairs = {
        (row["id_l"], row["id_r"]): FoundPair(
            row["id_l"], row["id_r"], row["match_probability"], (),
            *reasons({comparison.name: row[comparison.name] for comparison in COMPARISONS}), row["in_conflict"],
        )
        for row in found
    }  # fmt: skip
    grouped = clusters(
        {ids: pair.probability for ids, pair in pairs.items()}, {}, threshold=rules.threshold, floor=rules.floor,
        conflicts={ids for ids, pair in pairs.items() if pair.in_conflict},
    )  # fmt: skip
    cases = [Case(ids, (), [pairs[pair] for pair in pairs_in(ids) if pair in pairs]) for ids in grouped]
    doubtful = torn(cases, list(pairs.values()))
    result: Counter[str] = Counter()

    def count(kind: str, ids: Sequence[str]) -> None:
        result[kind] += 1
        result[f"wrong {kind}"] += len({who[client_id] for client_id in ids}) > 1

    for ids, pair in pairs.items():
        if pair.probability >= CERTAIN:
            count("pairs", ids)
    for case in filter(is_certain, cases):
        count("groups", case.ids)
        if not doubtful.intersection(case.ids):
            count("planned", case.ids)
    return result


def main() -> None:
    """Print the counts of each set, and those of all books."""
    print(f"{'set':18}" + "".join(f"{kind:>10}{'wrong':>8}" for kind in KINDS))
    books: Counter[str] = Counter()
    for label, make in sets().items():
        result = counts(make())
        _print(label, result)
        if label.startswith("book"):
            books += result
    _print("all books", books)


def _print(label: str, result: Counter[str]) -> None:
    print(f"{label:18}" + "".join(f"{result[kind]:10}{result[f'wrong {kind}']:8}" for kind in KINDS), flush=True)


if __name__ == "__main__":
    main()

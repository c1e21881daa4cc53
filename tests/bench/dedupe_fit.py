"""Make the shipped weights anew: `python -m tests.bench.dedupe_fit > flows/dedupe/model.json`.

The weights for books are fitted to 60 invented books (tests/bench/dedupe_books.py) and some invented companies
(dedupe_crowd.py), in which clients that are the same stand beside others that only look like it. The weights for lists
start from those and are fitted to FEBRL 4: 5,000 persons twice, by name and address. Nothing is fitted to the sets that
`make bench` prints (tests/bench/dedupe_sets.py), except that FEBRL 1 to 3 come from the same program as FEBRL 4.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from flows.dedupe.comparable import comparable
from flows.dedupe.fit import design, fitted
from flows.dedupe.model import BOOK, LIST, Model
from flows.dedupe.pairs import levels_of, prepared
from tests.bench.dedupe_books import Labelled, book
from tests.bench.dedupe_crowd import crowd
from tests.bench.dedupe_sets import labelled, sets

BOOKS = [((800, 1_500, 2_500, 4_000)[seed % 4], seed) for seed in range(1_000, 1_060)]
"""How many records each book has, and its seed."""
COMPANIES = ((1_000, 11), (2_000, 12), (4_000, 13), (2_000, 14), (1_000, 15))
LIST_SHARE, LIST_PENALTY = 3.0, 0.1
"""How much each pair of the list counts, and how strongly its weights are drawn to those for books."""
ABOUT = "What each level (flows/dedupe/levels.py) adds to the logarithm of the odds; by tests/bench/dedupe_fit.py."


def pairs_of(records: Sequence[Labelled]) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps of a set's candidates, and whether each is one client."""
    who = {record.row["id"]: record.who for record in records}
    with prepared([comparable(**record.row) for record in records]) as connection:
        levels = pa.concat_tables(levels_of(connection))
    ids = zip(levels["id_l"].to_pylist(), levels["id_r"].to_pylist(), strict=True)
    return design(levels), np.array([who[a] == who[b] for a, b in ids], float)


def books() -> Iterator[Sequence[Labelled]]:
    """Yield the books and companies to fit to."""
    for count, seed in BOOKS:
        yield book(count, seed)
    for count, seed in COMPANIES:
        yield labelled(crowd(count, seed))


def main() -> None:
    """Print model.json."""
    made = [pairs_of(records) for records in books()]
    steps, same = np.vstack([steps for steps, _ in made]), np.concatenate([same for _, same in made])
    for_books = fitted(steps, same, np.ones(len(same)), Model())
    steps, same = pairs_of(sets()["FEBRL 4"]())
    for_lists = fitted(steps, same, np.full(len(same), LIST_SHARE), for_books, LIST_PENALTY)
    told: dict[str, object] = {"about": ABOUT}
    for kind, model in ((BOOK, for_books), (LIST, for_lists)):
        weights = {name: {level: round(w, 3) for level, w in own.items()} for name, own in model.weights.items()}
        told[kind] = {"bias": round(model.bias, 3), "weights": weights}
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()

"""`make bench`: what 100 decisions teach, by an oracle that answers what `dedupe review` asks first.

The oracle knows which records are one client. It decides on the pairs that are nearest to a probability of 0.5, those
in conflict last. A pair is wrong if it is at the default threshold or above and two clients, or below the threshold and
above 0.05 and one client. `before` counts the wrong pairs before any decision, `asked` those that are left among the
undecided pairs under the shipped model, `learned` those under the model that is in use after learning. The log losses
are those of the undecided pairs. Books come from the generator that the shipped weights were fitted to; in books with
a habit, clients of one agency have its phone and mailbox, or its house, which the shipped weights do not know.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from flows.dedupe.comparable import comparable
from flows.dedupe.fit import design, odds
from flows.dedupe.labels import Labels, conflicts_of, groups_of
from flows.dedupe.learn import fitted_better, log_loss
from flows.dedupe.model import HIGHEST_IN_CONFLICT, Model, kind_of, probability, shipped
from flows.dedupe.pairs import levels_of, prepared
from flows.dedupe.plan import CERTAIN
from flows.dedupe.questions import EVEN, LEAST_ASKED
from flows.dedupe.rules import Rules
from tests.bench.dedupe_books import Labelled, book

ASKED = 100
UNLIKELY = 0.05
BOOKS = [((1_500, 3_000, 6_000)[seed % 3], seed) for seed in range(3_000, 3_012)]
"""How many records each book has, and its seed: none of those that the weights were fitted to."""
HABITS = {"phone": ("phones", "emails"), "house": ("address", "city", "postal_code", "phones")}
IN_HABITS = [((1_500, 3_000)[seed % 2], seed) for seed in (3_000, 3_001, 3_003, 3_005)]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The pairs of a book that the shipped model does not drop: ids, kind, steps, conflicts, the truth."""

    pairs: Sequence[tuple[str, str]]
    kind: str
    steps: np.ndarray
    in_conflict: np.ndarray
    same: np.ndarray

    def probable(self, model: Model) -> np.ndarray:
        """Return the probability of each pair."""
        return np.minimum(odds(self.steps, model), np.where(self.in_conflict, HIGHEST_IN_CONFLICT, 1.0))


@dataclass(frozen=True, slots=True)
class Taught:
    """The result for one book."""

    before: int
    asked: int
    learned: int
    loss_asked: float
    loss_learned: float
    adopted: bool
    certain_asked: int
    certain_learned: int


def candidates(records: Sequence[Labelled]) -> Candidates:
    """Return the candidates of a book."""
    who = {record.row["id"]: record.who for record in records}
    with prepared([comparable(**record.row) for record in records]) as connection:
        kind = kind_of(connection)
        query = f"select * from (select *, {probability(shipped(kind))} from pairs) where match_probability >= 0.01"
        levels = pa.concat_tables(levels_of(connection, query))
    pairs = list(zip(levels["id_l"].to_pylist(), levels["id_r"].to_pylist(), strict=True))
    same = np.array([who[a] == who[b] for a, b in pairs], float)
    return Candidates(pairs, kind, design(levels), conflicts_of(levels), same)


def taught(of: Candidates, asked: int = ASKED) -> Taught:
    """Have the oracle decide on so many pairs, and learn from them."""
    start, threshold = shipped(of.kind), Rules().threshold
    probable = of.probable(start)
    pool = np.flatnonzero(probable >= LEAST_ASKED)
    decided = pool[np.lexsort((np.abs(probable[pool] - EVEN), of.in_conflict[pool]))][:asked]
    left = np.setdiff1d(np.arange(len(probable)), decided)
    labels = Labels(
        of.kind, of.steps[decided], of.same[decided], (), groups_of([of.pairs[at] for at in decided]),
        of.in_conflict[decided],
    )  # fmt: skip
    model, _, better = fitted_better(labels, start, start, np.ones(len(decided), bool), threshold)
    after = of.probable(model) if better else probable
    wrong = [
        int(np.sum(np.where(p >= threshold, same == 0, (same == 1) & (p > UNLIKELY))))
        for p, same in ((probable, of.same), (probable[left], of.same[left]), (after[left], of.same[left]))
    ]
    certain = [int(np.sum((p[left] >= CERTAIN) & (of.same[left] == 0))) for p in (probable, after)]
    losses = [log_loss(p[left], of.same[left]) for p in (probable, after)]
    return Taught(wrong[0], wrong[1], wrong[2], losses[0], losses[1], better, certain[0], certain[1])


def with_habit(records: Sequence[Labelled], fields: Sequence[str], seed: int) -> list[Labelled]:
    """Give half the records the fields of an agency, which two or three of them have in common."""
    chance = random.Random(seed)  # noqa: S311 - invented data, not cryptography
    clients = [record for record in records if chance.random() < 0.5]
    chance.shuffle(clients)
    shared: dict[str, dict[str, object]] = {}
    while clients:
        size = chance.choice((2, 2, 3))
        agency, clients = clients[:size], clients[size:]
        values = {field: agency[0].row[field] for field in fields if agency[0].row[field]}
        shared |= {record.row["id"]: values for record in agency}
    return [replace(record, row={**record.row, **shared.get(record.row["id"], {})}) for record in records]


def sets() -> Iterator[tuple[str, Sequence[Labelled]]]:
    """Yield the books, then those with a habit."""
    for count, seed in BOOKS:
        yield f"book {seed}", book(count, seed)
    for habit, fields in HABITS.items():
        for count, seed in IN_HABITS:
            yield f"{habit} {seed}", with_habit(book(count, seed), fields, seed)


def main() -> None:
    """Print the figures of each book, and their means."""
    print(f"{'set':14}{'before':>8}{'asked':>8}{'learned':>8}{'loss':>9}{'learned':>9}  adopted, certain but wrong")
    found: dict[str, list[Taught]] = {}
    for label, records in sets():
        result = taught(candidates(records))
        found.setdefault(label.split()[0], []).append(result)
        _print(label, result)
    for label, results in found.items():
        columns = ("before", "asked", "learned", "loss_asked", "loss_learned", "adopted")
        means = " ".join(f"{name} {np.mean([getattr(r, name) for r in results]):.4g}" for name in columns)
        print(f"mean of {label}: {means}")


def _print(label: str, result: Taught) -> None:
    counts = f"{result.before:8}{result.asked:8}{result.learned:8}"
    losses = f"{result.loss_asked:9.4f}{result.loss_learned:9.4f}"
    print(f"{label:14}{counts}{losses}  {result.adopted} {result.certain_asked} {result.certain_learned}", flush=True)


if __name__ == "__main__":
    main()

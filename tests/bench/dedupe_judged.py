"""How good pairs and clusters are on a labelled set: in all, by kind, and whether the probabilities are right."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.bench.dedupe_books import Labelled, family_pairs, kind_of

Pair = tuple[str, str]
BOUNDS = (0.0, 0.05, 0.2, 0.5, 0.85, 0.9, 0.95, 0.99, 0.999)
"""Where the bands of the calibration table begin."""


@dataclass(slots=True)
class Band:
    """Pairs with probabilities in one band: how many, their probabilities added up, how many are one."""

    pairs: int = 0
    said: float = 0.0
    right: int = 0


@dataclass(slots=True)
class Judged:
    """Counts of pairs; those of several sets can be added.

    `merged` are the wrong pairs inside the clusters, by kind, `never` all pairs of clients that look alike. `found` are
    the right ones, `one` all pairs of records that are one. Wrong pairs of different families count as "unrelated".
    """

    found: Counter[str] = field(default_factory=Counter)
    one: Counter[str] = field(default_factory=Counter)
    merged: Counter[str] = field(default_factory=Counter)
    never: Counter[str] = field(default_factory=Counter)
    bands: list[Band] = field(default_factory=lambda: [Band() for _ in BOUNDS])

    @property
    def precision(self) -> float:
        """Return the share of the pairs inside the clusters that are one."""
        return self.found.total() / max(1, self.found.total() + self.merged.total())

    @property
    def recall(self) -> float:
        """Return the share of the pairs that are one which the clusters hold."""
        return self.found.total() / max(1, self.one.total())

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall."""
        return 2 * self.precision * self.recall / max(1e-9, self.precision + self.recall)

    def __add__(self, other: Judged) -> Judged:
        """Return the counts of both."""
        bands = [
            Band(a.pairs + b.pairs, a.said + b.said, a.right + b.right)
            for a, b in zip(self.bands, other.bands, strict=True)
        ]
        return Judged(
            self.found + other.found, self.one + other.one, self.merged + other.merged, self.never + other.never, bands
        )


def judged(labelled: Sequence[Labelled], pairs: Mapping[Pair, float], clusters: Iterable[Sequence[str]]) -> Judged:
    """Return what the clusters of these records are worth, and the probabilities of the pairs."""
    of = {record.row["id"]: record for record in labelled}
    result = Judged()
    for one, other in family_pairs(labelled):
        (result.one if one.who == other.who else result.never)[kind_of(one, other)] += 1
    inside = {
        (min(a, b), max(a, b)) for ids in clusters for at, a in enumerate(ids) for b in ids[at + 1 :]
    }  # peers give pairs, which may share a client
    for a, b in inside:
        (result.found if of[a].who == of[b].who else result.merged)[kind_of(of[a], of[b])] += 1
    for (a, b), probability in pairs.items():
        band = result.bands[bisect_right(BOUNDS, probability) - 1]
        band.pairs, band.said = band.pairs + 1, band.said + probability
        band.right += of[a].who == of[b].who
    return result

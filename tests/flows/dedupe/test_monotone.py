"""More agreement never speaks against two clients, more difference never for them: in the weights, and in the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.dedupe.levels import COMPARISONS
from flows.dedupe.model import BOOK, LIST, Model, shipped
from tests.flows.dedupe.drawn import FIELDS, Client, different, equal, pair, probabilities

PAIRS = 150
DRAWN = [(BOOK, 1), *(pytest.param(*drawn, marks=pytest.mark.proof) for drawn in ((LIST, 1), (BOOK, 2), (LIST, 2)))]


def assert_monotone(model: Model) -> None:
    """Agreements count for, conflicts against, and a better level never counts less."""
    for comparison in COMPARISONS:
        own = model.weights[comparison.name]
        ranked = [own[level.name] for level in comparison.levels]
        assert ranked == sorted(ranked, reverse=True), comparison.name
        for level in comparison.levels:
            assert (own[level.name] >= 0) if level.agrees else (own[level.name] <= 0), (comparison.name, level.name)


@pytest.mark.parametrize("kind", [BOOK, LIST])
def test_the_shipped_weights_keep_their_rank(kind: str) -> None:
    assert_monotone(shipped(kind))


def test_agreements_stand_before_conflicts_and_only_conflicts_are_hard() -> None:
    for comparison in COMPARISONS:
        agrees = [level.agrees for level in comparison.levels]
        assert agrees == sorted(agrees, reverse=True)
        assert not [level for level in comparison.levels if level.hard and level.agrees]
        assert len({level.name for level in comparison.levels}) == len(agrees)


@pytest.fixture(scope="module")
def pairs_of() -> Callable[[int], list[tuple[Client, Client]]]:
    made: dict[int, list[tuple[Client, Client]]] = {}

    def drawn(seed: int) -> list[tuple[Client, Client]]:
        if seed not in made:
            chance = Random(seed)  # noqa: S311 - drawn data, not cryptography
            made[seed] = [pair(chance) for _ in range(PAIRS)]
        return made[seed]

    return drawn


@pytest.mark.parametrize(("kind", "seed"), DRAWN)
def test_a_value_made_equal_never_lowers_the_probability_and_one_made_different_never_raises_it(
    kind: str, seed: int, pairs_of: Callable[[int], list[tuple[Client, Client]]]
) -> None:
    pairs, model = pairs_of(seed), shipped(kind)
    before = probabilities(pairs, model)
    assert 10 < sum(probability > 0.5 for probability in before) < PAIRS - 10
    faults = []
    for way, sign in ((equal, 1), (different, -1)):
        for field, columns in FIELDS.items():
            chance = Random(-seed)  # noqa: S311 - as above
            changed = [(one, way(one, other, columns, chance)) for one, other in pairs]
            after = probabilities(changed, model)
            faults += [
                f"{field} made {way.__name__}: {was:.4f} to {now:.4f}\n  {one}\n  {other}\n  {new}"
                for (one, other), (_, new), was, now in zip(pairs, changed, before, after, strict=True)
                if sign * (now - was) < -1e-9
            ]
    assert not faults, "\n".join(faults[:5])


def levels() -> Iterator[int]:
    """The number of levels of each comparison."""
    return (len(comparison.levels) for comparison in COMPARISONS)


STEPS = st.lists(st.floats(0, 20), min_size=sum(levels()), max_size=sum(levels())).map(np.array)
RANKS = st.lists(st.tuples(*(st.integers(0, most) for most in levels())), min_size=1, max_size=40)


@given(steps=STEPS)
def test_steps_and_weights_are_two_forms_of_the_same(steps: np.ndarray) -> None:
    from flows.dedupe.fit import _weights, steps_of  # noqa: PLC0415 - scipy

    weights = _weights(steps)
    assert np.allclose(steps_of(weights), steps)
    assert_monotone(Model(0.0, weights))
    again = _weights(steps_of(weights))
    assert all(np.allclose(list(weights[name].values()), list(own.values())) for name, own in again.items())


@settings(max_examples=30)
@given(ranks=RANKS, chance=st.randoms(use_true_random=False), penalty=st.floats(0.001, 10), trained=st.booleans())
def test_weights_keep_their_rank_whatever_the_labels_say(
    ranks: list[tuple[int, ...]], chance: Random, penalty: float, trained: bool
) -> None:
    import pyarrow as pa  # noqa: PLC0415 - as above

    from flows.dedupe.fit import design, fitted  # noqa: PLC0415 - as above

    columns = zip(COMPARISONS, zip(*ranks, strict=True), strict=True)
    steps = design(pa.table({comparison.name: pa.array(own, pa.uint8()) for comparison, own in columns}))
    same = np.array([chance.random() < 0.5 for _ in ranks], float)
    made = fitted(steps, same, np.ones(len(ranks)), shipped() if trained else Model(), penalty)
    assert_monotone(made)
    assert np.isfinite(made.bias)

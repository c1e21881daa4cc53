"""Fit the weights to labelled pairs: a logistic regression whose weights keep their rank.

A level's weight is the sum of steps that are never negative: agreements count up from nothing, conflicts down. So no
agreement speaks against, no conflict for, and no level weighs more than the one before it, whatever the labels say.
scipy finds the steps (L-BFGS-B, with bounds).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from flows.dedupe.levels import COMPARISONS, Comparison
from flows.dedupe.model import Model
from schemas.extras import needs

with needs("dedupe"):
    from scipy.optimize import minimize
    from scipy.special import expit

PENALTY: Final = 1.0
"""How strongly a step is drawn to where it starts, against the labels' weight."""


def design(levels: pa.Table) -> np.ndarray:
    """Return the steps that each pair takes: a row a pair, a column a level, +1 for agreements, -1 for conflicts."""
    return np.hstack([_steps(comparison, levels[comparison.name].to_numpy()) for comparison in COMPARISONS])


def _steps(comparison: Comparison, ranks: np.ndarray) -> np.ndarray:
    """An agreement takes its own step and those of the weaker agreements; a conflict those of the weaker conflicts."""
    columns = []
    for rank, level in enumerate(comparison.levels, 1):
        if level.agrees:
            columns.append(((ranks > 0) & (ranks <= rank)).astype(float))
        else:
            columns.append(-((ranks >= rank) & (ranks > comparison.agreeing)).astype(float))
    return np.column_stack(columns)


def fitted(
    steps: np.ndarray,
    same: np.ndarray,
    share: np.ndarray,
    start: Model,
    penalty: float = PENALTY,
    of_bias: float | None = None,
) -> Model:
    """Return the model that fits best: `same` is 1 for the same client, 0 for two; `share` is the weight of each pair.

    `start` is where the weights are drawn to: the model before, or one without weights. The bias is drawn a hundredth
    as strongly, or by `of_bias`.
    """
    pulls = np.full(steps.shape[1] + 1, penalty)
    pulls[0] = penalty * 0.01 if of_bias is None else of_bias
    before = np.concatenate([[start.bias], steps_of(start.weights)])
    x = np.column_stack([np.ones(len(steps)), steps])

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margin = x @ weights
        cost = share @ (np.logaddexp(0, margin) - same * margin)
        moved = weights - before
        slope = x.T @ (share * (expit(margin) - same)) + pulls * moved
        return float(cost + (pulls * moved) @ moved / 2), slope

    bounds = [(None, None), *([(0.0, None)] * steps.shape[1])]
    best = minimize(loss, before, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 2_000})
    return Model(float(best.x[0]), _weights(best.x[1:]), start.kind)


def odds(steps: np.ndarray, model: Model) -> np.ndarray:
    """Return the probability of each pair by its steps, as `model.probability` does, but without the cap."""
    return np.asarray(expit(model.bias + steps @ steps_of(model.weights)))


def steps_of(weights: Mapping[str, Mapping[str, float]]) -> np.ndarray:
    """Return the steps that add up to the weights."""
    steps: list[float] = []
    for comparison in COMPARISONS:
        own = [weights.get(comparison.name, {}).get(level.name, 0.0) for level in comparison.levels]
        agreeing = comparison.agreeing
        steps += [own[n] - (own[n + 1] if n + 1 < agreeing else 0.0) for n in range(agreeing)]
        steps += [(own[n - 1] if n > agreeing else 0.0) - own[n] for n in range(agreeing, len(own))]
    return np.array(steps)


def _weights(steps: Sequence[float]) -> dict[str, dict[str, float]]:
    weights: dict[str, dict[str, float]] = {}
    left = list(steps)
    for comparison in COMPARISONS:
        own, left = left[: len(comparison.levels)], left[len(comparison.levels) :]
        agreeing = comparison.agreeing
        up = [float(sum(own[n:agreeing])) for n in range(agreeing)]
        down = [-float(sum(own[agreeing : n + 1])) for n in range(agreeing, len(own))]
        weights[comparison.name] = dict(zip((level.name for level in comparison.levels), up + down, strict=True))
    return weights

"""Learn from decisions: weights of a book's own, drawn to the shipped ones, and adopted only if they are better.

The weights keep their rank, and hard conflicts stay hard (fit.py). Whether a model is better is measured on decisions
that it has not seen: they are split, and each part is predicted by a model fitted to the other parts. PENALTY and FOLDS
are by experiment: tests/bench/dedupe_learn.py.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Final

import numpy as np

from flows.configuration.values import Settings
from flows.dedupe.fit import fitted, odds
from flows.dedupe.labels import Labels, labels_of
from flows.dedupe.levels import COMPARISONS
from flows.dedupe.model import Model, as_model, shipped
from flows.dedupe.rules import Rules
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.operator import operator
from flows.session.ready import open_ready
from flows.show.counted import counted
from schemas.errors import SettingsError
from warehouse.control.duplicate_models import StoredModel, models_of, store_model, use_model

PENALTY: Final = 10.0
"""How strongly each step, and the bias, is drawn to the shipped one, against a decision's weight of 1."""
FOLDS: Final = 10
SURE: Final = 1.645
"""How many standard errors the gain must be above 0: with 95 % certainty, it is no chance."""
LEAST_DECISIONS: Final = 20
"""Fewer decisions teach nothing that can be measured."""
SHIPPED: Final = "shipped"
"""The name of the shipped model."""
SLIGHT: Final = 0.05
"""Changes of a weight below this are not listed."""
NEVER_SURE: Final = 1e-6
"""Probabilities nearer to 0 or 1 than this count as this near, or one wrong decision would outweigh all others."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How good the model before and the new one are on decisions that they have not seen.

    `wrong` counts pairs at the threshold or above that are two clients, and pairs below it that are the same.
    """

    checked: int
    log_loss_before: float
    log_loss_after: float
    wrong_before: int
    wrong_after: int


@dataclass(frozen=True, slots=True)
class Change:
    """A level whose weight has changed."""

    comparison: str
    level: str
    agrees: bool
    before: float
    after: float

    @property
    def in_words(self) -> str:
        """Return what the level counts now: less or more than before, for or against."""
        more = abs(self.after) > abs(self.before)
        return f"counts {'more' if more else 'less'}{'' if self.agrees else ' against'}"


@dataclass(frozen=True, slots=True)
class Learned:
    """The result of learning: the stored model's id, its kind, whether it is in use now, and what it changed."""

    model_id: str
    kind: str
    adopted: bool
    decisions: int
    in_conflict: int
    lost: int
    figures: Figures
    changes: list[Change] = field(default_factory=list)


def learn(
    settings: Settings,
    name: str,
    rules: Rules,
    *,
    clock: Clock = SYSTEM_CLOCK,
    new_id: Callable[[], str] = lambda: secrets.token_hex(3),
) -> Learned:
    """Fit the weights to the decisions of a source, store the model, and use it if it is better than the one before.

    Raises SettingsError if there are too few decisions, or none since the model in use was made.
    """
    labels = labels_of(settings, name, rules, clock)
    with open_ready(settings, clock) as warehouse:
        stored = next((model for model in models_of(warehouse, name) if model.in_use), None)
    before = as_model(stored) if stored is not None and stored.kind == labels.kind else None
    weighed = ~labels.in_conflict
    if weighed.sum() < LEAST_DECISIONS:
        raise SettingsError(
            f"Learning needs {LEAST_DECISIONS} decisions, and {counted(int(weighed.sum()), 'decision')} can be used: "
            "`ninja-sync dedupe review`."
        )
    unseen = np.array([stored is None or before is None or at > stored.made_at for at in labels.decided_at], bool)
    if not (unseen & weighed).any():
        raise SettingsError("The model in use has seen all decisions. Decide on more: `ninja-sync dedupe review`.")
    start = shipped(labels.kind)
    model, figures, better = fitted_better(labels, start, before or start, unseen, rules.threshold)
    now = clock.now()
    model_id = f"learned-{now:%Y%m%d}-{new_id()}"
    weights = {"bias": model.bias, "weights": model.weights}
    kept = StoredModel(
        model_id, now, operator(), labels.kind, int(weighed.sum()), asdict(figures), weights, in_use=better
    )
    with open_ready(settings, clock) as warehouse:
        store_model(warehouse, name, kept)
    return Learned(
        model_id, labels.kind, better, int(weighed.sum()), int(labels.in_conflict.sum()), labels.lost, figures,
        changes(before or start, model),
    )  # fmt: skip


def fitted_better(
    labels: Labels, start: Model, before: Model, unseen: np.ndarray, threshold: float
) -> tuple[Model, Figures, bool]:
    """Return a model fitted to all labels, the figures on `unseen` ones, and whether it is better.

    It must surely be better than `before` on the labels that `before` has not seen, and better than the shipped weights
    (`start`) on all; each label is predicted by a model that was fitted without it.
    """
    weighed = ~labels.in_conflict
    steps, same = labels.steps[weighed], labels.same[weighed]
    held_out = _held_out(steps, same, labels.groups[weighed], start)
    new = unseen[weighed]
    old = odds(steps[new], before)
    figures = Figures(
        int(new.sum()), log_loss(old, same[new]), log_loss(held_out[new], same[new]),
        _wrong(old, same[new], threshold), _wrong(held_out[new], same[new], threshold),
    )  # fmt: skip
    better = _is_surely_better(old, held_out[new], same[new], labels.groups[weighed][new])
    better = better and log_loss(held_out, same) < log_loss(odds(steps, start), same)
    return _fit(steps, same, start), figures, better


def log_loss(probable: np.ndarray, same: np.ndarray) -> float:
    """Return the mean loss of probabilities: 0 if each is right and certain, 0.69 if each is one half."""
    return float(np.mean(_losses(probable, same)))


def _losses(probable: np.ndarray, same: np.ndarray) -> np.ndarray:
    bounded = np.clip(probable, NEVER_SURE, 1 - NEVER_SURE)
    return np.asarray(-(same * np.log(bounded) + (1 - same) * np.log1p(-bounded)))


def _is_surely_better(before: np.ndarray, after: np.ndarray, same: np.ndarray, groups: np.ndarray) -> bool:
    """Whether the loss is lower by more than chance explains. Pairs that share clients count as one observation.

    A few pairs may all have nearly the same gain, which looks as if chance had no part in it.
    """
    gains = _losses(before, same) - _losses(after, same)
    gain = float(np.mean(gains))
    count = len(np.unique(groups))
    if len(gains) < LEAST_DECISIONS or count < 2:  # noqa: PLR2004 - one observation says nothing about chance
        return False
    error = float(np.sqrt(np.sum(np.bincount(groups, gains - gain) ** 2) * count / (count - 1))) / len(gains)
    return gain > SURE * error


def changes(before: Model, after: Model) -> list[Change]:
    """Return the levels whose weights have changed by SLIGHT or more, the largest change first."""
    found = [
        Change(comparison.name, level.name, level.agrees, old, new)
        for comparison in COMPARISONS
        for level in comparison.levels
        for old, new in [(before.weights[comparison.name][level.name], after.weights[comparison.name][level.name])]
        if abs(new - old) >= SLIGHT
    ]
    return sorted(found, key=lambda change: -abs(change.after - change.before))


def choose_model(settings: Settings, name: str, model_id: str, clock: Clock = SYSTEM_CLOCK) -> None:
    """Use a model from now on, or SHIPPED. Raises SettingsError for an unknown one, and one of another version."""
    with open_ready(settings, clock) as warehouse:
        known = {model.model_id: model for model in models_of(warehouse, name)}
        if model_id != SHIPPED and model_id not in known:
            raise SettingsError(
                f"There is no model {model_id!r} of the source {name!r}: `ninja-sync dedupe models` lists them."
            )
        if model_id != SHIPPED and as_model(known[model_id]) is None:
            raise SettingsError(
                f"The model {model_id} was learned by another version of Ninja Sync: `ninja-sync dedupe learn` again."
            )
        use_model(warehouse, name, "" if model_id == SHIPPED else model_id)


def _held_out(steps: np.ndarray, same: np.ndarray, groups: np.ndarray, start: Model) -> np.ndarray:
    """Return the probability of each label by a model fitted without it, and without pairs that share its clients."""
    probable = np.zeros(len(same))
    for fold in range(FOLDS):
        left_out = groups % FOLDS == fold
        if left_out.any():
            probable[left_out] = odds(steps[left_out], _fit(steps[~left_out], same[~left_out], start))
    return probable


def _fit(steps: np.ndarray, same: np.ndarray, start: Model) -> Model:
    return fitted(steps, same, np.ones(len(same)), start, PENALTY, PENALTY)


def _wrong(probable: np.ndarray, same: np.ndarray, threshold: float) -> int:
    return int(np.sum((probable >= threshold) != (same > 0)))

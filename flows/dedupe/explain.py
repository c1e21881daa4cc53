"""Reasons, in words, for and against two clients being the same: those of the levels that the pair reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flows.dedupe.levels import COMPARISONS

KEYS: Final = {"vat number": "vat_number", "id number": "id_number", "mail": "emails", "phone": "phones"}
"""The comparisons of values that only one client should have, with the names of their columns."""
SAME: Final = frozenset({"same VAT number", "same ID number", "same e-mail address", "same phone"})
_ORDER: Final = (*KEYS, *(comparison.name for comparison in COMPARISONS if comparison.name not in KEYS))
_LEVELS: Final = {comparison.name: comparison.levels for comparison in COMPARISONS}

HIGHEST: Final = 0.999
HARD: Final = frozenset(level.reason for comparison in COMPARISONS for level in comparison.levels if level.hard)
"""The reasons that a conflict may have."""
NAMES_AGREE: Final = frozenset(level.reason for level in _LEVELS["name"] if level.agrees) - {"names share a word"}
"""The reasons of names that agree as a whole."""


def shown(probability: float) -> str:
    """Return a probability for people, in percent. No pair is shown as certain.

    >>> shown(0.99996)
    '99.9%'
    """
    return f"{min(probability, HIGHEST):.1%}"


def in_words(probability: float) -> str:
    """Return what a probability means, in words.

    >>> in_words(0.97), in_words(0.4)
    ('very probably the same', 'rather not the same')
    """
    return next(words for least, words in _WORDS if probability >= least)


_WORDS: Final = (
    (0.99, "almost certainly the same"), (0.95, "very probably the same"), (0.8, "probably the same"),
    (0.6, "rather the same"), (0.45, "as likely the same as not"), (0.2, "rather not the same"),
    (0.0, "probably not the same"),
)  # fmt: skip


def hard_reasons(against: Sequence[str]) -> list[str]:
    """Return the reasons why a pair is in conflict, of all reasons against it."""
    return [reason for reason in against if reason in HARD]


def names_agree(reasons_for: Sequence[str]) -> bool:
    """Return whether the names of a pair agree as a whole. Clients of one accountant share everything else."""
    return not NAMES_AGREE.isdisjoint(reasons_for)


def keys_of(ranks: Mapping[str, int]) -> list[str]:
    """Return the columns of the keys that both clients share; `ranks` has the rank of each comparison's level."""
    return [column for name, column in KEYS.items() if SAME.intersection(_reason(name, ranks)[0])]


def reasons(ranks: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """Return the reasons for and against two clients being the same, as short texts, those of the keys first.

    The texts hold no value of a client: they are stored, and shown beside the records.
    """
    speaking_for: list[str] = []
    against: list[str] = []
    for name in _ORDER:
        told_for, told_against = _reason(name, ranks)
        speaking_for += told_for
        against += told_against
    return speaking_for, against


def _reason(name: str, ranks: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """Return the reason of one comparison, for or against; none if there is nothing to compare, or nothing to say."""
    rank = ranks.get(name, 0)
    level = _LEVELS[name][rank - 1] if rank else None
    if level is None or not level.reason:
        return [], []
    return ([level.reason], []) if level.agrees else ([], [level.reason])

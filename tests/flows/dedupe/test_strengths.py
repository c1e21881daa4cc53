"""The weights of a pair's reasons add up to its probability, and each is said in words."""

from __future__ import annotations

import pytest

from flows.ask.ask import reading
from flows.dedupe.compare import read_ranks
from flows.dedupe.find import find_duplicates
from flows.dedupe.levels import COMPARISONS
from flows.dedupe.model import HIGHEST_IN_CONFLICT, shipped
from flows.dedupe.review import cases
from flows.dedupe.rules import Rules
from flows.dedupe.strengths import Strength, weighed, weighed_pairs
from flows.session.ready import open_ready


def test_the_weights_of_each_stored_pair_give_its_probability(told, pulls):
    pulls(using=told)
    pairs = find_duplicates(told, "main", Rules()).pairs
    assert pairs
    with reading(told, newest=True) as warehouse:
        found = weighed_pairs(warehouse, "main", [client_id for pair in pairs for client_id in (pair.id_a, pair.id_b)])
    for pair in pairs:
        one = found[pair.id_a, pair.id_b]
        highest = HIGHEST_IN_CONFLICT if pair.in_conflict else 1
        assert min(one.probability, highest) == pytest.approx(pair.probability, abs=1e-6)
        assert one.capped == (pair.in_conflict and one.probability > HIGHEST_IN_CONFLICT)
        reasons = {strength.reason for strength in one.strengths}
        assert reasons >= {*pair.reasons, *pair.against}


def test_scores_of_another_version_have_no_weights(told, pulls):
    pulls(using=told)
    find_duplicates(told, "main", Rules())
    ids = cases(told, "main")[0].ids
    with open_ready(told) as warehouse:
        assert weighed_pairs(warehouse, "main", ids)
        warehouse.execute("update control.duplicate_basis set scores = 'of another version'")
        assert weighed_pairs(warehouse, "main", ids) == {}
        warehouse.execute("delete from control.duplicate_basis")
        assert weighed_pairs(warehouse, "main", ids) == {}


def test_a_conflict_is_told_apart_and_reasons_for_come_first():
    model = shipped()
    ranks = {comparison.name: 1 for comparison in COMPARISONS if comparison.levels[0].agrees}
    hard = next(comparison for comparison in COMPARISONS if comparison.name == "numbers")
    one = weighed(ranks | {"numbers": hard.hard[0]}, model)
    assert [strength.reason for strength in one.strengths if strength.hard] == ["different numbers in the names"]
    signs = [strength.weight >= 0 for strength in one.strengths]
    assert signs == sorted(signs, reverse=True)
    assert one.capped


def test_ranks_of_nothing_weigh_nothing():
    assert weighed(read_ranks("0" * len(COMPARISONS)), shipped()).strengths == []


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (7.0, "speaks very strongly for"), (-3.5, "speaks strongly against"), (1.0, "speaks somewhat for"),
        (-0.3, "speaks slightly against"), (0.01, "says nothing either way"),
    ],
)  # fmt: skip
def test_a_weight_is_said_in_words(weight, words):
    assert Strength("same phone", weight).in_words == words

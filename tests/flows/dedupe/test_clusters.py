"""Clusters hold no two that are unlike, and obey what people have decided."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.dedupe.clusters import FLOOR, clusters
from schemas.errors import SettingsError
from warehouse.control.dedupe import LATER, NEVER_MERGE, SAME_AS, pair_of

IDS = "abcdefg"
PAIRS = st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)).filter(lambda p: p[0] < p[1])
PROBABLE = st.dictionaries(PAIRS, st.floats(0.01, 1), max_size=15)
DECIDED = st.dictionaries(PAIRS, st.sampled_from([NEVER_MERGE, SAME_AS, LATER]), max_size=5)


def pairs_in(found):
    return [pair_of(a, b) for ids in found for n, a in enumerate(ids) for b in ids[n + 1 :]]


def test_a_chain_of_likes_does_not_join_who_is_unlike():
    assert clusters({("a", "b"): 0.99, ("b", "c"): 0.95}, {}, threshold=0.9) == [["a", "b"]]
    assert clusters({("a", "b"): 0.99, ("b", "c"): 0.95, ("a", "c"): 0.5}, {}, threshold=0.9) == [["a", "b", "c"]]


def test_decisions_go_before_the_model():
    probable = {("a", "b"): 0.99, ("b", "c"): 0.99, ("a", "c"): 0.99}
    assert clusters(probable, {("a", "c"): NEVER_MERGE}, threshold=0.9) == [["a", "b"]]
    assert clusters({}, {("a", "b"): SAME_AS, ("b", "c"): SAME_AS}, threshold=0.9) == [["a", "b", "c"]]
    assert clusters(probable, {("a", "c"): LATER}, threshold=0.9) == [["a", "b", "c"]]


def test_decisions_that_contradict_each_other_are_told():
    with pytest.raises(SettingsError, match="Decide again"):
        clusters({}, {("a", "b"): SAME_AS, ("b", "c"): SAME_AS, ("a", "c"): NEVER_MERGE}, threshold=0.9)


def test_a_conflict_keeps_two_apart_also_by_way_of_a_third_unless_a_person_says_same():
    probable = {("a", "b"): 0.99, ("b", "c"): 0.95, ("a", "c"): 0.9}
    conflicts = {("a", "c")}
    assert clusters(probable, {}, threshold=0.85, conflicts=conflicts) == [["a", "b"]]
    assert clusters(probable, {("a", "c"): SAME_AS}, threshold=0.85, conflicts=conflicts) == [["a", "b", "c"]]
    assert clusters(probable, {("a", "c"): LATER}, threshold=0.85, conflicts=conflicts) == [["a", "b"]]


@given(probable=PROBABLE, decided=DECIDED, threshold=st.floats(0.5, 1), conflicts=st.sets(PAIRS, max_size=4))
def test_clusters_are_disjoint_like_and_as_decided(probable, decided, threshold, conflicts):
    try:
        found = clusters(probable, decided, threshold=threshold, conflicts=conflicts)
    except SettingsError:
        return
    everyone = [one for ids in found for one in ids]
    assert len(everyone) == len(set(everyone))
    inside = set(pairs_in(found))
    assert not inside & {pair for pair, decision in decided.items() if decision == NEVER_MERGE}
    assert {pair for pair, decision in decided.items() if decision == SAME_AS} <= inside
    if SAME_AS not in decided.values():
        assert not inside & conflicts
        assert all(probable.get(pair, 0) >= FLOOR for pair in inside)
    order = dict(reversed(list(probable.items())))
    assert clusters(order, decided, threshold=threshold, conflicts=conflicts) == found

"""Decisions are obeyed by every later run, also where a client that they speak of was merged away, or is gone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flows.dedupe.clusters import clusters
from flows.dedupe.decisions import carried
from schemas.errors import SettingsError
from warehouse.control.dedupe import LATER, NEVER_MERGE, SAME_AS, pair_of

IDS = "abcdefgh"
PAIRS = st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)).filter(lambda p: p[0] < p[1])
DECIDED = st.dictionaries(PAIRS, st.sampled_from([NEVER_MERGE, SAME_AS, LATER]), max_size=8)
PRESENT = st.sets(st.sampled_from(IDS), min_size=2)


def test_what_was_decided_of_a_merged_client_holds_for_the_one_it_is_in():
    assert carried({("a", "b"): NEVER_MERGE}, {"b": "c"}, {"a", "c"}) == {("a", "c"): NEVER_MERGE}
    assert carried({("a", "b"): SAME_AS}, {"b": "c"}, {"a", "c"}) == {("a", "c"): SAME_AS}


def test_a_merge_that_was_decided_on_leaves_nothing_behind():
    assert carried({("a", "b"): SAME_AS}, {"b": "a"}, {"a", "c"}) == {}


def test_what_was_decided_of_the_pair_itself_goes_before_what_is_carried_over():
    decided = {("a", "b"): NEVER_MERGE, ("a", "c"): SAME_AS}
    assert carried(decided, {"b": "c"}, {"a", "c"}) == {("a", "c"): SAME_AS}


def test_never_goes_before_same_among_what_is_carried_over():
    for decided in ({("a", "b"): NEVER_MERGE, ("a", "d"): SAME_AS}, {("a", "b"): SAME_AS, ("a", "d"): NEVER_MERGE}):
        assert carried(decided, {"b": "c", "d": "c"}, {"a", "c"}) == {("a", "c"): NEVER_MERGE}


def test_the_same_as_one_that_is_gone_is_the_same_as_each_other():
    assert carried({("a", "b"): SAME_AS, ("b", "c"): SAME_AS}, {}, {"a", "c"}) == {("a", "c"): SAME_AS}
    assert carried({("a", "b"): SAME_AS}, {}, {"a", "c"}) == {}


@given(decided=DECIDED, present=PRESENT, moved=st.dictionaries(st.sampled_from(IDS), st.sampled_from(IDS)))
def test_no_cluster_holds_a_client_that_is_gone_nor_a_pair_that_is_never_to_be_merged(decided, present, moved):
    obeyed = carried(decided, moved, present)
    assert {one for pair in obeyed for one in pair} <= present
    assert all(obeyed[pair] == decision for pair, decision in decided.items() if set(pair) <= present)
    probable = {pair_of(a, b): 0.99 for a in present for b in present if a < b}
    try:
        found = clusters(probable, obeyed, threshold=0.9)
    except SettingsError:
        return
    assert {one for ids in found for one in ids} <= present
    of = {one: n for n, ids in enumerate(found) for one in ids}
    for (one, other), decision in decided.items():
        here = [moved.get(x, x) if x not in present else x for x in (one, other)]
        if decision == NEVER_MERGE and set(here) <= present and here[0] != here[1] and pair_of(*here) not in decided:
            assert of.get(here[0], "none") != of.get(here[1], "nobody")

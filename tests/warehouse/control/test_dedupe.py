"""What the warehouse keeps of duplicates: pairs and clusters of the last run, decisions, where merged clients are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from warehouse.control.dedupe import (
    LATER,
    NEVER_MERGE,
    SAME_AS,
    FoundPair,
    decide,
    decisions_of,
    known_clusters,
    known_pairs,
    store_found,
)
from warehouse.control.erase import erase, find
from warehouse.opened.migrate import open_migrated

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
PAIRS = [
    FoundPair("a", "b", 0.99, ["vat_number", "phones"], ["same VAT number", "Ä, \"quoted\""], ["different city"]),
    FoundPair("b", "c", 0.9),
]  # fmt: skip


@pytest.fixture
def warehouse(place):
    with open_migrated(place, now=NOW) as opened:
        yield opened


def noted(warehouse, one, other, decision, seconds, source="main"):
    now = NOW + timedelta(seconds=seconds)
    decide(warehouse, source, [(one, other)], decision, author="eva", reason="looked", now=now)


def test_what_was_found_is_told_as_it_was_and_a_run_takes_the_place_of_the_one_before(warehouse):
    store_found(warehouse, "main", PAIRS, [["a", "b"], ["d", "c"]], NOW)
    found = known_pairs(warehouse, "main")
    assert [(p.id_a, p.id_b, p.probability, list(p.keys), list(p.reasons), list(p.against)) for p in found] == [
        (p.id_a, p.id_b, p.probability, list(p.keys), list(p.reasons), list(p.against)) for p in PAIRS
    ]
    assert known_clusters(warehouse, "main") == [["a", "b"], ["c", "d"]]
    store_found(warehouse, "other", [], [["x", "y"]], NOW)
    store_found(warehouse, "main", [], [], NOW)
    assert (known_pairs(warehouse, "main"), known_clusters(warehouse, "main")) == ([], [])
    assert known_clusters(warehouse, "other") == [["x", "y"]]


def test_the_newest_decision_of_a_pair_counts_whichever_client_was_named_first(warehouse):
    noted(warehouse, "a", "b", SAME_AS, 0)
    noted(warehouse, "b", "a", NEVER_MERGE, 5)
    noted(warehouse, "c", "b", LATER, 1)
    noted(warehouse, "a", "b", SAME_AS, 9, source="other")
    assert decisions_of(warehouse, "main") == {("a", "b"): NEVER_MERGE, ("b", "c"): LATER}


def test_an_erased_client_stands_in_no_pair_cluster_or_decision(warehouse):
    store_found(warehouse, "main", PAIRS, [["a", "b", "c"]], NOW)
    noted(warehouse, "a", "b", SAME_AS, 0)
    noted(warehouse, "a", "c", NEVER_MERGE, 0)
    erase(warehouse, "main", "b", reason="asked", keep_balances=False, now=NOW)
    assert known_pairs(warehouse, "main") == []
    assert known_clusters(warehouse, "main") == [["a", "c"]]
    assert decisions_of(warehouse, "main") == {("a", "c"): NEVER_MERGE}
    assert find(warehouse, "main", "b") is None

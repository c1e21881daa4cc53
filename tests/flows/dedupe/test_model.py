"""The model finds who is one among companies of which some only look like it, and compares no more than it must."""

from __future__ import annotations

import json
from itertools import combinations

import msgspec
import pytest

from flows.dedupe import model
from flows.dedupe.clusters import clusters
from flows.dedupe.comparable import comparable
from flows.dedupe.keys import KEY_HOLDERS, proved
from flows.dedupe.levels import comparison_levels
from flows.dedupe.model import LARGEST_BLOCK, LEAST, PRIOR, predicted
from flows.dedupe.rules import Rules
from tests.bench.dedupe_crowd import crowd
from tests.flows.dedupe.labelled import quality
from warehouse.control.dedupe import pair_of


@pytest.fixture(scope="module")
def companies():
    return [(who, comparable(**row)) for who, row in crowd(1_500, seed=3)]


@pytest.fixture(scope="module")
def found(companies):
    return predicted([client for _, client in companies], trained=False)


def test_companies_that_only_look_alike_are_not_taken_for_one(companies, found):
    """Branches, firms of one family, offices in one house, customers of one accountant, namesakes."""
    precision, recall = quality(companies, found)
    assert precision >= 0.95
    assert recall >= 0.75


def test_clusters_hold_no_pair_below_the_floor(found):
    pairs = {pair_of(r["id_l"], r["id_r"]): r["match_probability"] for r in found.to_pylist()}
    made = clusters(pairs, {}, threshold=0.85)
    assert made
    assert all(pairs.get(pair_of(*two), 0) >= Rules().floor for ids in made for two in combinations(ids, 2))


def test_each_pair_is_told_once_with_a_probability(found):
    pairs = [pair_of(r["id_l"], r["id_r"]) for r in found.to_pylist()]
    assert len(pairs) == len(set(pairs))
    assert all(LEAST <= r["match_probability"] <= 1 for r in found.to_pylist())


def test_the_prior_has_a_weight_for_each_level_and_for_no_other():
    wanted = {name: {one for one in found if one != "nothing"} for name, found in comparison_levels().items()}
    told = json.loads(PRIOR.read_text())
    for kind in ("trained", "untrained"):
        assert {name: set(weights) for name, weights in told[kind]["weights"].items()} == wanted


def test_what_too_many_share_makes_no_pairs():
    """All in one house in one town, with one mailbox: the number of pairs stays what it is, not its square."""
    many = [
        comparable(
            id=f"c{n:04d}",
            name=f"Alpha{n:04d}x",
            emails=["info@example.com"],
            address="Main St 1",
            city="Town",
            country="US",
        )
        for n in range(LARGEST_BLOCK + 20)
    ]
    assert predicted(many, trained=False).num_rows == 0


def test_nothing_at_all_can_be_compared():
    empty = [comparable(id=one, name=None) for one in "ab"]
    assert predicted(empty, trained=False).num_rows == 0


def test_one_vat_number_is_one_company_also_under_another_name():
    number = {"vat_number": "DE136695976"}
    renamed = [comparable(id="b", name="Alpha", **number), comparable(id="a", name="Omega", **number)]
    assert proved(renamed, Rules().proves) == {("a", "b"): 0.9}
    assert proved(renamed, {}) == {}


def test_a_key_that_many_share_proves_nothing():
    many = [comparable(id=f"{n:02d}", name="x", vat_number="DE136695976") for n in range(KEY_HOLDERS + 1)]
    assert proved(many, Rules().proves) == {}
    assert len(proved(many[1:], Rules().proves)) == KEY_HOLDERS * (KEY_HOLDERS - 1) // 2


def test_an_accountants_mailbox_does_not_make_its_customers_one():
    shared = {"emails": ["office@books.example"], "country": "DE"}
    clients = [
        comparable(id="a", name="Stern Optik", city="Köln", postal_code="50667", **shared),
        comparable(id="b", name="Bäckerei Weber", city="Bonn", postal_code="53111", **shared),
        comparable(id="c", name="Stern Optik GmbH", city="Köln", postal_code="50667", **shared),
    ]
    pairs = {pair_of(r["id_l"], r["id_r"]): r["match_probability"] for r in predicted(clients).to_pylist()}
    assert pairs["a", "c"] > Rules().threshold
    assert pairs.get(("a", "b"), 0) < Rules().floor


def test_rules_are_values():
    assert msgspec.structs.replace(Rules(), threshold=0.5).proves == Rules().proves


BOOKS = {
    "no addresses": lambda n: {"name": f"Alpha{n} Beta{n // 2}", "emails": [f"a{n}@b{n}.example"]},
    "no two at one address": lambda n: {"name": f"Name{n % 700}", "address": f"Road{n} {n}", "city": f"Town{n}"},
    "nothing at all": lambda _: {"name": None},
    "all the same": lambda _: {"name": "Test", "address": "Main St 1", "city": "Town", "phones": ["+41446681800"]},
    "pairs that are the same": lambda n: {"name": f"Twin{n // 2} Ltd", "address": f"Lane {n // 2}", "city": "Town"},
}
UNTAUGHT = {"no addresses", "no two at one address", "nothing at all"}
"""The books from which Splink's training learns nothing: it ends with an error."""


@pytest.mark.parametrize("book", BOOKS)
def test_a_book_of_any_shape_ends_well_and_says_where_training_failed(book, monkeypatch):
    monkeypatch.setattr(model, "ENOUGH", 100)
    clients = [comparable(id=f"c{n:04d}", **BOOKS[book](n)) for n in range(120)]
    failed = []
    found = predicted(clients, untaught=lambda: failed.append(book))
    assert bool(failed) == (book in UNTAUGHT)
    if failed:
        assert found.equals(predicted(clients, trained=False))
    probabilities = found["match_probability"].to_pylist()
    assert all(LEAST <= one <= 1 for one in probabilities)

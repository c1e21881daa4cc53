"""The invented books: the same seed makes the same book, and each kind of pair occurs often enough to measure it."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from stdnum import get_cc_module

from flows.dedupe.comparable import comparable
from tests.bench.dedupe_books import FIELDS, Labelled, book, family_pairs, kind_of
from tests.bench.dedupe_families import NEVER
from tests.bench.dedupe_numbers import MAKERS, vat_number_of
from tests.bench.dedupe_twins import ONE

SEEDS = range(1, 9)


@pytest.fixture(scope="module")
def books() -> list[list[Labelled]]:
    return [book(2_500, seed) for seed in SEEDS]


def test_the_same_count_and_seed_make_the_same_book() -> None:
    assert book(400, 3) == book(400, 3)


def test_another_seed_makes_another_book(books: list[list[Labelled]]) -> None:
    names = [{one.row["name"] for one in made} for made in books]
    assert all(len(some & others) < 250 for some, others in pairwise(names))


def test_each_kind_has_fifty_pairs_and_its_pairs_are_what_it_says(books: list[list[Labelled]]) -> None:
    one, never = Counter[str](), Counter[str]()
    for made in books:
        for left, right in family_pairs(made):
            (one if left.who == right.who else never)[kind_of(left, right)] += 1
    assert set(one) == set(ONE)
    assert set(never) == set(NEVER)
    assert {kind: pairs for kind, pairs in (one + never).items() if pairs < 50} == {}


def test_most_clients_of_a_book_stand_by_themselves(books: list[list[Labelled]]) -> None:
    for made in books:
        families = Counter(one.family for one in made)
        assert sum(count == 1 for count in families.values()) > len(made) / 2


def test_books_differ_in_the_fields_that_are_filled(books: list[list[Labelled]]) -> None:
    for field in ("emails", "phones", "vat_number", "address", "country"):
        shares = [sum(bool(one.row[field]) for one in made) / len(made) for made in books]
        assert max(shares) - min(shares) > 0.3, field


def test_a_record_has_the_fields_of_a_client_and_its_contacts(books: list[list[Labelled]]) -> None:
    for one in books[0][:300]:
        assert set(one.row) == {"id", "name", *FIELDS}
        client = comparable(**{field: value for field, value in one.row.items() if field != "persons"})
        assert client.id == one.row["id"]
        assert bool(client.name) <= bool(one.row["name"])


@pytest.mark.parametrize("land", sorted(MAKERS))
def test_a_vat_number_is_a_valid_one_of_its_country(land: str) -> None:
    chance = Random(1)  # noqa: S311 - invented data, not cryptography
    module = get_cc_module(land.lower(), "vat")
    numbers = [str(vat_number_of(chance, land)) for _ in range(50)]
    assert [number for number in numbers if not module.is_valid(number)] == []


def test_no_two_records_have_one_id(books: list[list[Labelled]]) -> None:
    assert all(len({one.row["id"] for one in made}) == len(made) == 2_500 for made in books)

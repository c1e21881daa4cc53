"""The model finds who is one among companies of which some only look like it, and compares no more than it must."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pyarrow as pa
import pytest

from flows.dedupe.clusters import clusters
from flows.dedupe.comparable import Comparable, comparable
from flows.dedupe.levels import COMPARISONS
from flows.dedupe.model import BOOK, LEAST, LIST, predicted, shipped
from flows.dedupe.pairs import HOLDERS, STRONG_CAP, has_own_addresses, left_out, prepared
from flows.dedupe.rules import Rules
from tests.bench.dedupe_crowd import crowd
from tests.flows.dedupe.drawn import Client
from tests.flows.dedupe.labelled import quality
from warehouse.control.dedupe import pair_of


@pytest.fixture(scope="module")
def companies() -> list[tuple[str, Comparable]]:
    return [(who, comparable(**row)) for who, row in crowd(1_500, seed=3)]


@pytest.fixture(scope="module")
def found(companies: list[tuple[str, Comparable]]) -> pa.Table:
    return predicted([client for _, client in companies])


def test_companies_that_only_look_alike_are_not_taken_for_one(companies, found) -> None:
    """Branches, firms of one family, offices in one house, customers of one accountant, namesakes."""
    precision, recall = quality(companies, found)
    assert precision >= 0.95
    assert recall >= 0.8


def test_clusters_hold_no_pair_below_the_floor(found: pa.Table) -> None:
    pairs = {pair_of(r["id_l"], r["id_r"]): r["match_probability"] for r in found.to_pylist()}
    made = clusters(pairs, {}, threshold=0.85)
    assert made
    assert all(pairs.get(pair_of(*two), 0) >= Rules().floor for ids in made for two in combinations(ids, 2))


def test_each_pair_is_told_once_with_a_probability_and_its_ranks(found: pa.Table) -> None:
    rows = found.to_pylist()
    assert len(rows) == len({pair_of(r["id_l"], r["id_r"]) for r in rows})
    assert all(r["id_l"] < r["id_r"] and LEAST <= r["match_probability"] <= 1 for r in rows)
    for comparison in COMPARISONS:
        assert all(0 <= row[comparison.name] <= len(comparison.levels) for row in rows)


@pytest.mark.parametrize("kind", [BOOK, LIST])
def test_the_shipped_model_has_a_weight_for_each_level_and_for_no_other(kind: str) -> None:
    wanted = {comparison.name: {level.name for level in comparison.levels} for comparison in COMPARISONS}
    assert {name: set(weights) for name, weights in shipped(kind).weights.items()} == wanted


def test_what_too_many_share_makes_no_pairs_and_is_counted() -> None:
    """All in one house in one town, with one mailbox: the number of pairs stays what it is, not its square."""
    shared = {"emails": ["info@firma.com"], "address": "Main St 1", "city": "Town", "country": "US"}
    many = [comparable(id=f"c{n:04d}", name=f"Alpha{n:04d}x", **shared) for n in range(STRONG_CAP + 20)]
    assert predicted(many).num_rows == 0
    with prepared(many) as connection:
        assert left_out(connection) == 1  # the house; the mailbox counts for nobody


def test_a_house_full_of_namesakes_makes_no_more_pairs_than_it_must() -> None:
    """300 clients of one name in one house: nobody can tell who is one, and no 45,000 pairs are compared."""
    many = [comparable(id=f"c{n:04d}", name="Hans Huber", address="Main St 1", city="Town") for n in range(300)]
    assert predicted(many).num_rows <= 300 * STRONG_CAP
    own = [
        comparable(id=f"m{n:04d}", name="Hans Huber", address="Main St 1", emails=[f"h{n // 2}@firma.de"])
        for n in range(300)
    ]
    pairs = {(row["id_l"], row["id_r"]) for row in predicted(own).to_pylist()}
    assert pairs == {(f"m{n:04d}", f"m{n + 1:04d}") for n in range(0, 300, 2)}


def test_a_client_with_hundreds_of_contacts_is_compared_like_any_other() -> None:
    people = [f"Maria{'abcdefghij'[n % 10]}x Name{'abcdefghijklmnopqrst'[n % 20]}{'mnopq'[n % 5]}y" for n in range(200)]
    large = {"emails": [f"m{n}@firma.de" for n in range(200)], "persons": people}
    clients = [
        comparable(id="a", name="Sternwald Optik", **large),
        comparable(id="b", name="Sternwald Optik", emails=["m77@firma.de"]),
        comparable(id="c", name="Mond Bau", emails=["x@gmx.de"]),
    ]
    (row,) = predicted(clients).to_pylist()
    assert (row["id_l"], row["id_r"]) == ("a", "b")
    assert row["match_probability"] > Rules().threshold


def test_very_long_texts_are_compared_like_any_other() -> None:
    long = {"name": "Sternwald " * 2_000, "address": "Hauptstraße " * 2_000, "city": "Wien " * 2_000}
    clients = [comparable(id=one, vat_number="1234567" * 2_000, **long) for one in "ab"]
    assert all(len(getattr(clients[0], field) or "") <= 400 for field in ("name", "tight", "street", "city"))
    assert predicted(clients).num_rows == 1


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_book_of_hardly_any_clients_ends_well(count: int) -> None:
    clients = [comparable(id=str(n), name="Sternwald Optik", emails=["a@firma.de"]) for n in range(count)]
    assert predicted(clients).num_rows == max(0, count - 1)


def test_a_value_that_more_than_the_holders_share_identifies_nobody() -> None:
    """Thirteen clients with one VAT number, phone and mailbox: unlike names keep them apart."""
    shared: Client = {"vat_number": "DE136695976", "phones": ["+49 664 2345678"], "emails": ["office@books.de"]}
    names = [f"{a}{b}x" for a in ("Kaba", "Mito", "Lure", "Zofi") for b in ("dun", "gel", "rop", "sik")]
    for count in (HOLDERS, HOLDERS + 1):
        rows = predicted([comparable(id=f"{n:02}", name=names[n], **shared) for n in range(count)]).to_pylist()
        assert bool([row for row in rows if row["mail"] or row["phone"]]) == (count == HOLDERS)
        assert all(row["match_probability"] < Rules().threshold for row in rows)


def test_an_accountants_mailbox_does_not_make_its_customers_one() -> None:
    shared = {"emails": ["office@books.de"], "country": "DE"}
    clients = [
        comparable(id="a", name="Stern Optik", city="Köln", postal_code="50667", **shared),
        comparable(id="b", name="Bäckerei Weber", city="Bonn", postal_code="53111", **shared),
        comparable(id="c", name="Stern Optik GmbH", city="Köln", postal_code="50667", **shared),
    ]
    pairs = {pair_of(r["id_l"], r["id_r"]): r["match_probability"] for r in predicted(clients).to_pylist()}
    assert pairs["a", "c"] > Rules().threshold
    assert pairs.get(("a", "b"), 0) < Rules().floor


BOOKS: dict[str, Callable[[int], Client]] = {
    "no addresses": lambda n: {"name": f"Alpha{n} Beta{n // 2}", "emails": [f"a{n}@b{n}.de"]},
    "no two share anything": lambda n: {"name": f"{n:04d}q", "address": f"{n} Road{n}", "city": f"Town{n}"},
    "no two at one address": lambda n: {"name": f"Name{n % 70}", "address": f"Road{n} {n}", "city": f"Town{n}"},
    "nothing at all": lambda _: {"name": None},
    "only ids": lambda n: {"name": None, "id_number": str(10_000 + n)},
    "all the same": lambda _: {"name": "Test", "address": "Main St 1", "city": "Town", "phones": ["+41446681800"]},
    "pairs that are the same": lambda n: {"name": f"Twin{n // 2} Ltd", "address": f"Lane {n // 2}", "city": "Town"},
    "houses of one each": lambda n: {
        "name": f"Kind{'abcdefghij'[n // 20]}",
        "address": f"Lane{n // 2}x 1",
        "city": "T",
    },
}


@pytest.mark.parametrize("book", BOOKS)
def test_a_book_of_any_shape_ends_well(book: str) -> None:
    clients = [comparable(id=f"c{n:04d}", **BOOKS[book](n)) for n in range(120)]
    found = predicted(clients)
    assert all(LEAST <= one <= 1 for one in found["match_probability"].to_pylist())
    with prepared(clients) as connection:
        assert has_own_addresses(connection) in (True, False)
    if book in {"nothing at all", "only ids", "no two share anything"}:
        assert found.num_rows == 0
    if book == "pairs that are the same":
        assert found.num_rows >= 60

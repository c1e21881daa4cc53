"""The figures of clients against their documents: each difference, its size and its likely reason."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from random import Random

import pytest

from tests import records
from tests.warehouse.mart.papers import Papers

D = Decimal
HALF = "a merge that stopped half way"


def client(key, **figures):
    """A client whose figures are 0 unless given."""
    return records.client(key, **{"balance": 0, **figures})


@pytest.fixture
def papers(warehouse):
    return Papers(warehouse)


def differences(warehouse):
    return warehouse.rows(
        "select client_id, figure, of_client, of_documents, difference, reason, other_id from mart.reconciliation "
        'order by client_id collate "C", figure collate "C"'
    )


def test_figures_that_their_documents_explain_are_left_out(warehouse, load_records, papers):
    load_records([client("a", balance=60, paid_to_date=75, credit_balance=15), client("b")])
    papers.read()
    first = papers.invoice("a", 100, 60)
    papers.invoice("a", 30, 30, is_deleted=True)
    papers.invoice("a", 50, 0, status="5", paid=0)
    credit = papers.credit("a", 50, 15, status="3")
    papers.payment("a", 50, ("invoice_id", first, 5), refunded=10)
    papers.payment("a", 0, ("invoice_id", first, 35), ("credit_id", credit, 35))
    papers.payment("a", 900, is_deleted=True, status="2")
    papers.payment("a", 900, status="3")
    assert differences(warehouse) == []


def test_a_reversed_invoice_takes_its_payment_out_of_the_amount_paid(warehouse, load_records, papers):
    load_records([client("a", balance=0, paid_to_date=12, credit_balance=40)])
    papers.read()
    reversed_one = papers.invoice("a", 40, 0, status="6", paid=40)
    papers.payment("a", 40, ("invoice_id", reversed_one, 40))
    papers.payment("a", 12)
    papers.credit("a", 40, 40, invoice_id=reversed_one)
    assert differences(warehouse) == []


def test_a_source_whose_documents_have_not_all_been_read_is_not_compared(warehouse, load_records, papers):
    load_records([client("a", balance=100)])
    papers.read("invoices", "payments")
    assert differences(warehouse) == []


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_a_merge_that_stopped_after_some_documents_names_the_other_client(warehouse, load_records, papers, moved):
    load_records([client("keep", balance=170, paid_to_date=30), client("gone", balance=70, paid_to_date=30)])
    papers.read()
    papers.invoice("keep", 100, 100)
    owners = ["keep" if place < moved else "gone" for place in range(3)]
    papers.invoice(owners[0], 20, 20)
    papers.invoice(owners[1], 50, 50)
    papers.payment(owners[2], 30)
    found = [row for row in differences(warehouse) if row[0] == "keep"]
    rest = D(70 - (0, 20, 70)[moved])
    expected = [("keep", "paid_to_date", D(30), D(0), D(30), HALF, "gone")]
    if rest:
        expected.insert(0, ("keep", "balance", D(170), D(170) - rest, rest, HALF, "gone"))
    assert found == expected


def test_equal_documents_of_several_clients_are_a_chance_and_no_merge(warehouse, load_records, papers):
    load_records([client("odd", paid_to_date=49), *(client(f"{n}", paid_to_date=49) for n in range(3))])
    papers.read()
    for n in range(3):
        papers.payment(f"{n}", 49)
    imported = "no documents: figures of an import, or of a merge that stopped half way"
    assert differences(warehouse) == [("odd", "paid_to_date", D(49), D(0), D(49), imported, None)]


def test_of_several_such_clients_the_one_that_differs_itself_is_the_other_half(warehouse, load_records, papers):
    load_records([
        client("keep", balance=170, credit_balance=9), client("gone", balance=70, credit_balance=9),
        *(client(name, balance=50, credit_balance=9) for name in ("B", "a", "z")),
        client("less", balance=50),
    ])  # fmt: skip
    papers.read()
    papers.invoice("keep", 120, 120)
    for name in ("gone", "B", "a", "z", "less"):
        papers.invoice(name, 50, 50)
    for name in ("gone", "B", "a", "z"):
        papers.credit(name, 9, 9)
    found = [row for row in differences(warehouse) if row[0] == "keep"]
    assert found == [
        ("keep", "balance", D(170), D(120), D(50), HALF, "gone"),
        ("keep", "credit_balance", D(9), D(0), D(9), HALF, "gone"),
    ]


def test_a_client_is_not_the_other_half_of_its_own_merge(warehouse, load_records, papers):
    load_records([client("keep", balance=100), client("gone", balance=50), client("self", balance=14)])
    papers.read()
    for name, amount in (("keep", 50), ("gone", 50), ("self", 7)):
        papers.invoice(name, amount, amount)
    assert [(row[0], row[4], row[5], row[6]) for row in differences(warehouse)] == [
        ("keep", D(50), HALF, "gone"),
        ("self", D(7), "unknown", None),
    ]


def test_one_of_several_documents_can_be_the_reason(warehouse, load_records, papers):
    load_records([client("deleted", balance=30), client("doubled", credit_balance=100)])
    papers.read()
    for balance in (20, 30):
        papers.invoice("deleted", balance, balance, is_deleted=True)
    papers.credit("doubled", 60, 60)
    papers.credit("doubled", 20, 20)
    assert [row[4:6] for row in differences(warehouse)] == [
        (D(30), "a deleted invoice is still counted"),
        (D(20), "a restored credit is counted twice"),
    ]


def test_each_reason(warehouse, load_records, papers):
    load_records([
        client("deleted", balance=130),
        client("doubled", credit_balance=120),
        client("expired", credit_balance=10),
        client("imported", balance=55, paid_to_date=5),
        client("odd", balance=77, paid_to_date=3),
        client("rounded", balance=D("10.004")),
    ])  # fmt: skip
    papers.read()
    papers.invoice("deleted", 100, 100)
    papers.invoice("deleted", 30, 30, is_deleted=True)
    papers.credit("doubled", 60, 60)
    papers.credit("expired", 10, 10)
    papers.credit("expired", 5, 5, due_date=date(2020, 1, 31))
    papers.invoice("odd", 70, 70)
    papers.payment("odd", 3)
    papers.invoice("rounded", 10, 10)
    found = {(row[0], row[1]): (row[4], row[5]) for row in differences(warehouse)}
    imported = "no documents: figures of an import, or of a merge that stopped half way"
    assert found == {
        ("deleted", "balance"): (D(30), "a deleted invoice is still counted"),
        ("doubled", "credit_balance"): (D(60), "a restored credit is counted twice"),
        ("expired", "credit_balance"): (D(-5), "an expired credit is no longer counted"),
        ("imported", "balance"): (D(55), imported),
        ("imported", "paid_to_date"): (D(5), imported),
        ("odd", "balance"): (D(7), "unknown"),
        ("rounded", "balance"): (D("0.004"), "rounding"),
    }


def test_a_difference_is_never_between_sources(warehouse, load_records, papers):
    load_records([client("a", balance=10)], source="main")
    load_records([client("a", balance=10)], source="other")
    papers.read()
    Papers(warehouse, "other").read()
    papers.invoice("a", 10, 10)
    assert warehouse.rows("select source, figure, difference from mart.reconciliation") == [("other", "balance", D(10))]


@pytest.mark.parametrize("seed", range(8))
def test_every_difference_of_drawn_books_is_found_and_no_other(warehouse, load_records, papers, seed):
    rng, expected, clients = Random(seed), {}, []  # noqa: S311 - drawn books
    papers.read()
    for number in range(30):
        name = f"c{number:02d}"
        balance = sum((_invoice(papers, rng, name) for _ in range(rng.randrange(4))), D(0))
        paid = sum((_payment(papers, rng, name) for _ in range(rng.randrange(3))), D(0))
        credit = sum((_credit(papers, rng, name) for _ in range(rng.randrange(2))), D(0))
        off = [rng.choice([D(0), D(0), D(rng.randrange(-90_000, 90_000)) / 100 + 1000]) for _ in range(3)]
        figures = dict(zip(("balance", "paid_to_date", "credit_balance"), (balance, paid, credit), strict=True))
        for (figure, value), by in zip(figures.items(), off, strict=True):
            figures[figure] = value + by
            if by:
                expected[name, figure] = by
        clients.append(client(name, **figures))
    load_records(clients)
    assert {(row[0], row[1]): row[4] for row in differences(warehouse)} == expected


def _invoice(papers, rng, name):
    amount = D(rng.randrange(1, 100_000)) / 100
    balance = rng.choice([amount, amount / 2, D(0), -amount]).quantize(D("0.01"))
    deleted = rng.random() < 0.2
    papers.invoice(name, amount, balance, is_deleted=deleted)
    return D(0) if deleted else balance


def _payment(papers, rng, name):
    amount, deleted = D(rng.randrange(1, 100_000)) / 100, rng.random() < 0.2
    refunded = rng.choice([D(0), amount, (amount / 3).quantize(D("0.01"))])
    papers.payment(name, amount, refunded=refunded, is_deleted=deleted)
    return D(0) if deleted else amount - refunded


def _credit(papers, rng, name):
    amount = D(rng.randrange(1, 100_000)) / 100
    papers.credit(name, amount, amount)
    return amount

"""Payments on several invoices, refunds, deletions, and how they meet."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sandbox.papers.desk import Desk


def test_one_of_two_invoices_is_refunded_and_the_other_deleted(desk):
    one, two = desk.invoice(100), desk.invoice(50)
    payment = desk.pay(150, (one, 100), (two, 50))
    desk.refund(payment, 30, (one, 30))
    desk.bulk("invoices", "delete", two)
    assert desk.state(one) == ["3", 30, 70]
    assert desk.paid(payment) == ["5", 100, 100, 30]
    assert desk.figures()[:2] == [30, 70]
    desk.bulk("payments", "delete", payment)
    assert desk.state(one) == ["2", 100, 0]
    assert desk.figures()[0] == 100
    assert desk.read("invoices", two)["paid_to_date"] == 0


def test_an_invoice_whose_payment_was_deleted_meanwhile_stays_deleted(desk):
    row = desk.invoice(40)
    payment = desk.pay(80, (row, 30))
    desk.bulk("invoices", "delete", row)
    assert desk.paid(payment) == ["4", 50, 0, 0]
    desk.bulk("payments", "delete", payment)
    desk.bulk("invoices", "restore", row)
    gone = desk.read("invoices", row)
    assert [gone["is_deleted"], gone["balance"], gone["paid_to_date"]] == [True, 10, 0]


def test_a_payment_by_credit_on_two_invoices_gets_an_amount_when_one_goes(desk):
    credit, one, two = desk.credit(50), desk.invoice(20), desk.invoice(30)
    payment = desk.pay(0, (one, 20), (two, 30), from_credits=[(credit, 50)])
    desk.bulk("invoices", "delete", one)
    assert desk.paid(payment) == ["4", 30, 30, 0]
    assert desk.state(credit, "credits") == ["4", 0, 50]
    desk.bulk("invoices", "restore", one)
    assert desk.paid(payment) == ["4", 0, 0, 0]


def test_a_deleted_invoice_takes_all_its_payments_with_it_and_brings_them_back(desk):
    row = desk.invoice(100)
    payments = [desk.pay(amount, (row, amount)) for amount in (40, 60)]
    desk.bulk("invoices", "delete", row)
    assert [(x["is_deleted"], x["status_id"], x["amount"]) for x in desk.all("payments")] == [(True, "4", 0)] * 2
    assert desk.figures()[:2] == [0, 0]
    desk.bulk("invoices", "restore", row)
    assert [desk.paid(x)[1:3] for x in payments] == [[40, 40], [60, 60]]
    assert desk.figures()[:2] == [0, 100]


def test_payment_balance_counts_a_new_payment_whole_until_it_is_computed_again(desk):
    row = desk.invoice(100)
    first = desk.pay(40, (row, 40))
    assert desk.figures()[2] == 40
    desk.pay(60, (row, 60))
    assert desk.figures()[2] == 60
    desk.put("payments", first, transaction_reference="r")
    assert desk.figures()[2] == 0


def test_a_refund_gives_credits_back_first(desk):
    credit, row = desk.credit(30), desk.invoice(100)
    payment = desk.pay(70, (row, 100), from_credits=[(credit, 30)])
    desk.refund(payment, 50, (row, 50))
    assert desk.state(credit, "credits") == ["2", 30, 0]
    assert desk.paid(payment) == ["5", 70, 70, 20]
    assert desk.state(row) == ["3", 50, 50]


def test_what_is_on_an_archived_invoice_comes_back_with_it(desk):
    row = desk.invoice(100)
    payment = desk.pay(100, (row, 100))
    desk.bulk("invoices", "archive", row)
    desk.refund(payment, 10, (row, 10))
    assert desk.read("invoices", row)["archived_at"] == 0


def test_a_payment_on_a_cancelled_invoice_leaves_nothing_owed(desk):
    row = desk.invoice(30)
    payment = desk.pay(12, (row, 12))
    desk.bulk("invoices", "cancel", row)
    desk.bulk("payments", "delete", payment)
    assert desk.state(row) == ["5", 0, 0]
    assert desk.figures()[:2] == [0, 0]


def test_a_negative_payment_is_taken_and_given_back(desk):
    payment = desk.pay(-5)
    assert desk.figures() == [0, -5, -5, 0]
    desk.bulk("payments", "delete", payment)
    assert desk.figures() == [0, 0, 0, 0]


def test_a_change_completes_a_refunded_payment_again(desk):
    row = desk.invoice(100)
    payment = desk.pay(100, (row, 100))
    desk.refund(payment, 30, (row, 30))
    assert desk.put("payments", payment, private_notes="n")["status_id"] == "4"


def test_a_refund_by_another_company_is_carried_out(desk):
    row = desk.invoice(100)
    payment = desk.pay(100, (row, 100))
    body = {
        "id": payment["id"],
        "amount": 10,
        "date": "2026-02-01",
        "invoices": [{"invoice_id": row["id"], "amount": 10}],
    }
    headers = {"X-API-TOKEN": desk.api.sandbox.other_token}
    assert desk.sent("POST", "/payments/refund", body, **headers).status_code == 200
    assert desk.figures()[:2] == [10, 90]
    assert desk.sent("GET", f"/payments/{payment['id']}", **headers).status_code == 401


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"amount": "x"}, "amount", "The amount must be a number."),
        ({"amount": 10**15}, "amount", "The amount must not be greater than 99999999999999."),
    ],
)
def test_what_is_refused(desk, body, field, message):
    refused = desk.asked("POST", "/payments", {"client_id": desk.client["id"], **body}, 422)
    assert refused["errors"] == {field: [message]}
    assert desk.figures() == [0, 0, 0, 0]


def test_a_draft_takes_at_most_its_amount(desk):
    row = desk.invoice(20, sent=False)
    refused = desk.pay(30, (row, 30), status=422)
    assert refused["errors"] == {"invoices.0.invoice_id": ["Amount cannot be greater than invoice balance"]}
    assert desk.state(row) == ["1", 0, 0]


def test_a_change_puts_at_most_what_an_invoice_owes(desk):
    row, payment = desk.invoice(20), desk.pay(100)
    parts = [{"invoice_id": row["id"], "amount": 30}]
    assert desk.put("payments", payment, 422, invoices=parts)["errors"] == {
        "invoices": ["Amount cannot be greater than invoice balance"]
    }
    twice = [{"invoice_id": row["id"], "amount": 5}] * 2
    assert desk.put("payments", payment, 422, invoices=twice)["errors"].keys() == {
        "invoices.0.invoice_id",
        "invoices.1.invoice_id",
    }


@pytest.mark.parametrize(
    ("named", "amount", "wrong"),
    [
        ("none", 10, {"id"}),
        ("other", 10, {"id"}),
        ("row", 101, {"id", "invoices"}),
        ("row", -1, {"invoices.0.amount"}),
    ],
)
def test_refunds_that_are_refused(desk, named, amount, wrong):
    row, other = desk.invoice(100), desk.invoice(100)
    payment = desk.pay(100, (row, 100))
    on = {"none": (), "other": ((other, amount),), "row": ((row, amount),)}[named]
    assert wrong <= desk.refund(payment, amount, *on, status=422)["errors"].keys()
    assert desk.paid(payment) == ["4", 100, 100, 0]


def test_an_archived_payment_cannot_be_refunded(desk):
    payment = desk.pay(100)
    desk.bulk("payments", "archive", payment)
    desk.refund(payment, 10, status=500)
    assert desk.figures()[1] == 100


def test_small_parts_add_up_exactly(desk):
    row = desk.invoice(1)
    for _ in range(3):
        desk.pay(0.1, (row, 0.1))
    assert desk.state(row) == ["3", Decimal("0.7"), Decimal("0.3")]
    assert desk.figures()[:2] == [Decimal("0.7"), Decimal("0.3")]


def test_money_on_foreign_invoices_is_refused(desk):
    two = Desk(desk.api, "Two")
    row = two.invoice(10)
    refused = desk.pay(10, (row, 10), status=422)
    assert refused["errors"]["invoices.0.invoice_id"] == ["Selected invoices are not from a single client"]
    assert two.state(row) == ["2", 10, 0]


def test_a_number_sent_empty_at_a_change_becomes_the_next_one(desk):
    payment = desk.pay(10, number="mine")
    assert desk.put("payments", payment, number="")["number"] == "0001"

"""Credits spent, given back, paid out, and those that reverse an invoice."""

from __future__ import annotations

import pytest

from tests.sandbox.papers.desk import line


def test_a_credit_tells_in_a_line_what_it_was_spent_on(desk):
    credit, row = desk.credit(50), desk.invoice(30, number="A-7")
    desk.pay(0, (row, 30), from_credits=[(credit, 30)])
    spent = desk.read("credits", credit)
    assert [spent["status_id"], spent["amount"], spent["balance"]] == ["3", 50, 20]
    assert [spent["line_items"][1][key] for key in ("quantity", "cost", "notes")] == [
        0,
        -30,
        "31/Jan/2026 - Credit applied to Invoice A-7 $30.00",
    ]
    assert desk.put("credits", credit, private_notes="n")["amount"] == 50


def test_a_part_of_a_credit_makes_the_payment_the_rest(desk):
    credit, row = desk.credit(10), desk.invoice(40)
    payment = desk.pay(0, (row, 40), from_credits=[(credit, 10)])
    assert desk.paid(payment) == ["4", 30, 30, 0]
    assert desk.figures()[1] == 40


def test_a_credit_without_an_invoice_breaks_the_server(desk):
    credit = desk.credit(10)
    assert desk.pay(5, from_credits=[(credit, 5)], status=500) == {"message": "Server Error"}
    assert desk.state(credit, "credits") == ["2", 10, 0]


def test_more_credits_than_invoices_are_refused(desk):
    credit, row = desk.credit(100), desk.invoice(40)
    refused = desk.pay(0, (row, 40), from_credits=[(credit, 50)], status=422)
    assert refused["errors"] == {"credits.0.amount": ["Total credits applied cannot be MORE than total of invoices"]}


def test_a_credit_that_several_payments_use_gets_back_only_its_part(desk):
    credit, one, two = desk.credit(100), desk.invoice(50), desk.invoice(50)
    desk.pay(0, (one, 50), from_credits=[(credit, 50)])
    payment = desk.pay(0, (two, 50), from_credits=[(credit, 50)])
    desk.bulk("payments", "delete", payment)
    assert desk.state(credit, "credits") == ["2", 50, 50]
    assert desk.all("credits", "&client_status=partial") == []
    assert desk.figures() == [50, 50, 0, 50]


def test_a_negative_credit_is_paid_out(desk):
    credit = desk.credit(-20)
    desk.bulk("credits", "mark_paid", credit)
    assert desk.state(credit, "credits") == ["4", 0, -20]
    assert desk.figures()[1:] == [-20, 0, 0]
    assert [(x["amount"], x["type_id"]) for x in desk.all("payments")] == [(-20, "32")]


@pytest.mark.parametrize(
    ("paid", "cost", "message"),
    [
        (0, 10, "Cannot reverse an invoice with no payment applied."),
        (40, 41, "Credit cannot exceed the payment / credits already applied to invoice."),
    ],
)
def test_only_what_was_paid_is_reversed(desk, paid, cost, message):
    row = desk.invoice(40)
    if paid:
        desk.pay(paid, (row, paid))
    body = {"client_id": desk.client["id"], "invoice_id": row["id"], "line_items": [line(cost)]}
    assert desk.asked("POST", "/credits", body, 422)["errors"] == {"invoice_id": [message]}


def test_a_deleted_reversal_gives_back_what_was_paid(desk):
    row = desk.invoice(40)
    desk.pay(40, (row, 40))
    credit = desk.credit(40, sent=False, invoice_id=row["id"])
    assert [desk.figures()[i] for i in (1, 3)] == [0, 40]
    desk.bulk("credits", "delete", credit)
    assert [desk.figures()[i] for i in (1, 3)] == [40, 0]
    desk.bulk("credits", "restore", credit)
    assert [desk.figures()[i] for i in (1, 3)] == [0, 40]


def test_an_unknown_action_on_credits_is_refused(desk):
    credit = desk.credit()
    body = {"action": "explode", "ids": [credit["id"]]}
    assert desk.asked("POST", "/credits/bulk", body, 422)["errors"] == {"action": ["The selected action is invalid."]}


def test_lines_of_a_credit_that_are_a_text_are_none(desk):
    credit = desk.credit(40)
    assert desk.put("credits", credit, line_items="x")["amount"] == 0
    assert desk.figures()[3] == 0
    assert desk.credit(1, line_items="x")["amount"] == 0


def test_a_credit_with_an_empty_date_is_refused(desk):
    refused = desk.asked("POST", "/credits", {"client_id": desk.client["id"], "date": ""}, 422)
    assert refused["errors"] == {"date": ["The date is not a valid date."]}

"""The life of invoices beyond what is recorded."""

from __future__ import annotations

import pytest

from tests.sandbox.papers.desk import Desk, line

DELETED = "Record is deleted and cannot be edited. Restore the record to enable editing"


def test_the_automatic_number_skips_those_that_are_taken(desk):
    desk.invoice(number="0002")
    assert [desk.invoice()["number"] for _ in range(3)] == ["0001", "0003", "0004"]


def test_a_number_sent_empty_at_a_change_becomes_the_next_one(desk):
    row = desk.invoice(number="mine")
    assert desk.put("invoices", row, number="")["number"] == "0001"


def test_two_deleted_invoices_of_one_number_keep_apart(desk):
    for _ in range(2):
        desk.bulk("invoices", "delete", desk.invoice(number="A"))
    desk.invoice(number="A")
    assert [row["number"] for row in desk.all("invoices")] == ["A_Deleted", "A_Deleted_1", "A"]


def test_every_action_has_its_own_address(desk):
    row = desk.invoice(sent=False)
    assert desk.asked("GET", f"/invoices/{row['id']}/mark_sent")["status_id"] == "2"
    assert desk.sent("GET", f"/invoices/{row['id']}/cancel").status_code == 200
    assert desk.read("invoices", row)["status_id"] == "5"
    for action in ("archive", "restore", "delete"):
        desk.asked("GET", f"/invoices/{row['id']}/{action}")
    assert desk.read("invoices", row)["is_deleted"] is True
    assert desk.asked("GET", f"/invoices/{row['id']}/explode", status=400) == {
        "message": "The requested action explode is not available."
    }


def test_paid_and_deleted_invoices_are_not_paid_again(desk):
    row = desk.invoice()
    desk.bulk("invoices", "mark_paid", row)
    desk.asked("GET", f"/invoices/{row['id']}/mark_paid", status=400)
    desk.bulk("invoices", "mark_paid", row)
    assert len(desk.all("payments")) == 1


def test_mark_paid_of_a_cancelled_invoice_moves_no_money(desk):
    row = desk.invoice(30)
    desk.pay(12, (row, 12))
    desk.bulk("invoices", "cancel", row)
    desk.bulk("invoices", "mark_paid", row)
    assert desk.state(row) == ["4", 0, 12]
    assert desk.figures()[:2] == [0, 12]


def test_more_paid_by_query_than_is_owed_leaves_a_negative_balance(desk):
    body = {"client_id": desk.client["id"], "line_items": [line(50)]}
    row = desk.asked("POST", "/invoices?amount_paid=80", body)
    assert [row["status_id"], row["balance"], row["paid_to_date"]] == ["2", -30, 80]
    assert desk.figures() == [-30, 80, 30, 0]


def test_a_due_date_follows_from_the_terms_when_an_invoice_is_paid_by_query(desk):
    soon = Desk(desk.api, "Soon", settings={"payment_terms": "10"})
    body = {"client_id": soon.client["id"], "line_items": [line(50)], "date": "2026-02-20"}
    assert soon.asked("POST", "/invoices?paid=true", body)["due_date"] == "2026-03-02"


def test_a_deposit_with_a_day_gives_the_invoice_a_due_date(desk):
    soon = Desk(desk.api, "Soon", settings={"payment_terms": "10"})
    row = soon.invoice(date="2026-02-20", partial=5, partial_due_date="2026-02-22")
    assert [row["due_date"], row["partial_due_date"], row["partial"]] == ["2026-03-02", "2026-02-22", 5]


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"partial": "x"}, "partial", "The partial must be a number."),
        ({"tax_name1": ["a"]}, "tax_name1", "The tax name1 must be a string."),
        ({"is_amount_discount": "no"}, "is_amount_discount", "The is amount discount field must be true or false."),
        ({"discount": 10**15}, "discount", "The discount must not be greater than 99999999999999."),
        ({"date": "2026-02-30"}, "date", "The date is not a valid date."),
        ({"due_date": "soon"}, "due_date", "The due date must be a date after partial due date."),
        ({"line_items": None}, "line_items", "The line items must be an array."),
    ],
)
def test_what_is_refused(desk, body, field, message):
    refused = desk.asked("POST", "/invoices", {"client_id": desk.client["id"], **body}, 422)
    assert refused["errors"] == {field: [message]}
    assert desk.all("invoices") == []


def test_a_deleted_invoice_is_refused_after_its_body(desk):
    row = desk.invoice()
    desk.bulk("invoices", "delete", row)
    assert desk.put("invoices", row, 400, po_number="x") == {"message": DELETED}
    assert "errors" in desk.put("invoices", row, 422, discount="x")


def test_invitations_go_to_contacts_that_get_mail_and_are_dated_when_sent(desk):
    client = desk.api.make("Two", contacts=[{"email": "a@x.io"}, {"email": "b@x.io", "send_email": False}])
    row = desk.invoice(client_id=client["id"], sent=False)
    assert [x["client_contact_id"] for x in row["invitations"]] == [client["contacts"][0]["id"]]
    assert row["invitations"][0]["sent_date"] == ""
    assert desk.bulk("invoices", "mark_sent", row)[0]["invitations"][0]["sent_date"].startswith("20")


def test_the_clients_public_notes_are_the_invoices_too(desk):
    two = Desk(desk.api, "Two", public_notes="Welcome back")
    assert two.invoice(public_notes="Thanks")["public_notes"] == "Welcome back"


def test_every_change_of_what_is_owed_is_in_the_ledger(desk):
    row = desk.invoice(100)
    payment = desk.pay(60, (row, 60))
    desk.put("invoices", row, line_items=[line(150)])
    desk.refund(payment, 10, (row, 10))
    desk.bulk("payments", "delete", payment)
    desk.bulk("invoices", "cancel", row)
    assert desk.ledger() == [(100, 100), (-60, 40), (50, 90), (10, 100), (50, 150), (-150, 0)]


def test_an_invoice_of_a_deleted_client_still_moves_its_figures(desk):
    row, other = desk.invoice(100), desk.invoice(40)
    payment = desk.pay(50)
    desk.api.bulk("delete", desk.client["id"])
    desk.put("invoices", row, line_items=[line(120)])
    desk.put("payments", payment, invoices=[{"invoice_id": row["id"], "amount": 20}])
    desk.bulk("invoices", "mark_paid", other)
    assert desk.figures() == [100, 90, 30, 0]
    desk.bulk("invoices", "delete", row)
    assert desk.figures()[:2] == [0, 70]
    assert desk.all("invoices", "&without_deleted_clients=true") == []


def test_a_whole_invoice_sent_back_changes_nothing_but_its_stamp(desk):
    row = desk.invoice(33.33, discount=1, tax_name1="VAT", tax_rate1=19, due_date="2026-03-01", date="2026-02-01")
    desk.pay(5, (row, 5))
    before = desk.read("invoices", row)
    figures = desk.figures()
    desk.api.switch(clock={"advance": 60})
    body = desk.sent("GET", f"/invoices/{row['id']}").json()["data"]
    changed = desk.put("invoices", row, **body)
    assert {key for key in before if before[key] != changed[key]} == {"updated_at"}
    assert desk.figures() == figures


def test_a_cancelled_invoice_sent_back_whole_is_locked(desk):
    row = desk.invoice()
    desk.bulk("invoices", "cancel", row)
    body = desk.sent("GET", f"/invoices/{row['id']}").json()["data"]
    assert desk.put("invoices", row, 422, **body)["errors"] == {
        "status_id": ["This invoice is locked and unable to be modified"]
    }


def test_a_deleted_invoice_lets_its_quote_go(desk):
    body = {"client_id": desk.client["id"], "line_items": [line(10)]}
    quote = desk.asked("POST", "/quotes", body)
    desk.bulk("quotes", "convert_to_invoice", quote)
    assert desk.read("quotes", quote)["status_id"] == "4"
    desk.bulk("invoices", "delete", desk.all("invoices")[0])
    left = desk.read("quotes", quote)
    assert [left["status_id"], left["invoice_id"]] == ["2", ""]


@pytest.mark.parametrize(
    ("sent", "errors"),
    [
        ({"due_date": "soon"}, {"due_date": ["The due date must be a date after partial due date."]}),
        (
            {"date": "2026-03-01", "due_date": "2026-02-01"},
            {"due_date": ["The due date must be a date after or equal to date."]},
        ),
        ({"custom_surcharge1": "x"}, {"custom_surcharge1": ["The custom surcharge1 must be a number."]}),
    ],
)
def test_a_change_that_is_refused(desk, sent, errors):
    assert desk.put("invoices", desk.invoice(), 422, **sent)["errors"] == errors


def test_a_deposit_that_is_asked_for_later_needs_all_its_days(desk):
    row = desk.invoice(100)
    deposit = {"partial": 30, "partial_due_date": "2026-03-10"}
    desk.put("invoices", row, 500, **deposit)
    changed = desk.put("invoices", row, **deposit, date="2026-03-01", due_date="2026-04-01")
    assert [changed["partial"], changed["partial_due_date"]] == [30, "2026-03-10"]
    assert desk.put("invoices", row, custom_surcharge1=None, due_date="2026-02-01")["due_date"] == "2026-02-01"


@pytest.mark.parametrize("kind", ["invoices", "credits"])
def test_a_paper_that_is_mailed_by_its_path_answers_a_message(desk, kind):
    row = desk.invoice(sent=False) if kind == "invoices" else desk.credit(sent=False)
    answer = desk.sent("GET", f"/{kind}/{row['id']}/email")
    assert answer.json() == {"message": "email sent"}
    assert desk.read(kind, row)["status_id"] == "2"


def test_a_cancellation_sums_the_open_invoices_up_again(desk):
    gone, kept, other = desk.invoice(40), desk.invoice(60), desk.invoice(7)
    payment = desk.pay(100, (gone, 40), (kept, 60))
    desk.bulk("invoices", "delete", gone)
    desk.refund(payment, 5, (gone, 5))  # counts as owed, although nothing of the kind is
    assert desk.figures()[0] == 12
    answer = desk.sent("GET", f"/invoices/{other['id']}/cancel")
    assert (answer.status_code, answer.content) == (200, b"")
    assert desk.figures()[0] == 0


def test_a_due_date_before_the_date_is_refused_only_at_a_change(desk):
    row = desk.invoice(date="2026-03-01", due_date="2026-01-01")
    dates = {"date": "2026-03-01", "due_date": "2026-02-01"}
    assert desk.put("invoices", row, 422, **dates)["errors"] == {
        "due_date": ["The due date must be a date after or equal to date."]
    }
    assert desk.put("invoices", row, due_date="2026-02-01")["due_date"] == "2026-02-01"


def test_only_who_may_make_payments_marks_invoices_paid(desk):
    row = desk.invoice()
    user = desk.api.post("/_sandbox/users", json={"permissions": "edit_invoice"}).json()
    body = {"action": "mark_paid", "ids": [row["id"]]}
    answer = desk.sent("POST", "/invoices/bulk", body, **{"X-API-TOKEN": user["token"]})
    assert (answer.status_code, answer.json()["errors"]) == (422, {"ids": ["You are not authorized"]})
    assert desk.state(row)[0] == "2"


@pytest.mark.parametrize(("terms", "due"), [("30", "2026-01-31"), ("0", "2026-01-01"), ("9999999", "-0001-11-30")])
def test_terms_of_any_length_give_a_day(desk, terms, due):
    two = Desk(desk.api, "Two", settings={"payment_terms": terms})
    assert two.invoice(date="2026-01-01")["due_date"] == due


def test_less_than_half_a_cent_is_nothing(desk):
    row = desk.invoice(10)
    desk.api.world.db.execute("UPDATE invoices SET balance = '9.996'")
    body = {"client_id": desk.client["id"], "amount": 9.992, "invoices": [{"invoice_id": row["id"], "amount": 9.992}]}
    desk.asked("POST", "/payments", body)
    assert desk.state(row)[0] == "4"


def test_a_request_names_whom_to_invite(desk):
    client = desk.api.make("Two", contacts=[{"email": "a@x.io"}, {"email": "b@x.io"}])
    one, two = client["contacts"]
    row = desk.invoice(client_id=client["id"], invitations=[{"client_contact_id": two["id"]}])
    (first,) = row["invitations"]
    assert first["client_contact_id"] == two["id"]
    both = desk.put("invoices", row, invitations=[first, {"client_contact_id": one["id"]}])["invitations"]
    assert [x["client_contact_id"] for x in both] == [two["id"], one["id"]]
    assert both[0]["key"] == first["key"]
    left = desk.put("invoices", row, invitations=both[1:])["invitations"]
    assert [x["id"] for x in left] == [both[1]["id"]]
    everybody = desk.put("invoices", row, invitations=[])["invitations"]
    assert [x["client_contact_id"] for x in everybody] == [one["id"], two["id"]]


@pytest.mark.parametrize(
    ("invitations", "fields"),
    [
        ("x", ["invitations"]),
        ([{}], ["invitations.0.client_contact_id"]),
        ([{"client_contact_id": "a"}] * 2, ["invitations.0.client_contact_id", "invitations.1.client_contact_id"]),
    ],
)
def test_odd_invitations_are_refused(desk, invitations, fields):
    body = {"client_id": desk.client["id"], "invitations": invitations}
    assert sorted(desk.asked("POST", "/invoices", body, 422)["errors"]) == fields


def test_an_amount_in_the_body_is_looked_at_only_where_no_lines_are(desk):
    row = desk.invoice(amount="x")
    assert desk.put("invoices", row, amount="x", line_items=[line(5)])["amount"] == 5
    assert desk.put("invoices", row, 422, amount="x")["errors"] == {"amount": ["The amount must be a number."]}

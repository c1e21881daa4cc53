"""Quotes and recurring invoices: papers with lines that move no figure of their client."""

from __future__ import annotations

import pytest

from tests.sandbox.clients.merging import show
from tests.sandbox.conftest import Api
from tests.sandbox.records.test_plain_records import act, listed

LINES = [{"cost": 50, "quantity": 2, "product_key": "A", "tax_name1": "VAT", "tax_rate1": 10}]
FIGURES = ("balance", "paid_to_date", "payment_balance", "credit_balance")


def quoted(api: Api, client: dict, **more) -> dict:
    answer = api.post("/api/v1/quotes", json={"client_id": client["id"], "line_items": LINES, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def recurring(api: Api, client: dict, **more) -> dict:
    body = {"client_id": client["id"], "line_items": LINES, "frequency_id": "5", **more}
    answer = api.post("/api/v1/recurring_invoices", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_a_quote_has_the_amount_of_its_lines_and_no_balance(api):
    quote = quoted(api, api.make("One"))
    assert (quote["amount"], quote["total_taxes"], quote["balance"]) == (110, 10, 0)
    assert (quote["status_id"], quote["number"], quote["date"]) == ("1", "0001", "2026-09-21")
    (sent,) = act(api, "quotes", "mark_sent", quote)
    assert (sent["status_id"], sent["balance"]) == ("2", 0)
    raised = api.put(f"/api/v1/quotes/{quote['id']}", json={"line_items": [{"cost": 7, "quantity": 1}]}).json()["data"]
    assert (raised["amount"], raised["balance"], raised["status_id"]) == (7, 0, "2")


def test_an_approved_quote_becomes_a_draft_invoice_once(api):
    client = api.make("One")
    quote = quoted(api, client, due_date="2099-01-01", po_number="PO", discount=10)
    act(api, "quotes", "approve", quote)
    (converted,) = act(api, "quotes", "convert_to_invoice", quote)
    (again,) = act(api, "quotes", "convert", quote)
    assert again == converted
    assert converted["status_id"] == "4"
    invoice = api.get(f"/api/v1/invoices/{converted['invoice_id']}").json()["data"]
    assert {name: invoice[name] for name in ("status_id", "po_number", "balance", "due_date")} == {
        "status_id": "1",
        "po_number": "PO",
        "balance": 0,
        "due_date": "",
    }
    assert (invoice["amount"], invoice["client_id"]) == (quote["amount"], client["id"])
    assert [invoice["id"]] == listed(api, "invoices")
    assert [show(api, client)[name] for name in FIGURES] == [0, 0, 0, 0]


def test_quotes_are_found_by_their_state(api):
    client, open_until, over = api.make("One"), {"due_date": "2099-01-01"}, {"due_date": "2020-01-01"}
    quotes = {
        "draft": quoted(api, client),
        "upcoming": quoted(api, client, **open_until),
        "expired": quoted(api, client, date="2019-12-01", **over),
        "approved": quoted(api, client),
        "converted": quoted(api, client),
    }
    act(api, "quotes", "mark_sent", *(quotes[name] for name in ("upcoming", "expired", "approved", "converted")))
    act(api, "quotes", "approve", quotes["approved"])
    act(api, "quotes", "convert_to_invoice", quotes["converted"])
    for state, quote in quotes.items():
        assert listed(api, "quotes", f"client_status={state}") == [quote["id"]]
    assert listed(api, "quotes", "client_status=sent") == [quotes["upcoming"]["id"]]
    assert len(listed(api, "quotes", "client_status=draft,approved")) == 2
    assert len(listed(api, "quotes", "client_status=nonsense")) == 5
    assert api.get(f"/api/v1/quotes/{quotes['expired']['id']}").json()["data"]["status_id"] == "-1"


def test_one_action_is_done_by_its_path(api):
    quote = quoted(api, api.make("One"))
    assert api.get(f"/api/v1/quotes/{quote['id']}/approve").json()["data"]["status_id"] == "3"
    assert api.get(f"/api/v1/quotes/{quote['id']}/fly").status_code == 400


@pytest.mark.parametrize("make", [quoted, recurring])
def test_a_deleted_one_is_not_changed(api, make):
    row = make(api, api.make("One"))
    kind = "quotes" if make is quoted else "recurring_invoices"
    assert api.delete(f"/api/v1/{kind}/{row['id']}").json()["data"]["is_deleted"]
    assert api.put(f"/api/v1/{kind}/{row['id']}", json={"po_number": "x"}).status_code == 400


def test_a_recurring_invoice_starts_stops_and_owes_nothing(api):
    client = api.make("One")
    row = recurring(api, client, next_send_date="2099-01-01", remaining_cycles=3)
    assert (row["status_id"], row["balance"], row["remaining_cycles"], row["date"]) == ("1", 110, 3, "")
    assert (row["next_send_date"], row["next_send_datetime"]) == ("2099-01-01 00:00:00", "2099-01-01 17:00:00")
    states = [
        act(api, "recurring_invoices", action, row)[0]["status_id"] for action in ("start", "stop", "stop", "start")
    ]
    assert states == ["2", "3", "3", "2"]
    assert listed(api, "recurring_invoices", "client_status=active") == [row["id"]]
    assert [show(api, client)[name] for name in FIGURES] == [0, 0, 0, 0]


def test_one_without_cycles_left_is_completed_by_its_start(api):
    row = recurring(api, api.make("One"), remaining_cycles=0)
    assert act(api, "recurring_invoices", "start", row)[0]["status_id"] == "4"
    assert listed(api, "recurring_invoices", "client_status=completed") == [row["id"]]


def test_a_recurring_invoice_needs_a_frequency(api):
    answer = api.post("/api/v1/recurring_invoices", json={"client_id": api.make("One")["id"]})
    assert answer.json()["errors"] == {"frequency_id": ["The frequency id field is required."]}
    row = recurring(api, api.make("Two"), auto_bill="always")
    assert (row["auto_bill"], row["auto_bill_enabled"], row["due_date_days"]) == ("always", True, "terms")
    kept = api.put(f"/api/v1/recurring_invoices/{row['id']}", json={"po_number": "x"}).json()["data"]
    assert (kept["frequency_id"], kept["next_send_date"], kept["auto_bill"]) == ("5", row["next_send_date"], "always")

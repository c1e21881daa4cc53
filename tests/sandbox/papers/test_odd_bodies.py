"""Odd bodies get an answer of the server's kind, and a refused one changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.server import create_app
from tests.sandbox.conftest import NOW, Api
from tests.sandbox.papers.desk import Desk

FIELDS = {
    "invoices": (
        "number", "discount", "date", "due_date", "terms", "tax_name1", "tax_rate1", "is_amount_discount", "partial",
        "partial_due_date", "project_id", "line_items", "custom_surcharge1", "exchange_rate", "status_id",
        "amount_paid", "paid", "mark_sent", "cancel", "invitations",
    ),
    "credits": (
        "number", "date", "due_date", "line_items", "partial", "exchange_rate", "invoice_id", "mark_sent", "mark_paid",
    ),
    "payments": ("amount", "date", "number", "type_id", "exchange_rate", "exchange_currency_id", "invoices", "credits"),
    "payments/refund": ("id", "amount", "date", "invoices"),
    "invoices/bulk": ("action", "ids"),
    "credits/bulk": ("action", "ids"),
}  # fmt: skip
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**22), 10**22),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(("", "x", "0", "1e3", "2026-02-30", "0000-00-00", "VolejRejNm", "zzzzzzzzzz", "ü" * 300, "delete")),
    st.sampled_from(([], {}, ["a"], {"a": 1}, [[1]], [{}], ["VolejRejNm"], ["VolejRejNm", "zzzzzzzzzz"])),
    st.lists(
        st.dictionaries(
            st.sampled_from(("cost", "quantity", "discount", "tax_rate1", "invoice_id", "credit_id", "amount")),
            st.sampled_from((None, 1, -2.5, "3", "VolejRejNm", 1e300, [1], {"a": 1})),
        ),
        max_size=2,
    ),
)
BODIES = st.sampled_from(sorted(FIELDS)).flatmap(
    lambda path: st.tuples(
        st.just(path), st.dictionaries(st.sampled_from(FIELDS[path]), ODD, max_size=4), st.booleans()
    )
)


@settings(max_examples=120, deadline=None)
@given(st.lists(BODIES, max_size=6))
def test_an_odd_body_is_answered_and_a_refused_one_changes_nothing(bodies):
    with Api(create_app(clock=lambda: NOW, behaves_like="5.12")) as api:
        desk = Desk(api)
        row = desk.invoice(100)
        desk.pay(30, (row, 10))
        desk.credit(5)
        for path, body, change in bodies:
            kind = path.split("/")[0]
            before = [desk.figures(), desk.all("invoices"), desk.all("payments"), desk.all("credits")]
            if change and path == kind:
                answer = desk.sent("PUT", f"/{kind}/{desk.all(kind)[0]['id']}", body)
            else:
                answer = desk.sent("POST", "/" + path, {"client_id": desk.client["id"], **body})
            assert answer.status_code in {200, 400, 422, 500}, answer.text
            assert answer.status_code == 200 or answer.json()["message"]
            if answer.status_code != 200:
                assert [desk.figures(), desk.all("invoices"), desk.all("payments"), desk.all("credits")] == before


@pytest.mark.parametrize("kind", ["invoices", "payments", "credits"])
def test_every_parameter_of_a_list_takes_any_text(desk, kind):
    desk.pay(1, (desk.invoice(5), 1))
    desk.credit(5)
    for name in ("client_status", "sort", "filter", "payable", "overdue", "upcoming", "status_id", "match_transactions",
                 "number", "client_id", "with", "is_deleted", "private_notes", "created_at", "status"):  # fmt: skip
        for value in ("", "x", "a|b|c", "amount|asc", "-1", "all", "VolejRejNm", "%00"):
            assert desk.sent("GET", f"/{kind}?{name}={value}").status_code == 200, (name, value)

"""The entities of billing and work hold what a real 5.12.28 server sends, on both roads and without a secret."""

from __future__ import annotations

import copy
import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.billing import CREDITS, INVOICES, PAYMENTS
from schemas.entities import CLIENTS, PULLED
from schemas.normalise import normalise
from schemas.values import Unfit, date, number
from tests.schemas.both_roads import both, shaped
from tests.schemas.schema_records import quick

RECORDED = Path(__file__).parents[1] / "recordings" / "documents"
KINDS = {name: entity for name, entity in PULLED.items() if entity is not CLIENTS}


def recorded(name):
    return json.loads((RECORDED / f"{name}.json").read_text(), parse_float=Decimal)["data"]


def named(entity, values):
    return dict(zip((f.name for f in entity.fields), values, strict=True))


@pytest.mark.parametrize("name", KINDS)
def test_recorded_records_fit_without_drift(name):
    records = recorded(name)
    batch = both(KINDS[name], records)
    assert (len(batch.rows), batch.quarantined, batch.drift) == (len(records), [], set())


@pytest.mark.parametrize("name", KINDS)
def test_no_secret_of_a_record_is_kept(name):
    records = copy.deepcopy(recorded(name))
    for record in records:
        record["invitations"] = [{"id": "a", "key": "CANARY", "link": "https://x/CANARY", "sent_date": "2026-01-01"}]
        record["documents"] = [{"id": "a", "hash": "CANARY", "url": "https://x/CANARY", "preview": "CANARY"}]
        for contact in record.get("contacts", ()):
            contact |= {"link": "CANARY", "password": "CANARY", "contact_key": "CANARY"}
    batch = both(KINDS[name], records)
    assert len(batch.rows) == len(records)
    assert "CANARY" not in repr(batch)
    assert "CANARY" not in repr(shaped(KINDS[name], [json.dumps(r, default=float).encode() for r in records]))


def test_lines_are_numbered_in_their_order_and_keep_their_product():
    (invoice, *_) = recorded("invoices")
    (row,) = both(INVOICES, [invoice]).rows
    (items,) = (INVOICES.children[0],)
    lines = [named(items, values) for values in row.children[0]]
    assert [(line["id"], line["place"]) for line in lines] == [(f"{row.id}-1", 1), (f"{row.id}-2", 2)]
    assert [line["product_key"] for line in lines] == ["PK1", "PK2"]
    assert json.loads(row.record)["line_items"][0]["product_key"] == "PK1"


def test_a_total_with_the_error_of_a_float_is_rounded_and_the_record_keeps_it():
    invoice = copy.deepcopy(recorded("invoices")[0])
    invoice["line_items"][0]["gross_line_total"] = Decimal("126.25999999999999")
    (row,) = both(INVOICES, [invoice]).rows
    assert named(INVOICES.children[0], row.children[0][0])["gross_line_total"] == Decimal("126.26")
    assert "126.25999999999999" in row.record


@pytest.mark.parametrize("odd", [None, "one and a half", True, [], {}, "1,5", 10**20, Decimal("1e400")])
def test_an_odd_quantity_of_a_line_does_not_keep_its_invoice_out(odd):
    invoice = copy.deepcopy(recorded("invoices")[0])
    invoice["line_items"][0]["quantity"] = odd
    (row,) = both(INVOICES, [invoice]).rows
    assert named(INVOICES.children[0], row.children[0][0])["quantity"] is None


def test_the_order_of_lines_is_a_change_and_the_order_of_applications_is_none():
    invoice, payment = recorded("invoices")[0], next(r for r in recorded("payments") if len(r["paymentables"]) > 1)
    turned = {**invoice, "line_items": invoice["line_items"][::-1]}
    assert both(INVOICES, [invoice]).rows[0].row_hash != both(INVOICES, [turned]).rows[0].row_hash
    turned = {**payment, "paymentables": payment["paymentables"][::-1]}
    assert both(PAYMENTS, [payment]).rows[0].row_hash == both(PAYMENTS, [turned]).rows[0].row_hash


def test_an_application_names_an_invoice_or_a_credit():
    rows = both(PAYMENTS, recorded("payments")).rows
    uses = [named(PAYMENTS.children[0], values) for row in rows for values in row.children[0]]
    assert uses
    assert all((use["invoice_id"] is None) != (use["credit_id"] is None) for use in uses)


def test_a_missing_list_sets_the_record_aside():
    for entity, key in ((INVOICES, "line_items"), (PAYMENTS, "paymentables"), (CREDITS, "line_items")):
        record = {k: v for k, v in recorded(entity.name)[0].items() if k != key}
        (aside,) = both(entity, [record]).quarantined
        assert (aside.field, aside.reason) == (key, "is missing")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2026-11-28", dt.date(2026, 11, 28)),
        ("2026-11-28 17:00:00", dt.date(2026, 11, 28)),
        ("", None),
        (None, None),
        ("-0001-11-30", None),
        ("0000-00-00", None),
    ],
)
def test_a_day(sent, expected):
    assert date(sent) == expected
    assert date(sent) == expected  # the second one is remembered


@pytest.mark.parametrize(
    "sent", ["31.12.2026", "2026-13-01", "2026-02-30", "tomorrow", 5, True, "2026-11-28T00:00:00Z"]
)
def test_a_text_that_is_no_day_sets_the_record_aside(sent):
    with pytest.raises(Unfit):
        date(sent)
    (aside,) = both(INVOICES, [{**recorded("invoices")[0], "due_date": sent}]).quarantined
    assert aside.field == "due_date"
    assert "2026" not in aside.reason


@quick
@given(st.decimals(allow_nan=True, allow_infinity=True) | st.integers() | st.floats().map(repr) | st.text())
def test_a_number_is_rounded_to_six_places_or_none(sent):
    value = number(sent)
    if value is not None:
        assert value.is_finite()
        assert abs(value - Decimal(sent)) <= Decimal("0.0000005")
        assert value == value.quantize(Decimal("0.000001"))


def test_every_document_of_billing_belongs_to_a_client():
    assert {name for name, entity in PULLED.items() if not entity.client_column} == {"products", "vendors"}
    assert {name for name, entity in PULLED.items() if entity.historic} == {
        "clients",
        "invoices",
        "payments",
        "credits",
    }


def test_normalise_takes_pages_of_both_kinds_of_applications():
    batch = normalise(PAYMENTS, recorded("payments"))
    assert not batch.quarantined

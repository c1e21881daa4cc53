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
from schemas.shape import Shapes
from schemas.values import Unfit, date, number, to_json
from tests.schemas.both_roads import both, compared, page, shaped
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


def as_page(records):
    """A page of a server with these records."""
    return page([to_json(record).encode() for record in records])


def twice(content, entity):
    """The batch of a page that comes after one of its kind: the decoder knows its keys."""
    shapes = Shapes(entity)
    compared(content, shapes, entity)
    return compared(content, shapes, entity)


def test_invoices_whose_lines_have_other_keys_are_typed_together():
    new, old = (copy.deepcopy(recorded("invoices")[0]) for _ in range(2))
    for line in old["line_items"]:
        del line["unit_code"], line["tax_id"], line["net_cost"]
    del old["line_items"][0]["notes"]
    old |= {"id": "old"}
    batch = twice(as_page([new, old] * 3), INVOICES)
    assert (batch.rows, len(batch.columns)) == ([], 1)
    assert [json.loads(record)["line_items"] for record in batch.columns[0].records] == json.loads(
        to_json([new["line_items"], old["line_items"]] * 3)
    )


def test_payments_of_invoices_and_by_credits_are_typed_together():
    payment = next(record for record in recorded("payments") if len(record["paymentables"]) > 1)
    uses = payment["paymentables"]
    assert len({frozenset(use) for use in uses}) > 1
    batch = twice(as_page([payment, payment | {"id": "other", "paymentables": uses[::-1]}]), PAYMENTS)
    assert (batch.rows, len(batch.columns)) == ([], 1)


def test_a_new_key_of_a_line_is_reported_only_for_pages_that_have_it_and_a_secret_one_is_not_kept():
    plain, odd = recorded("invoices")[0], copy.deepcopy(recorded("invoices")[0])
    odd["line_items"][-1] |= {"shoe_size": 44, "api_token": "CANARY", "more": [{"api_key": "CANARY", "a": 1}]}
    shapes = Shapes(INVOICES)
    compared(as_page([odd]), shapes, INVOICES)
    seen = compared(as_page([plain, odd]), shapes, INVOICES)
    assert seen.rows == []
    assert {drift.field for drift in seen.drift} == {"shoe_size", "api_token", "more"}
    assert "CANARY" not in repr(seen)
    assert json.loads(seen.columns[0].records[1])["line_items"][-1]["more"] == [{"a": 1}]
    assert compared(as_page([plain]), shapes, INVOICES).drift == set()


def test_an_application_without_an_id_or_an_amount_sets_its_payment_aside():
    payment = next(record for record in recorded("payments") if record["paymentables"])
    for key in ("id", "amount"):
        use = {name: value for name, value in payment["paymentables"][0].items() if name != key}
        batch = twice(as_page([payment | {"paymentables": [use]}, payment | {"id": "good"}]), PAYMENTS)
        assert batch.ids == ["good"]
        assert [aside.field for aside in batch.quarantined] == [f"paymentables[0].{key}"]


def test_a_secret_in_the_place_of_a_number_is_not_kept():
    invoice = copy.deepcopy(recorded("invoices")[0])
    invoice["line_items"][0]["cost"] = invoice["discount"] = [{"api_key": "CANARY", "a": 1}]
    batch = twice(as_page([invoice]), INVOICES)
    assert batch.ids == [invoice["id"]]
    assert "CANARY" not in repr(batch)


ANYTHING = st.sampled_from(
    [None, True, 0, 1, -1, 2**70, "", "0", "12.5", "x", "2026-11-28", [], {}, [{}], [{"api_key": "x", "a": 1}],
     {"a": {"api_key": "x"}}, Decimal("1.50"), Decimal("-0.0"), Decimal("1e-7"), Decimal("0.0000001"), Decimal("1e20"),
     Decimal("99999999999999.9999999"), Decimal("0e20")]
)  # fmt: skip


@st.composite
def changed(draw, entity):
    """A recorded document, itself or its children with keys left out, added or set to anything."""
    record = copy.deepcopy(draw(st.sampled_from(recorded(entity.name))))
    holders = [record, *record[entity.children[0].json_key], *record.get("invitations", [])]
    for _ in range(draw(st.integers(0, 4))):
        holder = draw(st.sampled_from(holders))
        key = draw(st.sampled_from([*sorted(holder), "shoe_size", "api_token", "notes"]))
        if draw(st.booleans()):
            holder.pop(key, None)
        else:
            holder[key] = draw(ANYTHING)
    return record


@pytest.mark.parametrize("entity", [INVOICES, PAYMENTS, CREDITS], ids=lambda entity: entity.name)
@quick
@given(st.data())
def test_both_roads_make_the_same_of_any_documents(entity, data):
    shapes = Shapes(entity)
    for _ in range(2):
        content = as_page(data.draw(st.lists(changed(entity), max_size=3)))
        compared(content, shapes, entity)
        compared(content, shapes, entity)

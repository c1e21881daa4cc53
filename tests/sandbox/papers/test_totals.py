"""What invoices amount to, as the server would reckon it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sandbox.papers.totals import php_round
from tests.sandbox.papers.desk import Desk, line

VAT = {"tax_name1": "VAT", "tax_rate1": 19}


@pytest.mark.parametrize(
    ("more", "lines", "amount", "taxes"),
    [
        ({}, [line(100, 2, **VAT)], "238", "38"),
        # a discount by percent lowers the taxed part of each line
        ({"discount": 10, "is_amount_discount": False}, [line(100, **VAT), line(50)], "152.1", "17.1"),
        # a discount by amount is spread over the lines: 30 of 150 leaves 80 of the taxed 100
        ({"discount": 30}, [line(100, **VAT), line(50)], "135.2", "15.2"),
        # a discount of a line by percent, only where the invoice discounts by percent
        ({"is_amount_discount": False}, [line(80, discount=25)], "60", "0"),
        ({"is_amount_discount": True}, [line(80, discount=25)], "55", "0"),
        # taxes of lines and of the invoice add up; each is rounded on its own
        ({"tax_name1": "GST", "tax_rate1": 5}, [line(33.33, **VAT)], "41.33", "8"),
        # surcharges are not taxed here
        ({"custom_surcharge1": 10, **VAT}, [line(100)], "129", "19"),
        ({"uses_inclusive_taxes": True}, [line(119, **VAT), line(107, tax_name1="GST", tax_rate1=7)], "226", "26"),
        ({"uses_inclusive_taxes": True, "discount": 19, **VAT}, [line(138)], "119", "19"),
        # a tax of a line whose name has one letter counts only where the discount is an amount
        ({"is_amount_discount": False}, [line(100, tax_name1="V", tax_rate1=19)], "100", "0"),
        ({"is_amount_discount": True}, [line(100, tax_name1="V", tax_rate1=19)], "119", "19"),
        ({"discount": 200}, [line(100)], "-100", "0"),
        ({}, [], "0", "0"),
    ],
)
def test_totals_follow_the_lines(desk, more, lines, amount, taxes):
    row = desk.invoice(line_items=lines, **more)
    assert [row["amount"], row["total_taxes"], row["balance"]] == [Decimal(amount), Decimal(taxes), Decimal(amount)]


def test_a_currency_without_decimals_has_none(desk):
    yen = Desk(desk.api, "Yen", settings={"currency_id": "45"})
    assert yen.invoice(line_items=[line(10.5), line(3.4)])["amount"] == 14


def test_a_client_without_taxes_pays_none(desk):
    free = Desk(desk.api, "Free", is_tax_exempt=True)
    row = free.invoice(line_items=[line(100, **VAT)], tax_name1="GST", tax_rate1=5)
    assert [row["amount"], row["total_taxes"], row["line_items"][0]["tax_name1"]] == [100, 0, ""]


@pytest.mark.parametrize(
    ("value", "places", "rounded"),
    [
        (1.005, 2, 1.01),
        (-1.005, 2, -1.01),
        (2.5, 0, 3),
        (0.285, 2, 0.29),
        (1.955, 2, 1.96),
        (1e-9, 2, 0),
        (9.995, 2, 10),
    ],
)
def test_rounding_is_by_the_digits_that_are_shown(value, places, rounded):
    assert php_round(value, places) == rounded


def test_lines_are_made_whole(desk):
    row = desk.invoice(
        line_items=[{"cost": "9.5", "quantity": "2", "notes": 7, "own": "kept", "id": "x", "type_id": "2"}]
    )
    shown = row["line_items"][0]
    assert {key: shown[key] for key in ("cost", "quantity", "notes", "own", "tax_id", "line_total", "unit_code")} == {
        "cost": Decimal("9.5"),
        "quantity": 2,
        "notes": "7",
        "own": "kept",
        "tax_id": "2",
        "line_total": 19,
        "unit_code": "C62",
    }
    assert "id" not in shown


def test_fees_of_a_gateway_never_start_a_new_invoice(desk):
    assert desk.invoice(line_items=[line(10), line(1, type_id="3")])["amount"] == 10

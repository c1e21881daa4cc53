"""Rates of exchange: a file's and the server's, the last one before a day, and converted amounts beside exact ones."""

from __future__ import annotations

import itertools
import re
import string
from datetime import date
from decimal import Decimal

import pytest

from flows.ask.ask import Result
from flows.ask.converted import converted as in_one
from schemas.entities import COMPANIES, LOOKUPS
from schemas.money import USUAL, decimals_of
from schemas.normalise import normalise
from tests.records import MOMENT, client
from warehouse.control.exchange_rates import FILE, SERVER, Rate, note_rates, note_server_rates
from warehouse.engine.sql import statement
from warehouse.load.load import Reference

D = Decimal
CURRENCIES = next(entity for entity in LOOKUPS if entity.name == "currencies")
TODAY = MOMENT.date()


def reference(own=("EUR", 2), **units):
    """A company with a currency of so many decimals, and a list of currencies with these units for one base unit."""
    precisions = {"USD": 2, "JPY": 0, own[0]: own[1]}
    rows = [
        {"id": {own[0]: "3", "USD": "1", "JPY": "45"}[code], "name": code, "code": code, "symbol": "",
         "precision": precisions[code], "exchange_rate": rate}
        for code, rate in {own[0]: 1, "USD": 1, "JPY": 1, **units}.items()
    ]  # fmt: skip
    company = {
        "id": "c", "settings": {"name": "Ours", "currency_id": "3"}, "custom_fields": {}, "created_at": 1,
        "updated_at": 1, "archived_at": 0,
    }  # fmt: skip
    return Reference({CURRENCIES: normalise(CURRENCIES, rows).rows, COMPANIES: normalise(COMPANIES, [company]).rows})


def clients():
    return [
        client("a", balance=D("100.10"), settings={"currency_id": "1"}),
        client("b", balance=D("-40"), settings={"currency_id": "1"}),
        client("c", balance=D("5000"), settings={"currency_id": "45"}),
        client("d", balance=D("12.34"), settings={"currency_id": "3"}),
    ]


def rates(warehouse):
    return warehouse.rows(
        "select day, currency_code, company_currency, rate, origin from mart.exchange_rates order by 1, 2"
    )


def converted(warehouse):
    rows = warehouse.rows(
        "select currency_code, owed, overpaid, rate, owed_converted, overpaid_converted, net_converted "
        "from mart.balances_in_company_currency"
    )
    return {row[0]: row[1:] for row in rows}


def test_a_server_without_rates_has_none_and_amounts_stay_unconverted(warehouse, load_records):
    load_records(clients(), reference=reference())
    assert rates(warehouse) == []
    assert converted(warehouse)["USD"] == (D("100.1"), D(40), None, None, None, None)
    assert converted(warehouse)["EUR"] == (D("12.34"), D(0), D(1), D("12.34"), D(0), D("12.34"))


def test_rates_of_the_server_are_noted_when_they_change(warehouse, load_records):
    load_records(clients(), reference=reference(EUR=D("0.8"), USD=1, JPY=160))
    expected = [(TODAY, "JPY", "EUR", D("0.005"), SERVER), (TODAY, "USD", "EUR", D("0.8"), SERVER)]
    assert rates(warehouse) == expected
    load_records(clients(), reference=reference(EUR=D("0.8"), USD=1, JPY=160))
    assert rates(warehouse) == expected


def test_amounts_are_converted_by_the_last_rate_and_rounded_to_the_companys_currency(warehouse, load_records):
    load_records(clients(), reference=reference(EUR=D("0.812345"), USD=1, JPY=160))
    usd = converted(warehouse)["USD"]
    assert usd == (D("100.1"), D(40), D("0.812345"), D("81.32"), D("32.49"), D("48.83"))
    assert converted(warehouse)["JPY"][3] == D("25.39")


@pytest.mark.parametrize(
    ("code", "on_server", "rounded"),
    [
        ("HUF", 0, "81.32"), ("KRW", 2, "81"), ("ISK", 0, "81"), ("BHD", 3, "81.316"), ("OMR", 2, "81.316"),
        ("XAU", 3, "81.32"), ("EUR", 2, "81.32"),
    ],
)  # fmt: skip
def test_the_view_and_the_commands_round_alike_whatever_the_server_says_of_a_currency(
    warehouse, load_records, code, on_server, rounded
):
    load_records(clients(), reference=reference(own=(code, on_server)))
    with warehouse.transaction():
        note_rates(warehouse, "main", [Rate(TODAY, "USD", D("0.812345"))], into=code, origin=FILE, now=MOMENT)
    asked = "select source, currency_code as currency, owed, overpaid, net from mart.balances_by_currency"
    by_currency = Result(*warehouse.answer(asked))
    (row,) = [row for row in in_one(warehouse, by_currency).records() if row["currency"] == "USD"]
    assert converted(warehouse)["USD"][3] == row["owed"] == D(rounded)


def test_the_view_knows_each_currency_without_two_decimals():
    text = statement("mart/balances_in_company_currency")
    listed = {
        code: int(decimals)
        for codes, decimals in re.findall(r" in \(([^)]*)\)\s*then (\d)", text)
        for code in re.findall(r"[A-Z]{3}", codes)
    }
    every = ("".join(letters) for letters in itertools.product(string.ascii_uppercase, repeat=3))
    assert listed == {code: decimals for code in every if (decimals := decimals_of(code)) != USUAL}


def test_the_rate_of_a_file_goes_before_that_of_the_server_on_the_same_day(warehouse, load_records):
    load_records(clients(), reference=reference(EUR=D("0.8"), USD=1))
    with warehouse.transaction():
        note_rates(warehouse, "main", [Rate(TODAY, "USD", D("0.9"))], into="EUR", origin=FILE, now=MOMENT)
    assert (TODAY, "USD", "EUR", D("0.9"), FILE) in rates(warehouse)
    assert converted(warehouse)["USD"][2] == D("0.9")


def test_a_rate_is_replaced_by_a_later_one_of_the_same_day_and_origin(warehouse, load_records):
    load_records(clients(), reference=reference())
    for rate in (D("0.9"), D("0.91")):
        with warehouse.transaction():
            note_rates(warehouse, "main", [Rate(date(2020, 1, 31), "USD", rate)], into="EUR", origin=FILE, now=MOMENT)
    assert rates(warehouse) == [(date(2020, 1, 31), "USD", "EUR", D("0.91"), FILE)]
    assert converted(warehouse)["USD"][2] == D("0.91")


def test_a_rate_of_a_later_day_does_not_count_yet(warehouse, load_records):
    load_records(clients(), reference=reference())
    with warehouse.transaction():
        note_rates(warehouse, "main", [Rate(date(9000, 1, 1), "USD", D(2))], into="EUR", origin=FILE, now=MOMENT)
    assert converted(warehouse)["USD"][2] is None


def test_rates_into_another_currency_do_not_count(warehouse, load_records):
    load_records(clients(), reference=reference())
    with warehouse.transaction():
        note_rates(warehouse, "main", [Rate(TODAY, "USD", D(2))], into="GBP", origin=FILE, now=MOMENT)
    assert converted(warehouse)["USD"][2] is None


@pytest.mark.parametrize("odd", [0, -1, None, D("1e-20"), D("1e13")])
def test_an_odd_number_of_the_server_is_not_noted(warehouse, load_records, odd):
    load_records(clients(), reference=reference(EUR=D("0.8"), USD=odd, JPY=160))
    assert [row[1] for row in rates(warehouse)] == ["JPY"]


def test_a_company_without_a_known_currency_notes_nothing(warehouse, load_records):
    load_records(clients())
    note_server_rates(warehouse, "main", now=MOMENT)
    assert rates(warehouse) == []

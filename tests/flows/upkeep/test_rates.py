"""Rates of exchange from a person's file: good rows are added, the others named, and balances converted by them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from flows.upkeep.rates import add_rates
from schemas.errors import LOADED_WITH_FINDINGS, SettingsError

GOOD = "day;currency;rate\n2020-01-31;EUR;1,10\n2020-02-29;EUR;1,20\n2020-01-31;GBP;1,5\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "rates.csv"
    path.write_text(GOOD)
    return path


def test_rates_need_a_company_whose_currency_is_known(settings, file):
    with pytest.raises(SettingsError, match="ninja-sync pull"):
        add_rates(settings, "main", file)


def test_rates_convert_balances_and_the_exact_ones_stay(call, file):
    assert call("pull")[0] == 0
    before = json.loads(call("balances", "--json")[1])
    assert "converted" not in before
    code, out = call("rates", "add", file, "--json")
    added = json.loads(out)
    assert (code, added["company_currency"], len(added["rates"]), added["refused"]) == (0, "USD", 3, [])
    assert json.loads(call("rates", "--json")[1])["rates"][0] == {
        "source": "main", "day": "2020-02-29", "currency_code": "EUR", "company_currency": "USD", "rate": "1.20000000",
        "origin": "file",
    }  # fmt: skip
    after = json.loads(call("balances", "--json")[1])
    converted = {row["currency"]: row for row in after.pop("converted")}
    assert after == before
    exact = {row["currency"]: row for row in before["by_currency"]}
    owed = {code: Decimal(exact[code]["owed"]) * rate for code, rate in {"EUR": Decimal("1.2"), "USD": 1}.items()}
    for code, amount in owed.items():
        assert Decimal(converted[code]["owed"]) == round(amount, 2)
    assert converted["EUR"]["rate_day"] == "2020-02-29"
    unrated = set(exact) - {"EUR", "GBP", "USD"}
    assert unrated
    assert {converted[code]["owed"] for code in unrated} == {None}
    rated = [Decimal(converted[code]["owed"]) for code in ("EUR", "GBP", "USD") if code in converted]
    assert Decimal(converted["sum"]["owed"]) == sum(rated)


def test_the_table_of_people_names_the_rate_and_its_day(call, file):
    call("pull")
    call("rates", "add", file)
    out = call("balances")[1]
    assert "Converted into USD, by these rates" in out
    assert "2020-02-29" in out
    assert "1.2" in call("rates")[1]


BAD = [
    ("31.12.2026;EUR;1", "write 2026-12-31"),
    ("2026-12-311;EUR;1", "write 2026-12-31"),
    ("2026-12-31;Euro;1", "not a currency code that the server knows"),
    ("2026-12-31;XXX;1", "not a currency code that the server knows"),
    ("2026-12-31;USD;1", "the company's own currency"),
    ("2026-12-31;EUR;0", "must be above 0"),
    ("2026-12-31;EUR;-1", "is not a rate"),
    ("2026-12-31;EUR;12345678901", "must be above 0 and below"),
    ("2020-01-31;EUR;7", "a second rate of EUR for 2020-01-31"),
    ("2020-01-31;EUR;7;8", "has 4 values"),
]


def test_rows_that_do_not_fit_are_named_and_the_others_added(call, file):
    call("pull")
    file.write_text(GOOD + "\n".join(row for row, _ in BAD) + "\n")
    code, out = call("rates", "add", file, "--json")
    added = json.loads(out)
    assert code == LOADED_WITH_FINDINGS
    assert len(added["rates"]) == 3
    assert [row["line"] for row in added["refused"]] == list(range(5, 5 + len(BAD)))
    for refused, (_, why) in zip(added["refused"], BAD, strict=True):
        assert why in refused["reason"]


def test_a_rate_is_replaced_by_that_of_a_later_file(call, file):
    call("pull")
    call("rates", "add", file)
    file.write_text("currency,rate,day\neur,1.3,2020-02-29\n")
    assert call("rates", "add", file)[0] == 0
    rates = json.loads(call("rates", "--json")[1])["rates"]
    assert [row["rate"] for row in rates if row["day"] == "2020-02-29"] == ["1.30000000"]


def test_a_file_without_the_columns_is_refused(call, file):
    call("pull")
    file.write_text("date,code\n2020-01-31,EUR\n")
    with pytest.raises(SettingsError, match="no heading day or currency or rate"):
        call("rates", "add", file)


@pytest.mark.parametrize(("rates", "decimal", "expected"), [
    (("1.5", "1.25"), None, ("1.50000000", "1.25000000")),
    (("1,5", "1,25"), None, ("1.50000000", "1.25000000")),
    (("1,5", "1"), ",", ("1.50000000", "1.00000000")),
    (("0.333333333333", "2"), None, ("0.33333333", "2.00000000")),
])  # fmt: skip
def test_the_decimal_sign_is_that_of_the_whole_file(call, file, rates, decimal, expected):
    call("pull")
    file.write_text("day;currency;rate\n2020-01-31;EUR;{}\n2020-01-31;GBP;{}\n".format(*rates))
    code, out = call("rates", "add", file, *(("--decimal", decimal) if decimal else ()), "--json")
    assert (code, tuple(rate["rate"] for rate in json.loads(out)["rates"])) == (0, expected)


def test_a_file_with_two_decimal_signs_is_refused_until_a_person_chooses(call, file):
    call("pull")
    file.write_text("day;currency;rate\n2020-01-31;EUR;1.5\n2020-01-31;GBP;1,250\n")
    with pytest.raises(SettingsError, match="--decimal"):
        call("rates", "add", file)
    assert call("rates", "add", file, "--decimal", ".", "--json")[0] == LOADED_WITH_FINDINGS


def test_a_missing_column_is_named(call, file):
    call("pull")
    file.write_text("day;currency;value\n2020-01-31;EUR;1\n")
    with pytest.raises(SettingsError, match="no column rate"):
        call("rates", "add", file)


def test_a_rate_can_be_removed_and_the_one_before_holds_again(call, file):
    call("pull")
    call("rates", "add", file)
    assert call("rates", "remove", "2020-02-29", "eur")[0] == 0
    rates = json.loads(call("rates", "--json")[1])["rates"]
    assert [(row["day"], row["rate"]) for row in rates if row["currency_code"] == "EUR"] == [
        ("2020-01-31", "1.10000000")
    ]
    with pytest.raises(SettingsError, match="No file brought a rate of EUR for 2020-02-29"):
        call("rates", "remove", "2020-02-29", "EUR")


def test_an_unknown_source_is_refused(call):
    call("pull")
    with pytest.raises(SettingsError, match="There is no source 'nope'"):
        call("rates", "--source", "nope")

"""How an amount is written: its currency's own decimals, never rounded."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.money import decimals_of, in_own_decimals

MONEY = st.decimals(min_value=-(10**14), max_value=10**14, places=6, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("108073.000000", "JPY", "108073"),
        ("108073.500000", "JPY", "108073.5"),
        ("-0.000001", "JPY", "-0.000001"),
        ("1E+3", "JPY", "1000"),
        ("0.000000", "USD", "0.00"),
        ("20607.940000", "USD", "20607.94"),
        ("-117184.467635", "GBP", "-117184.467635"),
        ("5", "KWD", "5.000"),
        ("1E+3", None, "1000.00"),
        ("7.1", "no currency", "7.10"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency_and_more_where_there_is_more(value, currency, text):
    assert f"{in_own_decimals(Decimal(value), currency):f}" == text


@given(MONEY, st.sampled_from(["JPY", "EUR", "KWD", "", None]))
def test_no_amount_is_rounded(value, currency):
    own = in_own_decimals(value, currency)
    assert own == value
    assert -own.as_tuple().exponent >= decimals_of(currency)


def test_what_is_no_number_stays_as_it_is():
    assert in_own_decimals(Decimal("NaN"), "EUR").is_nan()

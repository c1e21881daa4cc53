from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.php.php_json import compact, number, pretty


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("120.500000", "120.5"),
        ("1000", "1000"),
        ("-11", "-11"),
        ("0.01", "0.01"),
        ("0.0001", "0.0001"),
        ("0.00001", "1.0e-5"),
        ("-0.000001", "-1.0e-6"),
        ("0.000012", "1.2e-5"),
        ("123456789.123456", "123456789.123456"),
        ("10000000000000.123456", "10000000000000.123"),
        ("99999999999999.999999", "100000000000000"),
    ],
)
def test_money_is_written_as_a_php_float(value, literal):
    assert number(Decimal(value)) == literal


@given(st.decimals(-(2**33), 2**33, places=6))
def test_up_to_eight_and_a_half_billion_every_micro_survives(value):
    assert json.loads(number(value), parse_float=Decimal, parse_int=Decimal) == value


def test_pretty_form_has_four_blanks_and_empty_things_inline():
    assert pretty({"a": [], "b": {}, "c": [1, "x/ü🚀"], "d": {"e": None, "f": True}}) == (
        '{\n    "a": [],\n    "b": {},\n    "c": [\n        1,\n        "x\\/\\u00fc\\ud83d\\ude80"\n    ],\n'
        '    "d": {\n        "e": null,\n        "f": true\n    }\n}'
    )


def test_compact_form_has_no_blanks():
    assert compact({"message": "a/b", "errors": {}}) == '{"message":"a\\/b","errors":{}}'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_both_forms_mean_the_same(value):
    assert json.loads(pretty(value)) == json.loads(compact(value)) == value
    assert pretty(value).isascii()


def test_what_is_no_json_is_refused():
    with pytest.raises(TypeError, match="no JSON for bytes"):
        pretty({"a": b""})

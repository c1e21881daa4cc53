"""Every converter: what it keeps, what it makes NULL, and what it refuses: by the kind of value, never the value."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import values
from schemas.entity import Kind
from schemas.values import CONVERT, Unfit, to_json
from tests.schemas.schema_records import quick

DECODER = msgspec.json.Decoder(float_hook=Decimal)
WRONG_TYPES = [1, Decimal("1.5"), True, "x", [], ["x"], {}, {"a": 1}]


def test_there_is_a_converter_for_every_kind():
    assert set(CONVERT) == set(Kind)


# money


@st.composite
def money_texts(draw):
    """Texts of DECIMAL(20,6) as JSON can hold them: whole, with a point, with an exponent."""
    number = Decimal(draw(st.integers(-(10**20) + 1, 10**20 - 1))).scaleb(-6)
    form = draw(st.sampled_from(["plain", "exponent", "short"]))
    if form == "short":
        number = number.quantize(Decimal(1).scaleb(-draw(st.integers(0, 6))), rounding="ROUND_DOWN")
    if form == "exponent":
        digits, power = number.as_tuple().digits, draw(st.integers(-9, 9))
        shifted = number.scaleb(-power)
        text = f"{shifted:f}" + f"e{power}"
        assert len(digits) <= 20
        return text, number
    return f"{number:f}", number


@quick
@given(money_texts())
def test_money_is_the_same_number_from_json_to_decimal(case):
    written, number = case
    found = values.money(DECODER.decode(written.encode()))
    assert found == number
    assert found.as_tuple().exponent == -6
    assert len(found.as_tuple().digits) <= 20


@quick
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**13), max_value=10**13, places=6))
def test_money_in_a_text_is_the_same_number(number):
    assert values.money(f"{number:f}") == number


@quick
@given(st.integers(7, 30), st.integers(1, 9), st.integers(0, 10**10))
def test_money_with_more_than_six_decimals_is_refused_and_never_rounded(places, digit, whole):
    with pytest.raises(Unfit, match="more than six decimals"):
        values.money(Decimal(f"{whole}.{'0' * (places - 1)}{digit}"))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("0", "0.000000"),
        ("-0", "0.000000"),
        ("-0.0", "0.000000"),
        ("100", "100.000000"),
        ("2999.32", "2999.320000"),
        ("123456789.123456", "123456789.123456"),
        ("-1.0e-6", "-0.000001"),
        ("1.0e+13", "10000000000000.000000"),
        ("1E2", "100.000000"),
        ("1.5000000000000000000000000000", "1.500000"),
        ("99999999999999.999999", "99999999999999.999999"),
        ("-99999999999999.999999", "-99999999999999.999999"),
        ('"12.50"', "12.500000"),
        ('"-3"', "-3.000000"),
    ],
)
def test_money_in_every_notation(sent, kept):
    assert str(values.money(DECODER.decode(sent))) == kept


@pytest.mark.parametrize(
    "sent",
    [
        "100000000000000",
        "-100000000000000",
        "1e14",
        "1e400",
        "1e1000000",
        "-1e1000000",
        "1e-7",
        "1e-1000000",
        "0.1234567",
        "9" * 4000,
        '"1e5"',
        '"1,5"',
        '"NaN"',
        '"Infinity"',
        '" 1"',
        '"-"',
        '""',
        '"٣"',
        "null",
        "true",
        "[]",
        "{}",
    ],
)
def test_money_that_does_not_fit_is_refused(sent):
    with pytest.raises(Unfit):
        values.money(DECODER.decode(sent))


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity"), Decimal("sNaN")])
def test_money_is_a_number(value):
    with pytest.raises(Unfit):
        values.money(value)


# texts


@quick
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_a_text_is_kept_as_it_is(written):
    assert values.text(written) == written
    assert values.mail(written) == (written.strip() or None)


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_text_is_null(empty):
    assert values.text(empty) is values.mail(empty) is values.setting(empty) is None


def test_blanks_alone_are_a_text_but_no_mail():
    assert (values.text(" "), values.mail(" "), values.mail(" \u00a0")) == (" ", None, None)


@pytest.mark.parametrize("convert", [values.text, values.mail, values.setting])
def test_a_nul_character_is_refused(convert):
    with pytest.raises(Unfit, match="a text with a NUL character"):
        convert("Anna\0bell")


def test_ids_that_look_like_numbers_stay_texts():
    assert values.text("6e12345678") == "6e12345678"


@pytest.mark.parametrize("value", [v for v in WRONG_TYPES if not isinstance(v, str)])
def test_only_a_text_is_a_text(value):
    with pytest.raises(Unfit):
        values.text(value)


# settings


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("true", "true"),
        ("false", "false"),
        ("14", "14"),
        ("-1", "-1"),
        ("0", "0"),
        ("1.50", "1.50"),
        ("1.0e-6", "0.0000010"),
        ('"14"', "14"),
        ('""', None),
        ("null", None),
    ],
)
def test_a_setting_is_a_text(sent, kept):
    assert values.setting(DECODER.decode(sent)) == kept


@pytest.mark.parametrize("sent", ["1e999999999", "1e-999999999", "1" * 31, "-1e30"])
def test_a_setting_of_gigabytes_of_digits_is_refused(sent):
    with pytest.raises(Unfit, match="30 digits or more"):
        values.setting(DECODER.decode(sent))


def test_an_integer_that_python_does_not_write_out_is_refused_and_no_crash():
    with pytest.raises(Unfit):
        values.setting(10**5000)


@pytest.mark.parametrize("value", [[], {}, {"a": 1}])
def test_a_setting_is_no_object(value):
    with pytest.raises(Unfit):
        values.setting(value)


# times, flags, counts


@quick
@given(st.integers(1, values.LAST_SECOND))
def test_a_time_is_kept(seconds):
    assert values.time(seconds) == seconds


@pytest.mark.parametrize("never", [0, None])
def test_never_is_null(never):
    assert values.time(never) is None


@pytest.mark.parametrize("value", [-1, values.LAST_SECOND + 1, 10**20, True, Decimal("1.5"), "1", "", [], {}])
def test_a_time_that_does_not_fit_is_refused(value):
    with pytest.raises(Unfit):
        values.time(value)


@pytest.mark.parametrize("value", [True, False, None])
def test_a_flag_is_kept(value):
    assert values.flag(value) is value


@pytest.mark.parametrize("value", [0, 1, "", "true", Decimal(1), [], {}])
def test_only_a_flag_is_a_flag(value):
    with pytest.raises(Unfit):
        values.flag(value)


@pytest.mark.parametrize("value", [0, -1, 2**63 - 1, -(2**63), None])
def test_a_count_is_kept(value):
    assert values.count(value) == value


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**30, True, Decimal(1), "1", "", [], {}])
def test_a_count_that_does_not_fit_is_refused(value):
    with pytest.raises(Unfit):
        values.count(value)


# JSON


@pytest.mark.parametrize("value", [{}, []])
def test_php_cannot_tell_an_empty_object_from_an_empty_list(value):
    assert values.json(value) == "{}"


def test_json_keeps_order_decimals_and_scripts_and_drops_credentials():
    sent = '{"b":1.10,"a":"Zürich","smtp_password":"x","deep":[{"postmark_secret":"y","kept":null}]}'
    assert values.json(DECODER.decode(sent)) == '{"b":1.10,"a":"Zürich","deep":[{"kept":null}]}'


def test_null_is_null_and_a_plain_value_is_no_object():
    assert values.json(None) is None
    for value in ("", "{}", 1, True, Decimal(1)):
        with pytest.raises(Unfit):
            values.json(value)


@pytest.mark.parametrize("value", [{"a": "x\0"}, {"x\0": 1}, [["\0"]], {"a": "\\\0"}])
def test_a_nul_character_in_json_is_refused(value):
    with pytest.raises(Unfit, match="NUL"):
        values.json(value)


@pytest.mark.parametrize("written", ["C:\\u0000", "\\\\u0000", "u0000"])
def test_a_backslash_before_u0000_is_no_nul_character(written):
    assert DECODER.decode(values.json({"path": written})) == {"path": written}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcdef"), inner, max_size=4),
    max_leaves=20,
)


@quick
@given(json_values)
def test_holding_a_nul_character_is_seen_exactly_where_there_is_one(value):
    def holds(one):
        if isinstance(one, str):
            return "\0" in one
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        return any(map(holds, inner))

    assert values.holds_nul(to_json(value)) == holds(value)


@quick
@given(st.sampled_from(list(CONVERT.values())), json_values)
def test_a_converter_gives_a_value_or_is_unfit_and_never_says_the_value(convert, value):
    try:
        convert(value)
        said = ""
    except Unfit as unfit:
        said = str(unfit)
    assert not isinstance(value, str) or len(value) < 4 or value not in said

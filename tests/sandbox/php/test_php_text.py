from __future__ import annotations

import pytest

from sandbox.php.text import (
    cleaned,
    filter_boolean,
    is_numeric,
    leading_number,
    strip_tags,
    to_int,
    truth,
    whole_number,
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("A <b> Co", "A  Co"),
        ("a <b & Co", "a "),
        ("x<3", "x"),
        ("a < b", "a < b"),
        ("x > y", "x > y"),
        ("&lt;b&gt;", "&lt;b&gt;"),
        ("<script>alert(1)</script>x", "alert(1)x"),
        ('<a title=">">x</a>', "x"),
        ("<", ""),
        ("<a <b> c> d", " d"),
        ("", ""),
    ],
)
def test_strip_tags(text, left):
    assert strip_tags(text) == left


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("7.9", 7),
        ("+3", 3),
        ("-50", -50),
        ("1e2", 100),
        (" 4", 4),
        ("abc", 0),
        ("", 0),
        (None, 0),
        ("12abc", 12),
        (True, 1),
        (["2"], 1),
        ([], 0),
        ("99999999999999999999", 0),
    ],
)
def test_int_cast(value, number):
    assert to_int(value) == number


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("276", 276),
        ("0276", None),
        ("27.5", None),
        (27.5, None),
        (27.0, 27),
        ("DE", None),
        ("+3", 3),
        (0, 0),
        (True, 1),
        ([1], None),
    ],
)
def test_filter_validate_int(value, number):
    assert whole_number(value) == number


def test_numeric_texts():
    assert all(map(is_numeric, ("1", " 1 ", "-1.5", ".5", "1.", "1e9", "+1")))
    assert not any(map(is_numeric, ("", " ", "1a", "0x1", "1 2", ".", "e5")))


def test_leading_number_as_mysql_reads_it():
    assert [leading_number(x) for x in ("12.5abc", "abc", "", None, "-3", ".5", "1e2x", 7)] == [
        12.5,
        0,
        0,
        0,
        -3,
        0.5,
        100,
        7,
    ]


def test_truth_of_zero_texts():
    assert not any(map(truth, ("", "0", 0, None, [], False)))
    assert all(map(truth, ("false", "00", 1, [0], "no")))


def test_boolean_filter():
    assert all(map(filter_boolean, ("yes", "on", "1", "TRUE", True, 1)))
    assert not any(map(filter_boolean, ("no", "maybe", "", 0, None)))


def test_input_is_trimmed_and_emptied_at_any_depth():
    assert cleaned({"a": " \u200bx\u00a0 ", "b": ["  ", {"c": ""}], "d": 0}) == {
        "a": "x",
        "b": [None, {"c": None}],
        "d": 0,
    }

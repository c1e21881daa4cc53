"""How results look: nothing is rounded, nothing foreign steers a terminal, JSON is JSON, tables fit."""

from __future__ import annotations

import io
import json
import math
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.show.show import amount, cell, harmless, plain, progress_bar, say, show_json, show_records, show_table

MONEY = st.decimals(min_value=-(10**14), max_value=10**14, allow_nan=False, allow_infinity=False)
MOMENTS = st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 28), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants its limits so
KEYS = st.text(max_size=5) | st.integers() | st.decimals(allow_nan=False) | st.dates()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text() | st.binary() | MOMENTS
    | st.dates() | st.timedeltas() | st.datetimes() | st.uuids(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=8,
)  # fmt: skip


class Terminal(io.StringIO):
    """A stream on which somebody watches."""

    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def lines(monkeypatch, capsys):
    """Show something in a terminal of a width; the lines that are seen there, without the blanks at their ends."""

    def run(show, *args, width=80, **more):
        screen = Terminal()
        monkeypatch.setattr("sys.stdout", screen)
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("LINES", "25")  # without it, rich takes a dumb terminal for 80 columns wide
        monkeypatch.setenv("TERM", "dumb")
        show(*args, **more)
        return [line.rstrip() for line in screen.getvalue().splitlines()]

    return run


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1234.5"), "1,234.50"),
        (Decimal("0.000001"), "0.000001"),
        (Decimal("-12345678.100001"), "-12,345,678.100001"),
        (Decimal("5.000000"), "5.00"),
        (Decimal("1E+3"), "1,000.00"),
        (Decimal("NaN"), "NaN"),
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (12345, "12,345"),
        (0.1, "0.1"),
        (b"\xaa\x00", "aa00"),
        ("0012", "0012"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=timezone(timedelta(hours=2))), "2026-01-02 01:04:05"),
        (datetime(2026, 1, 2, 3, 4, 5), "2026-01-02 03:04:05"),  # noqa: DTZ001 - a time without a zone stays as it is
        ([Decimal("1.50"), None, "ä"], '["1.50", null, "ä"]'),
        ({"a": 1}, '{"a": 1}'),
    ],
)
def test_a_value_as_people_read_it(value, text):
    assert cell(value) == text


@given(MONEY)
def test_an_amount_is_never_rounded_and_has_at_least_two_decimals(value):
    text = amount(value)
    assert Decimal(text.replace(",", "")) == value
    assert len(text.partition(".")[2]) >= 2


@given(st.text(st.characters(), max_size=30))
def test_no_control_escape_or_direction_character_is_left(text):
    assert all(c == "\n" or unicodedata.category(c)[0] not in "CZ" or c == " " for c in harmless(text))


@given(st.text(st.characters(categories=["L", "M", "N", "P", "S"]), max_size=30))
def test_what_is_printable_is_left_as_it_is(text):
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("a\u202eb", "a\\u202eb"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("\U000e0041", "\\U000e0041"),
        ("Crédit\u00a0Lyonnais\u202fSA", "Crédit Lyonnais SA"),
    ],
)
def test_a_character_that_is_not_shown_is_told_without_doubt(text, shown):
    assert harmless(text) == shown


@given(VALUES)
def test_every_value_has_a_json_form(value):
    text = json.dumps(plain(value), allow_nan=False)
    assert json.loads(text) == plain(value)


def test_json_holds_money_as_exact_text_times_as_iso_8601_and_no_word_that_json_does_not_know(capsys):
    zone = timezone(timedelta(hours=2))
    values = {
        "money": Decimal("0.100000"), "time": datetime(2026, 1, 2, 3, tzinfo=zone), "day": date(2026, 1, 2),
        "bytes": b"\xff", "none": None, "nan": math.nan, "infinite": [-math.inf, Decimal("Infinity")], 7: "ä",
    }  # fmt: skip
    show_json(values)
    out = capsys.readouterr().out
    assert json.loads(out, parse_constant=pytest.fail) == {
        "money": "0.100000", "time": "2026-01-02T01:00:00+00:00", "day": "2026-01-02", "bytes": "ff", "none": None,
        "nan": None, "infinite": [None, None], "7": "ä",
    }  # fmt: skip
    assert "ä" in out


def test_json_is_ascii_where_the_output_is_not_utf_8(monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), encoding="latin-1", errors="backslashreplace")
    monkeypatch.setattr("sys.stdout", out)
    show_json(["é", "→"])
    out.flush()
    assert json.loads(out.buffer.getvalue().decode("ascii")) == ["é", "→"]


@pytest.mark.parametrize("text", ["[bold]x[/bold]", "[/]", "a\\[b]", ":smile:", "[link=file:///x]y[/link]", "x\\"])
@pytest.mark.parametrize("show", [show_table, show_records])
def test_markup_in_a_name_is_shown_as_it_is(lines, show, text):
    seen = "\n".join(lines(show, text, [text], [[text]], note=text))
    assert seen.count(text) == 4


def test_numbers_stand_right_texts_left(lines):
    seen = lines(show_table, "T", ["name", "balance"], [["a", Decimal(1)], ["bcdefgh", Decimal("1000.5")]])
    assert [line for line in seen if "1" in line] == [" a            1.00", " bcdefgh  1,000.50"]


def test_rows_that_are_left_out_are_counted(lines):
    rows = [[n] for n in range(30)]
    assert "and 1 more; --json has all" in lines(show_table, "", ["n"], rows, most=29)
    assert "30 rows; and 20 more; --json has all" in lines(show_table, "", ["n"], rows, most=10, note="30 rows")
    assert "more" not in "".join(lines(show_table, "", ["n"], rows, most=30))


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_no_name_or_number_is_broken(lines, width):
    columns = ["currency", "number", "client", "paid_to_date", "country"]
    row = ["EUR", "0001", "Donaudampfschifffahrtsgesellschaft Wien mbH", Decimal("12345678.10"), "United Arab Emirates"]
    seen = lines(show_table, "Top debtors", columns, [row], width=width)
    assert max(map(len, seen)) <= width
    assert all(any(text in line for line in seen) for text in (*columns, "EUR", "0001", "12,345,678.10"))


def test_a_table_that_only_just_fits_cuts_no_number(lines):
    columns = ["number", "client", "country", "owed", "overpaid", "paid_to_date", "credit_balance"]
    row = ["0176", "Jones & Patel Marine Limited Surveyors", "United Kingdom", Decimal(3300), Decimal(0), Decimal(1319)]
    seen = "\n".join(lines(show_table, "", columns, [[*row, Decimal("983.07")]]))
    assert all(text in seen for text in ("3,300.00", "1,319.00", "983.07", "credit_balance"))


def test_rows_that_are_too_wide_for_a_table_are_shown_below_each_other(lines):
    columns = [f"a_long_name_{n}" for n in range(20)]
    seen = lines(show_table, "Things", columns, [[n * 1000 for n in range(20)]] * 25, note="25 rows")
    assert max(map(len, seen)) <= 80
    assert seen.count("  a_long_name_7   7,000") == 20
    assert [line for line in seen if line.startswith("Things")][:2] == ["Things 1.", "Things 2."]
    assert seen[-1] == "25 rows; and 5 more; --json has all"


def test_columns_stand_closer_together_before_a_table_is_given_up(lines):
    columns, row = ["client", "spare", *"abcdef"], ["0012 Northwind", "x" * 9, *[Decimal("123456.78")] * 6]
    seen = lines(show_table, "", columns, [row, row], spare=["spare"])
    assert max(map(len, seen)) <= 80
    assert [len(line.split("123,456.78")) for line in seen if "123,456.78" in line] == [7, 7]
    assert seen[-1] == "no room for spare: --json has all columns"
    assert lines(show_table, "", columns, [row, row], spare=["spare"], most=1)[-1] == (
        "no room for spare; and 1 more; --json has all"
    )


def test_a_table_without_rows_shows_its_columns(lines):
    assert any("name" in line for line in lines(show_table, "", ["name"], []))
    assert lines(show_records, "", ["name"], []) == []


def test_what_is_said_goes_to_standard_error(capsys):
    say("a\x1b[0m\nb")
    assert capsys.readouterr() == ("", "a\\x1b[0m\nb\n")


@pytest.mark.parametrize(("watched", "quiet"), [(False, False), (False, True), (True, True)])
def test_progress_is_silent_where_nobody_watches_and_for_machines(monkeypatch, watched, quiet):
    screen = Terminal() if watched else io.StringIO()
    monkeypatch.setattr("sys.stderr", screen)
    with progress_bar("main", quiet=quiet) as progress:
        progress("reading", 5, 10)
    assert screen.getvalue() == ""


def test_progress_tells_people_how_far_a_run_is(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar("[b]main", quiet=False) as progress:
        progress("reading", 1500, 3000)
        progress("reading", 3500, 3000)
    assert "[b]main: reading 3,500" in screen.getvalue()

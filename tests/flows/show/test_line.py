"""The line of amounts over time: a step for each amount, broken by gaps, with its title and its axes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET

from flows.show.line import HEIGHT, LEFT, RIGHT, WIDTH, Step, line_of

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


def step(first, last, value):
    return Step(BEGIN + timedelta(days=first), BEGIN + timedelta(days=last), Decimal(value))


def drawn(*steps, title="Balance"):
    root = ET.fromstring(line_of(steps, "EUR", title))  # noqa: S314 - our own text
    (path,) = [one for one in root.iter("path") if one.get("class") == "steps"]
    return root, path.get("d")


def test_each_step_is_as_long_as_it_held_and_as_high_as_its_amount():
    _, path = drawn(step(0, 10, "100"), step(10, 20, "0"), step(20, 40, "50"))
    numbers = [float(number) for number in re.findall(r"[0-9.]+", path)]
    width = WIDTH - LEFT - RIGHT
    assert numbers[::3] == [LEFT, LEFT + width / 4, LEFT + width / 2]
    assert numbers[2::3] == [LEFT + width / 4, LEFT + width / 2, WIDTH - RIGHT]
    top, bottom, half = numbers[1::3]
    assert top < half < bottom < HEIGHT
    assert abs((top + bottom) / 2 - half) < 0.1


def test_a_gap_breaks_the_line():
    assert drawn(step(0, 10, "1"), step(10, 20, "2"))[1].count("M") == 1
    assert drawn(step(0, 10, "1"), step(12, 20, "2"))[1].count("M") == 2


def test_the_axes_have_the_highest_and_lowest_amounts_zero_and_the_days():
    root, _ = drawn(step(0, 10, "1234.5"), step(10, 31, "-20"))
    texts = [text.text for text in root.iter("text")]
    assert texts == ["1,234.50 EUR", "0.00 EUR", "-20.00 EUR", "2024-01-01", "2024-02-01"]


def test_the_title_is_its_text_and_cannot_break_out():
    root, _ = drawn(step(0, 1, "0"), title="<script>&\"'")
    assert root.find("title").text == "<script>&\"'"
    assert root.get("role") == "img"


def test_without_steps_there_is_no_picture_and_one_moment_divides_by_nothing():
    assert line_of([], "EUR", "x") == ""
    assert drawn(step(0, 0, "5"))[1]

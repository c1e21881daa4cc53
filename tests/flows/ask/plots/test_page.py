"""The page around the panels: its formats, its words, and nothing that overlaps."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from rich.cells import cell_len

from flows.ask.plots.page import Page, Panel, check_picture, draw_page, figure_of, money, shortened, write_amounts
from schemas.errors import SettingsError

PAGE = Page("Title", "Us & Co", 6)
BEGINNINGS = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}


def panel(label="EUR", names=("Ann",)):
    def draw(axis):
        axis.barh(range(len(names)), range(len(names)))
        axis.set_yticks(range(len(names)), names)

    return Panel(label, f"{label}: 1.00 owed", "beneath", draw, names)


@pytest.mark.parametrize("suffix", BEGINNINGS)
def test_each_format_opens(tmp_path, suffix):
    file = tmp_path / f"p{suffix.upper()}"
    assert draw_page(PAGE, [panel(names=["北海道 電機", "شركة", "हिन्दी"])], [], file) == []
    content = file.read_bytes()
    assert content.startswith(BEGINNINGS[suffix])
    if suffix == ".svg":
        assert ElementTree.fromstring(content).tag.endswith("svg")  # noqa: S314 - our own
    assert content.rstrip().endswith((b"IEND\xaeB`\x82", b"%%EOF", b"</svg>"))


@pytest.mark.parametrize("name", ["p.gif", "p", "-"])
def test_other_formats_are_refused(tmp_path, name):
    with pytest.raises(SettingsError, match=r"\.png, \.svg, \.pdf"):
        check_picture(tmp_path / name)
    check_picture(None)


def test_panels_without_room_are_named(tmp_path):
    panels = [panel(f"C{n}") for n in range(9)]
    assert draw_page(PAGE, panels, ["A note."], tmp_path / "p.svg") == [
        "Not drawn: C6, C7, C8. Draw others with --currency CODE.",
        "A note.",
    ]


@pytest.mark.parametrize("bars", [0, 2, 20])
def test_a_page_is_no_higher_than_a4_is_wide(bars):
    panels = [replace(panel(f"C{n}"), bars=bars) for n in range(6)]
    assert figure_of(PAGE, panels, ["A long note. " * 12] * 5).get_figheight() <= 8.27
    assert figure_of(PAGE, panels[:1], []).get_figheight() >= 2


@pytest.mark.parametrize("lines", [1, 5])
@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_no_two_texts_of_the_page_overlap(count, lines):
    long = "A heading of many companies with long names, " * 5
    page = Page("Title", long, 6, lambda: [Patch(label="over 90 days")])
    panels = [
        replace(panel(f"C{n}", [f"Client {n} " + "x" * 25 for n in range(8)]), beneath="\n".join(["beneath"] * lines))
        for n in range(count)
    ]
    figure = figure_of(page, panels, [long])
    boxes = [text.get_window_extent() for text in figure.texts if text.get_text()]
    boxes += [text.get_window_extent() for text in figure.legends[0].get_texts()]
    boxes += [axis.get_window_extent() for axis in figure.axes if axis.get_visible()]
    boxes += [
        label.get_window_extent() for axis in figure.axes if axis.get_visible() for label in axis.get_yticklabels()
    ]
    page_box = figure.bbox
    for n, box in enumerate(boxes):
        assert page_box.x0 <= box.x0 < box.x1 <= page_box.x1
        assert page_box.y0 <= box.y0 < box.y1 <= page_box.y1
        assert not [other for other in boxes[n + 1 :] if box.shrunk(0.9, 0.9).overlaps(other.shrunk(0.9, 0.9))]


def test_amounts_have_the_decimals_of_their_currency_and_are_rounded():
    value = Decimal("1234.565001")
    assert [money(value, code) for code in ("EUR", "JPY", "KWD", None)] == [
        "1,234.57",
        "1,235",
        "1,234.565",
        "1,234.57",
    ]


@given(st.text(min_size=1), st.integers(2, 60))
def test_a_name_is_one_line_and_no_wider_than_its_room(text, room):
    name = shortened(text, room)
    assert cell_len(name) <= room
    assert "\n" not in name


@pytest.mark.parametrize(
    ("most", "expected"), [(9, "5"), (0.02, "0.01"), (9_000_000, "5,000,000"), (25e6, "10 million")]
)
def test_an_axis_of_amounts_has_no_powers_of_ten(most, expected):
    axis = Figure().subplots()
    axis.set_ylim(0, most)
    write_amounts(axis.yaxis, most)
    shown = axis.yaxis.get_major_formatter()(float(expected.replace(",", "").replace(" million", "e6")), 0)
    assert shown == expected

"""Pictures over time: a gap is drawn as a gap, a lone day as a point, and no source or currency is left out unsaid."""

from __future__ import annotations

import re
from datetime import date, timedelta
from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from flows.ask.history import History, Series, Span
from flows.ask.plots.history import draw_days, plot_history, ticks_of
from schemas.errors import SettingsError
from tests.flows.ask.test_history import days, history


def texts(file):
    """The texts of a picture: matplotlib writes each beside its outlines, as a comment, in which -- is not allowed."""
    return re.findall(r"<!-- (.*?) -->", file.read_text(encoding="utf-8").replace("- -", "--"), re.DOTALL)


def drawn(unknown, **more):
    found = history(unknown, **more)
    span, axis = found.spans["main"], Figure().subplots()
    draw_days(axis, found.series[0], span, (span.days[0], span.days[-1]))
    lines = [line for line in axis.lines if line.get_marker() == "None"]
    points = [line for line in axis.lines if line not in lines]
    return axis, *lines, points[0] if points else None


def amounts(line):
    return [None if isnan(y) else y for y in line.get_ydata()[:-1]]  # the last one is drawn as wide as the others


def test_a_line_ends_where_a_gap_begins_and_the_gap_is_shaded():
    axis, owed, overpaid, points = drawn([2, 3])
    assert amounts(owed) == [10, 10, None, None, 20, 20]
    assert amounts(overpaid) == [0, 0, None, None, 5, 5]
    assert (owed.get_drawstyle(), points) == ("steps-post", None)
    (band,) = axis.patches
    assert [band.get_x(), band.get_x() + band.get_width()] == [axis.convert_xunits(day) for day in days(2, 4)]


def test_a_known_day_between_two_gaps_is_a_point():
    _, owed, _, points = drawn([1, 3, 4])
    assert amounts(owed) == [10, None, 10, None, None, 20]
    assert [moment.date() for moment in points.get_xdata()] == days(0, 2, 5)
    assert (points.get_marker(), points.get_linestyle()) == ("o", "None")


def test_one_day_is_a_point_with_its_date():
    axis, _, _, points = drawn([], span=1)
    assert [moment.date() for moment in points.get_xdata()] == days(0)
    assert [label.get_text() for label in axis.get_xticklabels()] == ["30 Jan"]


@pytest.mark.parametrize(
    ("first", "last", "labels"),
    [
        ("2026-08-30", "2026-09-02", "30 Aug, 31 Aug, 1 Sep, 2 Sep"),
        ("2026-08-01", "2026-08-31", "1 Aug, 8 Aug, 15 Aug, 22 Aug"),
        ("2026-08-05", "2026-09-03", "8 Aug, 15 Aug, 22 Aug, 1 Sep"),
        ("2026-10-01", "2026-12-20", "1 Oct, 15 Oct, 1 Nov, 15 Nov, 1 Dec, 15 Dec"),
        ("2025-11-20", "2026-04-10", "Dec 2025, Jan 2026, Feb 2026, Mar 2026, Apr 2026"),
        ("2025-01-01", "2025-12-31", "Jan 2025, Mar 2025, May 2025, Jul 2025, Sep 2025, Nov 2025"),
        ("2023-05-01", "2026-01-31", "Jul 2023, Jan 2024, Jul 2024, Jan 2025, Jul 2025, Jan 2026"),
        ("2019-06-01", "2026-08-31", "2020, 2021, 2022, 2023, 2024, 2025, 2026"),
    ],
)
def test_each_label_names_its_own_day_month_or_year(first, last, labels):
    assert ", ".join(text for _, text in ticks_of(date.fromisoformat(first), date.fromisoformat(last))) == labels


@given(st.dates(date(1990, 1, 1), date(2060, 1, 1)), st.integers(0, 12_000))
def test_an_axis_of_any_length_has_some_labels_in_order_and_not_too_many(first, days):
    ticks = ticks_of(first, first + timedelta(days=days))
    assert (1 if days < 25 else 2) <= len(ticks) <= 8
    assert ticks == sorted(ticks)
    assert len({text for _, text in ticks}) == len(ticks)


def test_it_says_company_days_last_sums_and_gaps(tmp_path):
    notes = plot_history(history([5]), tmp_path / "h.svg")
    said = texts(tmp_path / "h.svg")
    assert "Us, 2026-01-30 to 2026-02-04" in said
    assert "EUR: 20.00 owed, 5.00 overpaid on 2026-02-03" in said
    assert {"owed", "overpaid", "not known"} <= set(said)
    assert notes == ["Not known: 2026-02-04; no pull ran then.", "Deleted clients are left out."]
    assert set(notes) <= set(said)
    plot_history(history(), tmp_path / "whole.svg")
    assert "not known" not in texts(tmp_path / "whole.svg")


def test_each_source_has_panels_before_any_has_many_and_the_rest_is_named(tmp_path):
    spans = {name: Span(name, days(0, 1), {}) for name in ("one", "two")}
    sums = history().series[0].sums
    currencies = ("EUR", "USD", "GBP", "CHF", "PLN")
    series = [Series(name, code, days(0, 1), sums) for name in spans for code in currencies]
    notes = plot_history(History("One and Two", spans, series, copied=False), tmp_path / "h.svg")
    assert "Not drawn: CHF (one), CHF (two), PLN (one), PLN (two). " in notes[0]
    assert len([line for line in texts(tmp_path / "h.svg") if "(two):" in line]) == 3


def test_a_currency_in_which_nothing_was_owed_is_named(tmp_path):
    found = history()
    nothing = Series("main", "AED", days(0), history(sums=[(0, 0, 0)]).series[0].sums)
    both = History("Us", found.spans, [*found.series, nothing], copied=True)
    notes = plot_history(both, tmp_path / "h.png")
    assert notes[0] == "Nothing was owed or overpaid in AED."
    assert "published copy" in notes[1]


@pytest.mark.parametrize("found", [history(range(6)), history(sums=[(0, 0, 0)]), History("Us", {}, [], copied=False)])
def test_nothing_to_draw_is_refused(tmp_path, found):
    with pytest.raises(SettingsError, match="nothing to draw"):
        plot_history(found, tmp_path / "h.png")

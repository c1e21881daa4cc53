"""Pictures of ageing: the bars are the sums of the table, overpaid amounts stand apart, and the rest is named."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from flows.ask.aging import BUCKETS, COLUMNS
from flows.ask.ask import Result
from flows.ask.plots.aging import COLOURS, _draw_ages, _draw_names, plot_aging
from flows.ask.plots.page import MOST_BARS
from schemas.errors import SettingsError

DAY = date(2026, 12, 31)
COUNTS = ("clients", "debtors", "creditors")
BESIDE = {"client": ("number", "client", "country"), "country": ("country", *COUNTS), "currency": COUNTS}


def row(by, name, basis="due", *, owed=10, overpaid=0, currency="EUR", source="main"):
    """A row of the table: `owed` spread over the ages, 1 in each but the first."""
    buckets = BUCKETS[basis]
    ages = (
        [Decimal(owed) - (len(buckets) - 1), *[Decimal(1)] * (len(buckets) - 1)]
        if owed
        else [Decimal(0)] * len(buckets)
    )
    values = dict(zip(buckets, ages, strict=True)) | {"owed": Decimal(owed), "overpaid": Decimal(overpaid)}
    names = {"source": source, "day": DAY, "currency": currency, by: name, "number": "1"}
    names |= {"clients": 3, "debtors": 2 if owed else 0, "creditors": 1 if overpaid else 0}
    return {"country": "", **dict.fromkeys(COLUMNS[basis], Decimal(0)), **names, **values}


def tables(by, rows, sums, basis="due", left_out=()):
    def result(kind, records):
        columns = ("source", "day", "currency", *BESIDE[kind], *COLUMNS[basis])
        return Result(columns, [[record[name] for name in columns] for record in records])

    deleted = ("source", "currency", "invoices", "owed", "overpaid", "net")
    return {
        "by_currency": result("currency", sums), f"by_{by}": result(by, rows), "left_out": Result(deleted, left_out),
    }  # fmt: skip


def texts(file):
    """The texts of a picture: matplotlib writes each beside its outlines, as a comment, in which -- is not allowed."""
    return re.findall(r"<!-- (.*?) -->", file.read_text(encoding="utf-8").replace("- -", "--"), re.DOTALL)


@pytest.mark.parametrize(("by", "basis"), [("client", "due"), ("country", "invoice")])
def test_it_says_company_day_sums_names_and_ages(tmp_path, by, basis):
    rows = [row(by, f"Name {n}", basis, owed=100 - n, overpaid=n % 2) for n in range(24)]
    sums = [row("clients", 24, basis, owed=2124, overpaid=12)]
    deleted = [["main", "EUR", 2, Decimal(5), Decimal(0), Decimal(5)]]
    notes = plot_aging(
        tables(by, rows, sums, basis, deleted), tmp_path / "a.svg", "Us, as of now", by=by, basis=basis, top=90
    )
    said = texts(tmp_path / "a.svg")
    what = "days overdue" if basis == "due" else "days since the invoice"
    assert {f"Owed by {what}, by {by}", "Us, as of now", "EUR: 2,124.00 owed, 12.00 overpaid"} <= set(said)
    assert {"100.00", "99.00", "over 90 days"} <= set(said)
    most = MOST_BARS[1]
    assert [f"Name {n}" in said for n in range(24)] == [True] * most + [False] * (24 - most)
    counts = next(line for line in said if line.startswith("2 clients owe, 1 overpaid; "))
    assert counts.endswith(f"; {most} of {'24 clients' if by == 'client' else '24 countries'} drawn")
    assert {"most overpaid: Name 1 1.00", "deleted clients, left out: 5.00 owed"} <= set(said)
    assert notes == []


def test_no_more_bars_are_drawn_than_were_asked_for(tmp_path):
    rows = [row("client", f"Name {n}", owed=100 - n) for n in range(5)]
    plot_aging(tables("client", rows, [row("clients", 5, owed=490)]), tmp_path / "a.svg", "Us", top=2)
    said = texts(tmp_path / "a.svg")
    assert [f"Name {n}" in said for n in range(5)] == [True, True, False, False, False]
    assert any(line.endswith("; 2 of 5 clients drawn") for line in said)


def test_a_currency_has_a_bar_for_each_age():
    axis = Figure().subplots()
    _draw_ages(axis, row("clients", 1, owed=40, overpaid=7), "due")
    assert [bar.get_width() for bar in axis.patches] == [36, 1, 1, 1, 1]


def test_the_stacked_bars_of_a_client_add_up_to_what_it_owes_and_overpaid_takes_no_room():
    axis = Figure().subplots()
    records = [row("client", "Ann", owed=30), row("client", "Bob", owed=9, overpaid=5000)]
    _draw_names(axis, ["Ann", "Bob"], records, "due")
    for place, owed in ((0, 30), (1, 9)):
        assert (
            sum(bar.get_width() for bar in axis.patches if round(bar.get_y() + bar.get_height() / 2) == place) == owed
        )
    low, high = axis.get_xlim()
    assert low == 0
    assert 30 < high < 60


def test_by_currency_nine_panels_are_drawn_and_the_rest_is_named(tmp_path):
    codes = [f"X{n:02d}" for n in range(12)]
    sums = [row("clients", 1, currency=code, owed=100 - n) for n, code in enumerate(codes)]
    sums.append(row("clients", 1, currency="AED", owed=0))
    sums.append(row("clients", 1, currency="INR", owed=0, overpaid=8))
    deleted = [["main", "SEK", 1, Decimal(5), Decimal(0), Decimal(5)]]
    notes = plot_aging(tables("currency", sums, sums, left_out=deleted), tmp_path / "a.svg", "Us", by="currency")
    assert notes == [
        "Not drawn: X09, X10, X11. Draw others with --currency CODE.",
        "Nobody owes anything in AED, INR (8.00 overpaid).",
        "Only deleted clients, left out, have open invoices in SEK.",
    ]
    assert set(notes) <= set(texts(tmp_path / "a.svg"))


def test_a_client_without_a_name_and_a_currency_without_a_code_are_drawn(tmp_path):
    rows = [row("client", None, owed=9, overpaid=8, currency=None)]
    assert plot_aging(tables("client", rows, rows), tmp_path / "a.svg", "Us") == []
    assert {"no currency: 9.00 owed, 8.00 overpaid", "(no name)", "most overpaid: (no name) 8.00"} <= set(
        texts(tmp_path / "a.svg")
    )


def test_nothing_to_draw_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="nothing to draw"):
        plot_aging(tables("client", [], []), tmp_path / "a.png", "Us")
    rows = [row("client", "Ann", owed=0, overpaid=8)]
    with pytest.raises(SettingsError, match="no client owes"):
        plot_aging(tables("client", rows, rows), tmp_path / "a.png", "Us")


def test_each_colour_is_darker_than_the_one_before_in_grey_print():
    greys = [0.299 * red + 0.587 * green + 0.114 * blue for red, green, blue in map(to_rgb, COLOURS)]
    assert all(before - after > 0.08 for before, after in pairwise(greys))


def test_the_command_writes_the_picture_beside_the_table(command, tmp_path):
    command("pull", environ={"NINJA_SYNC_ENTITIES": ""})
    code, _, err = command("aging", "--by", "country", "--plot", "a.svg", environ={"NINJA_SYNC_ENTITIES": ""})
    assert (code, "The picture is in a.svg." in err) == (0, True)
    assert "Owed by days overdue, by country" in texts(tmp_path / "a.svg")
    assert any(re.search(r", as of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$", line) for line in texts(tmp_path / "a.svg"))
    day = str(datetime.now(UTC).date())
    assert command("aging", "--at", day, "--plot", "then.svg", environ={"NINJA_SYNC_ENTITIES": ""})[0] == 0
    assert any(line.endswith(f", at the end of {day}") for line in texts(tmp_path / "then.svg"))
    code, _, err = command("aging", "--plot", "a.gif")
    assert (code, ".png, .svg, .pdf" in err) == (2, True)

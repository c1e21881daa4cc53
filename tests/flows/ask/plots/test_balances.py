"""Pictures of balances: whose and of when, what they leave out, readable, in any script."""

from __future__ import annotations

import re
import struct
from decimal import Decimal

import msgspec
import pytest

from flows.ask.ask import Result
from flows.ask.balances import read_balances, read_heading
from flows.ask.plots.balances import plot_balances
from flows.ask.plots.fonts import families_for, warning_of
from flows.ask.plots.page import MOST_BARS
from schemas.errors import SettingsError

DEBTOR = ("source", "currency", "place", "number", "client", "country", "balance", "paid_to_date")
SUMS = ("source", "currency", "clients", "debtors", "owed", "creditors", "overpaid", "net")
CODES = ("EUR", "USD", "GBP", "CHF", "JPY", "PLN", "SEK", "INR")
SCRIPTS = {
    "Japanese": "北海道 電機 合同会社 ｶﾅ 髙﨑",
    "Chinese": "上海贸易有限公司 繁體",
    "Korean": "한국 상사",
    "Arabic": "شركة النور للتجارة",
    "Hebrew": "מזרחי & כהן",
    "Hindi": "हिन्दी व्यापार",
    "Tamil": "தமிழ்",
    "Thai": "ไทย ค้าขาย",
    "Greek": "Εμπορική",
    "Cyrillic": "Київ",
    "Armenian": "Հայաստան",
    "Georgian": "საქართველო",
    "Amharic": "አዲስ ንግድ",
    "emoji": "🚀",
}


def found(currencies, *, names=("Ann",), source="main", nobody=()):
    """Balances in which each currency has debtors of these names, and 7 overpaid by two."""
    debtors = [
        (source, code, place, str(place), name, "", Decimal(100 - place), Decimal(0))
        for code in currencies
        for place, name in enumerate(names, 1)
    ]
    sums = [
        (source, code, 9, len(names), Decimal(1000 - n), 2, Decimal(7), Decimal(993 - n))
        for n, code in enumerate(currencies)
    ]
    sums += [(source, code, 1, 0, Decimal(0), 0, Decimal(0), Decimal(0)) for code in nobody]
    return {"top_debtors": Result(DEBTOR, debtors), "by_currency": Result(SUMS, sums)}


def texts(file):
    """The texts of a picture: matplotlib writes each beside its outlines, as a comment, in which -- is not allowed."""
    return re.findall(r"<!-- (.*?) -->", file.read_text(encoding="utf-8").replace("- -", "--"), re.DOTALL)


def size(file):
    return struct.unpack(">II", file.read_bytes()[16:24])


@pytest.mark.parametrize("currencies", [CODES[:1], CODES[:2], CODES[:3], CODES], ids=len)
def test_a_picture_fits_a_page_of_a4(tmp_path, currencies):
    plot_balances(found(currencies, names=[f"Client {n}" for n in range(50)]), tmp_path / "b.png", "Us")
    width, height = size(tmp_path / "b.png")
    assert width / 150 == pytest.approx(11.69, abs=0.01)
    assert height / 150 <= 8.27


def test_it_says_whose_balances_of_when_and_what_is_left_out(tmp_path):
    notes = plot_balances(found(CODES, nobody=["AED"]), tmp_path / "b.svg", "Us & Co, as of 2026-12-31")
    said = texts(tmp_path / "b.svg")
    assert {"Who owes most, by currency", "Us &amp; Co, as of 2026-12-31"} <= set(said)
    assert "Not drawn: SEK, INR." in notes[0]
    assert "Nobody owes anything in AED." in notes
    only_overpaid = found(["EUR"])
    only_overpaid["by_currency"].rows.append(("main", "INR", 1, 0, Decimal(0), 1, Decimal(8), Decimal(-8)))
    assert plot_balances(only_overpaid, tmp_path / "o.png", "Us") == ["Nobody owes anything in INR (8.00 overpaid)."]
    assert set(notes) <= set(said)
    assert {"EUR: 1,000.00 owed, 7.00 overpaid", "JPY: 996 owed, 7 overpaid"} <= set(said)
    assert said.count("1 client owes, 2 overpaid") == 6
    assert not [line for line in said if line.startswith("SEK:")]


def countries(currencies, names):
    columns = ("source", "country", "currency", "clients", "debtors", "owed", "creditors", "overpaid", "net")
    rows = [
        ("main", name, code, 1, 1, Decimal(100 - n), 0, Decimal(0), Decimal(0))
        for code in currencies
        for n, name in enumerate(names)
    ]
    return {"by_country": Result(columns, rows)}


def test_by_country_the_bars_are_countries(tmp_path):
    both = found(["EUR", "USD"], names=["Ann"]) | countries(["EUR", "USD"], ["Peru", None, "Chad"])
    plot_balances(both, tmp_path / "b.svg", "Us", by="country", top=2)
    said = texts(tmp_path / "b.svg")
    assert "Owed by country, in each currency" in said
    assert [said.count(name) for name in ("Peru", "(no country)", "Chad", "Ann")] == [2, 2, 0, 0]
    assert "1 client owes, 2 overpaid; 2 of 3 countries drawn" in said


def test_by_currency_there_are_two_bars_for_each(tmp_path):
    notes = plot_balances(found([*CODES, "AED", "ILS"], nobody=["THB"]), tmp_path / "b.svg", "Us", by="currency")
    said = texts(tmp_path / "b.svg")
    assert {"EUR: 993.00 net", "AED: 985.00 net", "1,000.00", "7.00"} <= set(said)
    assert [said.count(name) for name in ("owed", "overpaid", "Ann")] == [9, 9, 0]
    assert notes[0].startswith("Not drawn: ILS.")
    assert notes[1] == "Nobody owes anything in THB."


@pytest.mark.parametrize(("top", "drawn"), [(3, 3), (50, MOST_BARS[1])])
def test_as_many_debtors_are_drawn_as_were_asked_for_or_as_there_is_room_for(tmp_path, top, drawn):
    plot_balances(found(["EUR"], names=[f"Client {n}" for n in range(50)]), tmp_path / "b.svg", "Us", top=top)
    said = texts(tmp_path / "b.svg")
    assert len([line for line in said if line.startswith("Client ")]) == drawn
    assert f"50 clients owe, 2 overpaid; {drawn} of 50 clients drawn" in said


def test_two_companies_share_no_panel(tmp_path):
    one, other = found(["EUR"], source="one"), found(["EUR"], source="other", names=["Bob"])
    both = {name: Result(one[name].columns, [*one[name].rows, *other[name].rows]) for name in one}
    assert plot_balances(both, tmp_path / "b.svg", "One and Other") == []
    said = texts(tmp_path / "b.svg")
    assert [line.split(":")[0] for line in said if " owed, " in line] == ["EUR (one)", "EUR (other)"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_that_is_likely_has_a_font(script):
    assert families_for(SCRIPTS[script])[1] == ""


def test_names_in_all_scripts_are_drawn_without_a_box(tmp_path):  # matplotlib's warning of one would be an error
    assert plot_balances(found(["EUR"], names=list(SCRIPTS.values())[: MOST_BARS[1]]), tmp_path / "b.png", "東京") == []
    assert plot_balances(found(["EUR"], names=list(SCRIPTS.values())[4:]), tmp_path / "b.svg", "東京") == []


def test_a_character_that_no_font_has_is_named(tmp_path):
    (note,) = plot_balances(found(["EUR"], names=["𓀀 Ltd"]), tmp_path / "b.png", "Us")
    assert note == warning_of("𓀀")
    assert "𓀀 (egyptian hieroglyph a001)" in note
    assert "ninja-sync[plot]" in note


def test_formulas_and_control_characters_are_text(tmp_path):
    plot_balances(found(["EUR"], names=["$x_1$\n\x1b[31mred", "a" * 60]), tmp_path / "b.svg", r"$\frac{")
    said = texts(tmp_path / "b.svg")
    assert any("x_1" in line and "red" in line for line in said)
    assert "a" * 39 + "…" in said


def test_nothing_to_draw_and_other_formats_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="no client owes"):
        plot_balances(found([], nobody=["EUR"]), tmp_path / "b.png", "Us")
    with pytest.raises(SettingsError, match=r"not 'b\.gif'"):
        plot_balances(found(["EUR"]), tmp_path / "b.gif", "Us")


def test_the_heading_names_company_and_moment(settings, pulls, query):
    pulled = pulls()
    ((name,),) = query("select name from mart.companies")
    plain = msgspec.structs.replace(settings, publish=False)
    assert read_heading(plain, None) == f"{name}, as of {pulled.run.finished_at:%Y-%m-%d %H:%M:%S} UTC"
    began = pulled.run.began_at
    assert read_heading(plain, "main", at=began) == f"{name}, as of {began:%Y-%m-%d %H:%M:%S} UTC"
    assert read_balances(plain, None, top=3)["top_debtors"].rows


def test_the_command_tells_where_it_is_and_what_is_left_out(command, tmp_path):
    command("pull")
    assert command("balances", "--by", "country", "--plot", "by.svg")[0] == 0
    assert "Owed by country, in each currency" in texts(tmp_path / "by.svg")
    code, _, err = command("balances", "--plot", "b.svg")
    assert (code, "The picture is in b.svg. Not drawn: " in err) == (0, True)
    assert any("as of 20" in line for line in texts(tmp_path / "b.svg"))

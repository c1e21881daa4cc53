"""A search finds names as people type them, by the same expression in Python and on both engines."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.ask.letters import MOST, pattern_of
from warehouse.opened.open import open_place

FOUND = [
    ("müller", "MÜLLER GmbH"), ("muller", "Müller"), ("Mueller", "Müller"), ("Müller", "Mueller"),
    ("STRASSE", "Straße"),
    ("straße", "Strasse 5"), ("straße", "STRASSE"), ("societe", "Société Générale"), ("lodz", "Łódź"),
    ("oresund", "Øresund"),
    ("istanbul", "İSTANBUL"), ("ISPARTA", "ısparta"), ("a.b*c", "xA.B*Cx"), ("жук", "ЖУК"), ("東京", "株式会社東京"),
    ("anna  meier", "Anna\tMeier"), ("(ltd)", "Evil (Ltd)"), ("[x]", "[X]"), ("a\\b", "A\\B"), ("100%_", "100%_"),
]  # fmt: skip
OTHERS = [("müller", "Möller"), ("a.b", "axb"), ("0012", "12"), ("anna meier", "AnnaMeier"), ("%", "x"), ("_", "x")]


@pytest.mark.parametrize(("text", "name"), FOUND)
def test_a_name_is_found_in_any_case_with_or_without_accents(text, name):
    assert re.search(pattern_of(text), name)


@pytest.mark.parametrize(("text", "name"), OTHERS)
def test_another_name_is_not_found(text, name):
    assert not re.search(pattern_of(text), name)


def test_both_engines_find_the_same_names(place):
    with open_place(place, read_only=True) as warehouse:
        for expected, pairs in ((True, FOUND), (False, OTHERS)):
            for text, name in pairs:
                params = {"name": name, "pattern": pattern_of(text)}
                rows = warehouse.rows("select cast($name as varchar) ~ cast($pattern as varchar)", params)
                assert rows == [(expected,)], (text, name)


@given(st.text(min_size=1, max_size=30).filter(lambda text: text.strip() and "\x00" not in text))
def test_every_text_finds_itself(text):
    pattern = pattern_of(text)
    assert re.search(pattern, " ".join(text.split()))


def test_a_search_is_no_longer_than_the_most_characters():
    assert re.fullmatch(pattern_of("x" * 10_000), "x" * MOST)
    assert pattern_of("\x00 \n") == ""

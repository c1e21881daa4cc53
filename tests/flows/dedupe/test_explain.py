"""The reasons of a pair say what was compared and how it came out, and hold no value of a client."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.dedupe.comparable import comparable
from flows.dedupe.explain import keys_of, reasons
from flows.dedupe.levels import COMPARISONS
from flows.dedupe.pairs import levels_of, prepared
from tests.bench.dedupe_numbers import vat_number_of
from tests.flows.dedupe.drawn import Client, pair

Told = tuple[list[str], list[str]]
CASES: list[tuple[Client, Client, list[str], list[str]]] = [
    ({"name": "Stern Optik"}, {"name": "Stern Optik"}, ["same name"], []),
    ({"name": "Stern Optik"}, {"name": "Sternn Optik"}, ["names alike"], []),
    ({"name": "Stern Optik"}, {"name": "Stern Optik Wien"}, ["one name holds the other"], []),
    ({"name": "Stern Optik GmbH"}, {"name": "Stern Optik AG"}, ["same name"], ["different legal form"]),
    ({"name": "Mond Bau"}, {"name": "Stern Optik"}, [], ["different names"]),
    ({"name": "WEG Weg 53"}, {"name": "WEG Weg 55"}, ["same name"], ["different numbers in the names"]),
    ({"name": "Solarpark Ost 2"}, {"name": "Solarpark Ost"}, ["same name"], ["a number in one name only"]),
    ({"name": "Peter Huber"}, {"name": "Maria Huber"}, ["names share a word"],
     ["different first names", "different persons"]),
    ({"persons": ["Maria Maier"]}, {"name": "Stern Optik"}, [], []),
    ({"persons": ["Maria Maier"]}, {"name": "Maria Maier"}, ["same name"], []),
    ({"persons": ["Maria Maier"]}, {"name": "Stern Optik", "persons": ["Ute Lang"]}, [], ["different persons"]),
    ({"address": "Elm Street 1"}, {"address": "1 Elm St"}, ["same street and house"], []),
    ({"address": "212 S. Francisco"}, {"address": "212 S Francisco Avenue"}, ["similar street, same house"], []),
    ({"address": "Elm Street 1"}, {"address": "Elm Street 2"}, [], ["same street, another house"]),
    ({"address": "Elm Street 1"}, {"address": "Ringweg 1"}, [], ["different street"]),
    ({"address": "Elm Street 1"}, {"address": "Elm Street"}, ["same street"], []),
    ({"address": "Elm Street 1"}, {}, [], []),
    ({"city": "Wien"}, {"city": "WIEN"}, ["same city"], []),
    ({"city": "Wien"}, {"city": "Wiener Neustadt"}, [], ["different place"]),
    ({"city": "Frankfurt"}, {"city": "Frankfurt am Main"}, ["same city"], []),
    ({"city": "Graz", "postal_code": "1010"}, {"city": "Wien", "postal_code": "1010"}, ["same postal code"], []),
    ({"city": "Wien", "postal_code": "1010"}, {"city": "Wien", "postal_code": "1090"}, ["same city"], []),
    ({"city": "Wien", "postal_code": "1010"}, {"city": "Wien", "postal_code": "2345"}, [],
     ["different postal code"]),
    ({"postal_code": "1010"}, {"postal_code": "1011"}, [], ["different place"]),
    ({"emails": ["a@firma.de"]}, {"emails": ["A@firma.de"]}, ["same e-mail address"], []),
    ({"emails": ["a@firma.de"]}, {"emails": ["b@firma.de"]}, ["same domain"], []),
    ({"emails": ["a@gmx.de"]}, {"emails": ["b@gmx.de"]}, [], ["different e-mail address"]),
    ({"website": "firma.de"}, {"website": "andere.de"}, [], ["different domain"]),
    ({"phones": ["0664 2345678"]}, {"phones": ["+49 664 2345678"]}, ["same phone"], []),
    ({"phones": ["0664 2345678"]}, {"phones": ["0664 7777771"]}, [], ["different phone"]),
    ({"id_number": "HRB 40123"}, {"id_number": "HRB40123"}, ["same ID number"], []),
    ({"id_number": "HRB 40123"}, {"id_number": "HRB 40124"}, [], ["ID numbers differ by a digit"]),
    ({"id_number": "HRB 40123"}, {"id_number": "HRB 77712"}, [], ["different ID number"]),
]  # fmt: skip
"""Two clients, and the reasons for and against them being one."""


def ranks_of(pairs: Sequence[tuple[Client, Client]]) -> list[dict[str, int]]:
    """The rank of each level that each pair reaches; all are compared in one run."""
    clients = [
        comparable(id=f"{at:03}{side}", **{"name": None, **row})
        for at, both in enumerate(pairs)
        for side, row in zip("ab", both, strict=True)
    ]
    with prepared(clients) as connection:
        rows = {(row["id_l"], row["id_r"]): row for part in levels_of(connection) for row in part.to_pylist()}
    found = [rows[f"{at:03}a", f"{at:03}b"] for at in range(len(pairs))]
    return [{comparison.name: row[comparison.name] for comparison in COMPARISONS} for row in found]


@pytest.fixture(scope="module")
def told() -> list[tuple[Told, Told]]:
    """The reasons of each case, and those of its clients in the other order. Each pair shares a VAT number."""
    chance = Random(1)  # noqa: S311 - invented numbers
    pairs = []
    for one, other, _, _ in CASES:
        for two in ((one, other), (other, one)):
            same = {"vat_number": vat_number_of(chance, "DE"), "country": "DE"}
            pairs.append(({**same, **two[0]}, {**same, **two[1]}))
    found = [reasons(ranks) for ranks in ranks_of(pairs)]
    return list(zip(found[::2], found[1::2], strict=True))


@pytest.mark.parametrize("case", range(len(CASES)))
def test_each_reason_says_what_it_is(case: int, told: list[tuple[Told, Told]]) -> None:
    (speaking_for, against), turned = told[case]
    assert ([text for text in speaking_for if "VAT" not in text], against) == CASES[case][2:]
    assert "same VAT number" in speaking_for
    assert (speaking_for, against) == turned


def test_the_check_digits_of_two_vat_numbers_tell_a_slip_from_another_number() -> None:
    wanted = {
        ("DE136695976", "DE129273398"): "different VAT number",
        ("DE136695976", "DE136695977"): "VAT numbers differ by a digit",
        ("DE136695976", "DE998"): "different VAT number",
    }
    pairs = [tuple({"emails": [f"a{at}@gmx.de"], "vat_number": n} for n in both) for at, both in enumerate(wanted)]
    for ranks, reason in zip(ranks_of(pairs), wanted.values(), strict=True):
        assert reason in reasons(ranks)[1]
        assert "vat_number" not in keys_of(ranks)


def test_the_keys_that_both_share_are_named() -> None:
    both = {
        "id_number": "HRB 40123", "emails": ["a@firma.de"], "phones": ["+49 664 2345678"], "vat_number": "DE136695976"
    }  # fmt: skip
    first, second, third = (
        {**both, "emails": []},
        {"name": "Stern", "vat_number": "DE129273398"},
        {"name": "Mond", "vat_number": "129273398"},
    )
    ranks = ranks_of([(both, first), (second, third)])
    assert keys_of(ranks[0]) == ["vat_number", "id_number", "phones"]
    assert keys_of(ranks[1]) == ["vat_number"]  # once without its country


def test_reasons_are_short_and_plain() -> None:
    texts = {level.reason for comparison in COMPARISONS for level in comparison.levels}
    assert all(re.fullmatch(r"[A-Za-z, -]{0,40}", text) for text in texts)


@settings(max_examples=3)
@given(st.integers(0, 2**32))
def test_reasons_hold_no_value_of_a_client(seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - drawn data, not cryptography
    pairs = []
    for at in range(60):
        one, other = pair(chance)
        pairs.append(
            ({**one, "emails": [f"shared{at}@firma{at}.de"]}, {**other, "emails": [f"shared{at}@firma{at}.de"]})
        )
    for both, ranks in zip(pairs, ranks_of(pairs), strict=True):
        texts = [text for told in reasons(ranks) for text in told]
        lists = (value if isinstance(value, list) else [value] for row in both for value in row.values() if value)
        assert not [
            value for own in lists for value in own if len(value) > 3 and any(value.lower() in text for text in texts)
        ]

"""The reasons of a pair say what was compared and how it came out, and hold no value of a client."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.dedupe.comparable import comparable
from flows.dedupe.explain import KEYS, keys_of, reasons
from flows.dedupe.levels import COMPARISONS
from flows.dedupe.pairs import levels_of, prepared
from tests.flows.dedupe.drawn import pair

SAME = {"vat_number": "DE136695976", "country": "DE"}
"""A value that two clients share, so that they are compared at all."""


def ranks(one: dict[str, Any], other: dict[str, Any]) -> dict[str, int]:
    """The rank of each level that two clients reach."""
    clients = [comparable(id=key, **{"name": None, **row}) for key, row in (("a", one), ("b", other))]
    with prepared(clients) as connection:
        (row,) = [row for part in levels_of(connection) for row in part.to_pylist()]
    return {comparison.name: row[comparison.name] for comparison in COMPARISONS}


def told(one: dict[str, Any], other: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The reasons for and against two clients that share a VAT number."""
    speaking_for, against = reasons(ranks({**SAME, **one}, {**SAME, **other}))
    assert speaking_for.pop(next(at for at, text in enumerate(speaking_for) if "VAT" in text)) == "same VAT number"
    return speaking_for, against


@pytest.mark.parametrize(
    ("one", "other", "speaking_for", "against"),
    [
        ({"name": "Stern Optik"}, {"name": "Stern Optik"}, ["same name"], []),
        ({"name": "Stern Optik"}, {"name": "Sternn Optik"}, ["names alike"], []),
        ({"name": "Stern Optik"}, {"name": "Stern Optik Wien"}, ["one name holds the other"], []),
        ({"name": "Stern Optik GmbH"}, {"name": "Stern Optik AG"}, ["same name"], ["different legal form"]),
        ({"name": "Mond Bau"}, {"name": "Stern Optik"}, [], ["different names"]),
        ({"name": "WEG Weg 53"}, {"name": "WEG Weg 55"}, ["same name"], ["different numbers in the names"]),
        ({"name": "Solarpark Ost 2"}, {"name": "Solarpark Ost"}, ["same name"], ["a number in one name only"]),
        ({"name": "Peter Huber"}, {"name": "Maria Huber"}, [],
         ["different first names", "different persons"]),
        ({"persons": ["Maria Maier"]}, {"name": "Stern Optik"}, [], []),
        ({"persons": ["Maria Maier"]}, {"name": "Maria Maier"}, ["same name", "same person"], []),
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
        ({"id_number": "HRB 40123"}, {"id_number": "HRB 77777"}, [], ["different ID number"]),
    ],
)  # fmt: skip
def test_each_reason_says_what_it_is(
    one: dict[str, Any], other: dict[str, Any], speaking_for: list[str], against: list[str]
) -> None:
    found = told(one, other)
    assert found == (speaking_for, against)
    assert told(other, one) == found


def test_the_country_of_two_vat_numbers_and_their_check_digits_are_told_apart() -> None:
    mail = {"emails": ["a@firma.de"]}
    for one, other, reason in (
        ("DE136695976", "DE129273398", "different VAT number"),
        ("DE136695976", "DE136695977", "VAT numbers differ by a digit"),
        ("DE136695976", "DE999", "different VAT number"),
    ):
        found = ranks({**mail, "vat_number": one}, {**mail, "vat_number": other})
        assert reason in reasons(found)[1]
        assert "vat_number" not in keys_of(found)


def test_a_vat_number_without_its_country_is_the_same() -> None:
    found = ranks({"name": "Stern", "vat_number": "DE136695976"}, {"name": "Mond", "vat_number": "136695976"})
    assert keys_of(found) == ["vat_number"]


def test_the_keys_that_both_share_are_named() -> None:
    both = {"id_number": "HRB 40123", "emails": ["a@firma.de"], "phones": ["0664 2345678"], **SAME}
    assert keys_of(ranks(both, both)) == list(KEYS.values())
    assert keys_of(ranks({**both, "phones": []}, both)) == ["vat_number", "id_number", "emails"]


def test_reasons_are_short_and_plain() -> None:
    texts = {level.reason for comparison in COMPARISONS for level in comparison.levels}
    assert all(re.fullmatch(r"[A-Za-z -]{0,40}", text) for text in texts)


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_reasons_hold_no_value_of_a_client(chance: Any) -> None:
    one, other = pair(chance)
    other = {**other, "emails": ["shared@firma.de"]}
    found = reasons(ranks({**one, "emails": ["shared@firma.de"]}, other))
    texts = {level.reason for comparison in COMPARISONS for level in comparison.levels}
    assert {*found[0], *found[1]} <= texts
    values = {
        str(text)
        for row in (one, other)
        for value in row.values()
        for text in (value if isinstance(value, list) else [value])
    }
    assert not [value for value in values if value and any(value.lower() in text for text in (*found[0], *found[1]))]

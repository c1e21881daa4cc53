"""Texts in the form in which two are compared: ways to write the same are the same, and a form of a form is itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.dedupe.comparable import comparable, domain_of, mail_of, name_of, phone_of, plain, street_of, tax_number_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller & Söhne GmbH & Co. KG", "Muller und Sohne"),
        ("The ACME Corp.", "Acme Limited"),
        ("Świat Transport sp. z o.o.", "SWIAT TRANSPORT"),
        ("Jane Doe", "Doe, Jane"),
        ("O'Connor Ltd", "OConnor"),
    ],
)
def test_names_are_the_same_without_legal_form_accents_and_order(one, other):
    assert name_of(one) == name_of(other)


def test_different_names_stay_different():
    assert len({name_of(n) for n in ("Acme", "Acne", "Acme Foods", "Foods")}) == 4


@pytest.mark.parametrize(
    ("text", "country", "wanted"),
    [
        ("030 123456", "DE", "+4930123456"),
        ("+49 (30) 123-456", None, "+4930123456"),
        ("0049 30 123456", "DE", "+4930123456"),
        ("044 668 18 00", "CH", "+41446681800"),
        ("call me", "DE", None),
        ("12", None, None),
    ],
)
def test_phones_are_e164(text, country, wanted):
    assert phone_of(text, country) == wanted


@pytest.mark.parametrize(
    ("text", "country", "wanted"),
    [
        ("DE 136 695 976", None, "DE136695976"),
        ("136695976", "DE", "DE136695976"),
        ("CHE-123.456.788 MWST", "CH", "CHE123456788"),
        ("x", None, None),
    ],
)
def test_tax_numbers_are_compact_with_their_country(text, country, wanted):
    assert tax_number_of(text, country) == wanted


def test_mails_streets_and_domains():
    assert mail_of(" Jane.Doe+shop@GoogleMail.com ") == "janedoe@gmail.com"
    assert mail_of("jane.doe@acme.com") == "jane.doe@acme.com"
    assert mail_of("nonsense") is None
    assert street_of("Bahnhofstraße 12") == street_of("12 Bahnhof Str.") == ("bahnhof st", "12")
    assert domain_of("https://www.Acme.com/about", []) == "acme.com"
    assert domain_of(None, ["jane@gmail.com", "jane@acme.com"]) == "acme.com"
    assert domain_of(None, ["jane@gmail.com"]) is None


@given(st.text(max_size=60))
def test_a_form_of_a_form_is_itself(text):
    for form in (plain, name_of):
        assert form(form(text)) == form(text)
    assert plain(text).isascii()
    if (mail := mail_of(text)) is not None:
        assert mail_of(mail) == mail


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_anything_at_all_is_comparable(name, text, number):
    made = comparable(
        id="a", name=name, vat_number=number, id_number=number, emails=[text, None], phones=[number, None],
        website=text, address=text, city=text, postal_code=number, country="DE",
    )  # fmt: skip
    assert made.words == tuple((made.name or "").split())

"""Values in the form in which two are compared: ways to write the same are the same, what fills a field is no value."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows.dedupe.comparable import (
    FREE_MAIL,
    Comparable,
    comparable,
    domain_of,
    mail_of,
    number_of,
    phone_of,
    street_of,
    tax_number_of,
)
from flows.dedupe.names import name_of


@pytest.mark.parametrize(
    ("text", "country", "wanted"),
    [
        ("030 9012345", "DE", "+49309012345"),
        ("+49 (30) 901-2345", None, "+49309012345"),
        ("0049 30 9012345", "DE", "+49309012345"),
        ("044 668 18 00", "CH", "+41446681800"),
        ("030 9012345", None, "309012345"),
        ("call me", "DE", None),
        ("12", None, None),
    ],
)
def test_phones_are_e164(text: str, country: str | None, wanted: str | None) -> None:
    assert phone_of(text, country) == wanted


@pytest.mark.parametrize(
    ("text", "country", "wanted", "valid"),
    [
        ("DE 136 695 976", None, "DE136695976", True),
        ("136695976", "DE", "DE136695976", True),
        ("DE136695975", None, "DE136695975", False),
        ("CHE-123.456.788 MWST", "CH", "CHE123456788", True),
        ("136695976", None, "136695976", False),
        ("x", None, None, False),
    ],
)
def test_tax_numbers_are_compact_with_their_country_and_known_to_be_valid_or_not(
    text: str, country: str | None, wanted: str | None, valid: bool
) -> None:
    assert tax_number_of(text, country) == (wanted, valid)


@pytest.mark.parametrize(
    "text", ["N/A", "none", "-", "keine", "000000000", "0", "XX", "DE000000000", "DE123456789", "12"]
)
def test_what_fills_a_number_field_is_no_number(text: str) -> None:
    assert tax_number_of(text, "DE") == (None, False)
    assert number_of(text) is None


@pytest.mark.parametrize("text", ["000000", "0", "-", "+000000000", "123456789", "+49 111111111", "99999999"])
def test_what_fills_a_phone_field_is_no_phone(text: str) -> None:
    assert phone_of(text, "DE") is None


@pytest.mark.parametrize(
    "text",
    ["noreply@firma.de", "no-reply@firma.de", "keine@mail.de", "no@example.com", "test@test.com", "n.a@firma.de",
     "info@example.org", "unknown@firma.de", "nonsense", "@firma.de", "a@", "a@b", "", " "],
)  # fmt: skip
def test_what_reaches_nobody_is_no_mail_address(text: str) -> None:
    assert mail_of(text) is None


def test_ways_to_write_a_mail_address_are_one() -> None:
    assert mail_of(" Jane.Doe+shop@GoogleMail.com ") == "janedoe@gmail.com"
    assert mail_of("jane.doe@acme.com") == "jane.doe@acme.com"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bahnhofstraße 12", "12 Bahnhof Str."), ("Hauptstr. 5", "Hauptstrasse 5"), ("5th Avenue 12", "Fifth Ave 12"),
        ("212 S. Francisco Street", "212 South Francisco St"), ("Königsweg 3", "Koenigs Weg 3"),
    ],
)  # fmt: skip
def test_ways_to_write_a_street_are_one(one: str, other: str) -> None:
    assert street_of(one) == street_of(other)


def test_a_street_and_its_house_are_parted() -> None:
    assert street_of("Bahnhofstraße 12") == ("bahnhof st", "12")
    assert street_of("Am Graben 4a") == ("am graben", "4a")
    assert street_of("-") == (None, None)


@pytest.mark.parametrize(
    ("website", "emails", "wanted"),
    [
        ("https://www.Acme.com/about", [], "acme.com"),
        ("acme.com:8080?x=1", [], "acme.com"),
        (None, ["jane@gmail.com", "jane@acme.com"], "acme.com"),
        (None, ["jane@gmail.com"], None),
        ("https://www.facebook.com/acme", ["jane@acme.com"], "acme.com"),
        ("https://de-de.facebook.com/acme", [], None),
        ("gmail.com", [], None),
        ("none", [], None),
        ("", [], None),
    ],
)
def test_a_domain_is_a_companys_own(website: str | None, emails: list[str], wanted: str | None) -> None:
    assert domain_of(website, emails) == wanted


def test_more_domains_of_many_can_be_told() -> None:
    one = {"id": "a", "name": None, "emails": ["jane@provider.example.net"]}
    assert comparable(**one).domain == "provider.example.net"
    assert comparable(**one, free=FREE_MAIL | {"provider.example.net"}).domain is None


def test_a_client_without_a_name_is_compared_by_its_first_person() -> None:
    made = comparable(id="a", name="Test", persons=["", "Anna", "Maria Maier", "Hans Huber"])
    assert (made.name, made.named) == ("maier maria", False)
    assert made.persons == ("huber johannes", "maier maria")
    assert comparable(id="a", name="hans@firma.de", persons=["Hans Huber"]).name == "hans huber"


def test_a_private_person_is_its_own_contact_once() -> None:
    assert comparable(id="a", name="Hans Huber", persons=["Huber, Hans", "Hans Huber"]).persons == ("huber johannes",)
    assert comparable(id="a", name="Sternwald Optik").persons == ()


def test_what_is_given_twice_counts_once() -> None:
    made = comparable(
        id="a", name="A", phones=["+41446681800", "044 668 18 00"], emails=["A@firma.de", "a@FIRMA.de"], country="CH"
    )
    assert made.phones == ("+41446681800",)
    assert made.emails == ("a@firma.de",)


def test_empty_texts_are_absent() -> None:
    made = comparable(
        id="a", name="", vat_number="", id_number=" ", emails=["", None], phones=["", None], persons=["", None],
        website=" ", address=" ", city="", postal_code=" ", country="",
    )  # fmt: skip
    assert made == comparable(id="a", name=None)
    assert made == Comparable(
        "a", None, (), None, (), (), (), False, False, None, False, (), None, False, None, (), (), None, None, None,
        None, None, None,
    )  # fmt: skip


@given(st.text(max_size=60))
def test_a_mail_address_of_a_mail_address_is_itself(text: str) -> None:
    for mail in (mail_of(text), mail_of(f"{text}@firma.de")):
        assert mail is None or mail_of(mail) == mail


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
@example("a" * 10_000, "ab " * 5_000, "12" * 5_000)
def test_anything_at_all_is_comparable(name: str, text: str, number: str) -> None:
    made = comparable(
        id="a", name=name, vat_number=number, id_number=number, emails=[text, None], phones=[number, None],
        persons=[text, name, None], website=text, address=text, city=text, postal_code=number, country="DE",
    )  # fmt: skip
    assert " ".join(made.words) == (made.name or "")
    assert made.named == bool(name_of(name).words and "@" not in name)
    for value in (made.id_number, made.vat_number, made.street, made.house, made.city, made.postal_code):
        assert value is None or 0 < len(value) < 5_000


def test_a_client_with_the_name_of_its_contact_is_a_person() -> None:
    client = comparable(id="1", name="Ashworth, Xelda", persons=["Xelda Ashworth"])
    assert (client.personal, client.given) == (True, ("xelda",))
    assert not comparable(id="1", name="Xelda Ashworth GmbH", persons=["Xelda Ashworth"]).personal

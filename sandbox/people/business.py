"""One made-up client at a time: its fields and contacts, and the ways to enter it twice."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from sandbox.books.lookups import CLASSIFICATIONS
from sandbox.clients.settings import OF_A_NEW_CLIENT
from sandbox.people.people import Land, company_name, digits, land_of, person, plain_letters
from sandbox.store.database import Row
from sandbox.store.world import MICROS

NOTES = (
    "",
    "",
    "",
    "",
    "met at the fair",
    "zahlt spät – 30 Tage",
    'bad payer;\nsecond line "quoted", comma',
    "très bon client 👍",
    "ask for José",
)
TIERS = ("", "", "gold", "silver", "bronze", "0")
TERMS = ("0", "7", "14", "30", "60", "-1")
CONTACTS = (0, 1, 1, 1, 1, 2, 2, 3, 4)
_LETTERS = str.maketrans("+/=", "Qz9")


@dataclass(frozen=True, slots=True)
class Contact:
    """A person at a client."""

    first_name: str
    last_name: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class Business:
    """A client in real life, the same however often somebody enters it."""

    land: Land
    name: str
    vat_number: str
    phone: str
    address: str
    postal_code: str
    city: str
    contacts: tuple[Contact, ...]


def secret(rng: Random, length: int) -> str:
    """Letters and digits."""
    return base64.b64encode(rng.randbytes(length)).decode().translate(_LETTERS)[:length]


def invent(rng: Random) -> Business:
    """A business of a country; one in fifty has no name."""
    land = land_of(rng)
    name = company_name(rng, land) if rng.random() > 0.02 else ""  # noqa: PLR2004 - blank ones are rare
    domain = f"{plain_letters(name)[:24] or 'mail'}.example.{land.domain.rpartition('.')[2]}"
    return Business(
        land,
        name,
        digits(rng, land.vat) if rng.random() < 0.6 else "",  # noqa: PLR2004 - most are registered
        digits(rng, land.phone),
        f"{rng.choice(land.streets)} {rng.randrange(1, 240)}",
        digits(rng, land.postcode),
        rng.choice(land.cities),
        tuple(_contact(rng, land, domain) for _ in range(rng.choice(CONTACTS))),
    )


def _contact(rng: Random, land: Land, domain: str) -> Contact:
    first, last = person(rng, land)
    email = f"{plain_letters(first)}.{plain_letters(last)}@{domain}" if rng.random() > 0.05 else ""  # noqa: PLR2004 - few lack one
    return Contact(first, last, email, digits(rng, land.phone) if rng.random() < 0.4 else "")  # noqa: PLR2004 - some have one


# ---- the same business again ----------------------------------------------------------------------------------------


def _typo(rng: Random, original: Business) -> Business:
    """Two letters change places."""
    pairs = range(1, len(original.name) - 1)
    spots = [i for i in pairs if original.name[i] != original.name[i + 1] and original.name[i : i + 2].isalnum()] or [0]
    spot = rng.choice(spots)
    return replace(
        original,
        name=original.name[:spot] + original.name[spot : spot + 2][::-1] + original.name[spot + 2 :],
        vat_number="",
    )


def _legal_form(rng: Random, original: Business) -> Business:
    """Another legal form, or none."""
    form = max((x for x in original.land.legal if x and original.name.endswith(f" {x}")), key=len, default="")
    other = rng.choice([x for x in original.land.legal if x != form])
    return replace(original, name=f"{original.name.removesuffix(form).strip()} {other}".strip(), vat_number="")


def _swapped_contact(_: Random, original: Business) -> Business:
    """First and last name of each contact exchanged, and no tax number."""
    contacts = (replace(c, first_name=c.last_name, last_name=c.first_name) for c in original.contacts)
    return replace(original, contacts=tuple(contacts), vat_number="")


def _same_vat(rng: Random, original: Business) -> Business:
    """Another trade name under the same tax number."""
    vat = original.vat_number or digits(rng, original.land.vat or "#########")
    return replace(original, name=company_name(rng, original.land), vat_number=vat, contacts=())


def _plain_spelling(_: Random, original: Business) -> Business:
    """In capitals and without accents, as an old system exports it."""
    plain = " ".join(plain_letters(word) for word in original.name.split()).upper()
    return replace(original, name=plain, city=original.city.upper(), vat_number="")


def _same_email(rng: Random, original: Business) -> Business:
    """Another name, with the same person's address in capitals."""
    contacts = tuple(replace(c, email=c.email.upper()) for c in original.contacts[:1])
    return replace(original, name=company_name(rng, original.land), contacts=contacts, vat_number="")


DUPLICATES: dict[str, Callable[[Random, Business], Business]] = {
    "typo": _typo,
    "legal_form": _legal_form,
    "swapped_contact": _swapped_contact,
    "same_vat_number": _same_vat,
    "plain_spelling": _plain_spelling,
    "same_email": _same_email,
}


# ---- as rows --------------------------------------------------------------------------------------------------------


def client_row(rng: Random, business: Business, groups: tuple[int, ...]) -> Row:
    """The columns of a client, without those that place it in the database: ids, number, stamps, state."""
    group = rng.choice(groups) if groups and rng.random() < 0.06 else None  # noqa: PLR2004 - few are in groups
    elsewhere = rng.random() < 0.1  # noqa: PLR2004 - a tenth has goods sent elsewhere
    return {
        "name": business.name,
        "website": f"https://{plain_letters(business.name)[:24]}.example.com" if rng.random() < 0.3 else "",  # noqa: PLR2004
        "private_notes": rng.choice(NOTES),
        "public_notes": rng.choice(NOTES[:6]),
        **_figures(rng, whole=business.land.currency_id == "45"),
        "group_settings_id": group,
        "size_id": rng.choice((None, 1, 2, 3, 4, 5, 6)),
        "industry_id": rng.choice((None, None, *range(1, 33))),
        "client_hash": secret(rng, 40),
        "address1": business.address,
        "address2": rng.choice(("", "", "", "2. OG", "Apt 4", "Box 12")),
        "phone": business.phone,
        "city": business.city,
        "state": "",
        "postal_code": business.postal_code,
        "country_id": business.land.country_id,
        "custom_value1": rng.choice(("", "", "Ann Lee", "Jürgen Groß", "東 さん")),
        "custom_value2": rng.choice(TIERS),
        "custom_value3": f"2027-{rng.randrange(1, 13):02d}-01" if rng.random() < 0.2 else "",  # noqa: PLR2004 - a date for some
        "shipping_address1": business.address if elsewhere else "",
        "shipping_city": rng.choice(business.land.cities) if elsewhere else "",
        "shipping_postal_code": digits(rng, business.land.postcode) if elsewhere else "",
        "shipping_country_id": business.land.country_id if elsewhere else None,
        "settings": _settings(rng, business.land, in_group=group is not None),
        "vat_number": business.vat_number,
        "classification": rng.choice(("", "", "", *CLASSIFICATIONS[:3])),
    }


def _figures(rng: Random, *, whole: bool) -> Row:
    """Balances: four in ten are zero, some negative, some with six decimals, as imports leave them."""
    chance, sums = rng.random(), {"balance": 0, "paid_to_date": 0, "credit_balance": 0, "payment_balance": 0}
    if chance > 0.4:  # noqa: PLR2004 - as above
        sums["balance"] = int(rng.lognormvariate(6.5, 1.6) * 100) * (MICROS // 100)
        sums["paid_to_date"] = int(rng.lognormvariate(7, 1.8) * 100) * (MICROS // 100)
    if chance > 0.93:  # noqa: PLR2004
        sums["balance"] = -sums["balance"]
    if chance > 0.97:  # noqa: PLR2004
        sums["balance"] += rng.randrange(1, 10_000)
    if chance < 0.08:  # noqa: PLR2004
        sums["credit_balance"] = rng.randrange(100, 90_000) * (MICROS // 100)
    if 0.5 < chance < 0.55:  # noqa: PLR2004
        sums["payment_balance"] = rng.randrange(100, 50_000) * (MICROS // 100)
    if 0.6 < chance < 0.63:  # noqa: PLR2004 - some owe and have credit
        sums["credit_balance"] = sums["balance"] // (3 * MICROS) * MICROS
    return {name: amount(value - value % MICROS if whole else value) for name, value in sums.items()}


def amount(micros: int) -> str:
    """Millionths as the stored decimal text."""
    whole, part = divmod(abs(micros), MICROS)
    fraction = f".{part:06d}".rstrip("0") if part else ""
    return f"{'-' if micros < 0 else ''}{whole}{fraction}"


def _settings(rng: Random, land: Land, *, in_group: bool) -> str:
    """Settings; clients in a group, and a few others, lack a currency and inherit it."""
    settings: dict[str, str | None] = dict(OF_A_NEW_CLIENT)
    if rng.random() < 0.2:  # noqa: PLR2004 - edited before, so empty texts have become null
        settings |= {"industry_id": None, "size_id": None}
    if not in_group and rng.random() > 0.01:  # noqa: PLR2004
        settings["currency_id"] = land.currency_id
    if rng.random() < 0.4:  # noqa: PLR2004
        settings["payment_terms"] = rng.choice(TERMS)
    return json.dumps(settings)


def contact_rows(rng: Random, business: Business) -> list[Row]:
    """The client's contacts; the server's blank one where there are none."""
    if not business.contacts:
        return [{"email": " ", "is_primary": 1, "contact_key": secret(rng, 32)}]
    return [
        {
            "first_name": contact.first_name,
            "last_name": contact.last_name,
            "email": contact.email,
            "phone": contact.phone,
            "is_primary": int(place == 0),
            "send_email": int(place < 2),  # noqa: PLR2004 - the third and later ones get no invoices
            "contact_key": secret(rng, 32),
        }
        for place, contact in enumerate(business.contacts)
    ]

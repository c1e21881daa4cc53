"""The single values of invented clients: names, mail addresses, phone and VAT numbers of ten countries.

The names of people come from the lists of Faker (MIT licence, Daniele Faraglia and others); towns, streets, trades and
legal forms are real ones of each country.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from anyascii import anyascii

from tests.bench.dedupe_numbers import siren, vat_number_of

Row = dict[str, Any]
WORDS = json.loads(Path(__file__).with_name("dedupe_book_words.json").read_text(encoding="utf-8"))
LANDS: dict[str, dict[str, Any]] = WORDS["lands"]
NUMBER_FIRST = ("FR", "GB", "US")
"""Countries where the house number comes before the street."""
MOBILE = {
    "DE": "151 160 170 172 176 179", "AT": "664 676 699", "CH": "76 78 79", "GB": "7700 7811 7912", "US": "917 646 929",
    "FR": "6 7", "IT": "333 347 338 320", "ES": "6 7", "NL": "6", "PL": "501 602 694",
}  # fmt: skip
DIGITS = {"US": 10, "GB": 10, "DE": 10, "AT": 10, "IT": 10}
"""Digits of a national phone number, where it is not nine."""
NO_ZERO = ("US", "ES", "IT", "PL")
"""Countries without a leading zero in national phone numbers."""
DOMAINS = {"GB": ("co.uk", "com", "uk", "org.uk"), "US": ("com", "net", "us", "biz")}


@dataclass(frozen=True, slots=True)
class Character:
    """What one book is like. Shares are between 0 and 1."""

    lands: dict[str, float]
    persons: float
    fill: dict[str, float]
    free_mail: float
    sloppy: float
    duplicates: float
    towns: int
    phone_style: int
    running_numbers: bool
    """The field for register numbers holds the book's own customer numbers: each record has its own."""
    default_values: dict[str, str]
    """Values that the book-keeper enters where a field must not be empty."""
    defaults: float


@dataclass(slots=True)
class Making:
    """A book that is being made."""

    chance: random.Random
    character: Character
    towns: dict[str, list[tuple[int, list[str]]]]
    """By country: the place of a town in the list, and the postal codes that its clients have."""
    numbers: int = 10_000
    used: set[str] = field(default_factory=set)
    """Names of companies, domains and private mailboxes: no two clients have one by accident."""


def first_name(m: Making, land: str) -> str:
    """Return a first name; some are much more frequent than others."""
    names = LANDS[land]["firsts"]
    return str(names[int(len(names) * m.chance.random() ** 1.3)])


def family_name(m: Making, land: str) -> str:
    """Return a family name; some are much more frequent than others, and a few come from another country."""
    if m.chance.random() < 0.08:
        land = m.chance.choice(list(LANDS))
    names = LANDS[land]["families"]
    return str(names[int(len(names) * m.chance.random() ** 1.6)])


def coined(m: Making) -> str:
    """Return a made-up company name, such as "Novatec" or "LumiFlow"."""
    chance = m.chance
    head, tail = chance.choice(WORDS["heads"]), chance.choice(WORDS["tails"])
    kind = chance.random()
    if kind < 0.03:
        return f"{head}{tail} {chance.choice(('24', '4', '2000', '1', '365', '21', '3D'))}"
    if kind < 0.6:
        return f"{head}{tail}"
    if kind < 0.8:
        return f"{head}{tail.title()}"
    if kind < 0.9:
        return "".join(chance.choice("ABCDEFGHIKLMNOPRSTVW") for _ in range(chance.randint(2, 4)))
    return f"{head}{chance.choice(WORDS['tails'])}{tail}"


def institution(m: Making, row: Row) -> str:
    """Return the name of a school, club, church, inn or practice."""
    language = {"AT": "DE", "CH": "DE", "US": "GB"}.get(row["country"], row["country"])
    told = {
        "town": town_name(row), "saint": m.chance.choice(WORDS["saints"]), "sign": m.chance.choice(WORDS["signs"]),
        "n": m.chance.choice((1, 3, 7, 12, 24, 54, 1860, 1904)), "first": row["_first"], "last": row["_last"],
    }  # fmt: skip
    return str(m.chance.choice(WORDS["institutions"][language]).format(**told))


def town_name(row: Row) -> str:
    """Return the name of the row's town, without its part of town."""
    return str(LANDS[row["country"]]["towns"][row["_town"]][0])


def address(m: Making, land: str) -> str:
    """Return a street and a house number, as people write them in that country."""
    chance = m.chance
    street = chance.choice(LANDS[land]["streets"])
    house = f"{int(1 + 120 * chance.random() ** 1.8)}"
    if chance.random() < 0.1:
        house += chance.choice(("a", "b", "c", "A", "-" + str(int(house) + 2)))
    if land in NUMBER_FIRST:
        extra = {"US": ("Suite", "Apt", "Unit"), "GB": ("Flat", "Unit"), "FR": ("Bât.",)}[land]
        flat = f"{chance.choice(extra)} {chance.randint(1, 40)}" if chance.random() < 0.12 else ""
        text = f"{house} {street}"
        return f"{text}, {flat}" if flat and land == "US" else f"{flat}, {text}" if flat else text
    if chance.random() < 0.4:
        street = street.replace("straße", "str.").replace("strasse", "str.").replace("Straße", "Str.")
    if land in ("IT", "ES"):
        return f"{street}, {house}" + (f", {chance.randint(1, 6)}º" if land == "ES" and chance.random() < 0.2 else "")
    return f"{street} {house}" + (f"/{chance.randint(1, 40)}" if land in ("PL", "AT") and chance.random() < 0.4 else "")


@lru_cache(maxsize=200_000)
def slug(text: str, between: str = "") -> str:
    """Return a text as it appears in a domain or mailbox."""
    for letter, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("Ä", "Ae"), ("Ö", "Oe"), ("Ü", "Ue")):
        text = text.replace(letter, plain)
    kept = "".join(letter if letter.isalnum() else " " for letter in anyascii(text).lower().replace("'", ""))
    return between.join(kept.split())


def domain_of(m: Making, name: str, row: Row) -> str:
    """Return a domain for a company of that name, without its legal form."""
    chance, land = m.chance, row["country"]
    words = slug(name, "-").split("-")
    short = chance.choice(
        ("-".join(words), "".join(words), words[0] + "".join(words[1:][-1:]), f"{words[0]}-{slug(town_name(row))}")
    )
    if chance.random() < 0.08 and len(words) > 2:
        short = "".join(word[0] for word in words) + "-" + words[-1]
    return _unused(m, f"{short[:40]}.{chance.choice(DOMAINS.get(land, (land.lower(),) * 3 + ('com', 'eu')))}", ".")


def website(m: Making, domain: str) -> str:
    """Return the address of a website, as people write it."""
    return m.chance.choice((f"https://www.{domain}", f"http://{domain}/", f"www.{domain}", domain, f"https://{domain}"))


def private_mail(m: Making, land: str, first: str, last: str) -> str:
    """Return a mail address at a free provider."""
    chance = m.chance
    one, two = slug(first), slug(last)
    number = chance.choice(("", "", str(chance.randint(1, 99)), str(chance.randint(1950, 2006))))
    local = chance.choice((
        f"{one}.{two}", f"{one}{two}", f"{one[:1]}.{two}", f"{two}{one[:1]}", f"{two}.{one}", f"{one}{number or 7}",
        f"{two}_{one}", f"{slug(coined(m))}{number or 1}",
    ))  # fmt: skip
    return _unused(m, f"{local}{number}@{chance.choice(LANDS[land]['mail'])}", "@")


def office_mail(m: Making, domain: str, first: str, last: str) -> str:
    """Return a mail address at a company's own domain: a general one, or a person's."""
    chance = m.chance
    if chance.random() < 0.5:
        return f"{chance.choice(WORDS['mailboxes'])}@{domain}"
    one, two = slug(first), slug(last)
    return f"{chance.choice((f'{one}.{two}', f'{one[:1]}.{two}', two, one, f'{one[:1]}{two}'))}@{domain}"


def phone(m: Making, land: str, town: int) -> str:
    """Return a phone number of that town."""
    areas = LANDS[land]["areas"]
    return _spelt(m, land, str(areas[town % len(areas)]))


def mobile(m: Making, land: str) -> str:
    """Return a mobile phone number."""
    return _spelt(m, land, m.chance.choice(MOBILE[land].split()))


def _spelt(m: Making, land: str, area: str) -> str:
    length = DIGITS.get(land, 9) - len(area)
    return spelt(m, land, area, f"{m.chance.randrange(10 ** (length - 1), 10**length)}")


def spelt(m: Making, land: str, area: str, number: str) -> str:
    """Return a phone number in one of the ways in which people write it, most often the book's."""
    style = m.character.phone_style if m.chance.random() < 0.75 else m.chance.randrange(6)
    prefix, zero = LANDS[land]["prefix"], "" if land in NO_ZERO else "0"
    return (
        f"{prefix} {area} {number}", f"{zero}{area} {number}", f"{zero}{area}/{number}", f"{prefix}{area}{number}",
        f"({zero}{area}) {number[:3]}-{number[3:]}", f"00{prefix[1:]} {area} {number[:2]} {number[2:]}",
    )[style]  # fmt: skip


def vat_number(m: Making, land: str) -> str | None:
    """Return a VAT number; None for a country without them."""
    return vat_number_of(m.chance, land)


def register_number(m: Making, land: str) -> str:
    """Return the number of a company in a public register."""
    digits = siren(m.chance) if land == "FR" else f"{m.chance.randrange(10**9, 10**10)}"
    return {
        "DE": f"HRB {digits[:5]}", "AT": f"FN {digits[:6]}{'abdfghik'[int(digits[-1]) % 8]}",
        "US": f"{digits[:2]}-{digits[2:9]}", "FR": f"{digits[:3]} {digits[3:6]} {digits[6:]}",
        "IT": f"REA {digits[:7]}", "PL": digits,
    }.get(land, digits[:8])  # fmt: skip


def own_number(m: Making) -> str | None:
    """Return the next customer number, in a book that has them."""
    m.numbers += m.chance.randint(1, 3)
    return f"K{m.numbers}" if m.character.running_numbers else None


def _unused(m: Making, text: str, before: str) -> str:
    """Return the text, with a number before that sign if another client has it."""
    while text in m.used:
        head, sign, tail = text.partition(before)
        text = f"{head}{m.chance.randint(2, 99)}{sign}{tail}"
    m.used.add(text)
    return text

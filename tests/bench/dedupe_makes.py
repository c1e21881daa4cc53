"""Invented clients: companies and private persons, with the data that a book has of them.

Streets do not have to exist in their towns.
"""

from __future__ import annotations

import random

from tests.bench.dedupe_fields import (
    LANDS,
    Character,
    Making,
    Row,
    address,
    coined,
    domain_of,
    family_name,
    first_name,
    institution,
    mobile,
    office_mail,
    own_number,
    phone,
    private_mail,
    register_number,
    town_name,
    vat_number,
    website,
)  # fmt: skip

FIELDS = (
    "emails",
    "phones",
    "vat_number",
    "id_number",
    "website",
    "address",
    "city",
    "postal_code",
    "persons",
    "country",
)
PLACE = ("address", "city", "postal_code")
LISTS = ("emails", "phones", "persons")


def making(chance: random.Random, character: Character) -> Making:
    """Return a new book, with the towns in which its clients live."""
    towns = {}
    for land in character.lands:
        known = LANDS[land]["towns"]
        chosen = sorted(chance.sample(range(len(known)), min(len(known), character.towns)))
        chance.shuffle(chosen)
        towns[land] = [
            (at, [_code(chance, land, chance.choice(known[at][1])) for _ in range(chance.randint(1, 6))])
            for at in chosen
        ]
    return Making(chance, character, towns)


def land_of(m: Making) -> str:
    """Return a country, most often the book's own."""
    return m.chance.choices(list(m.character.lands), list(m.character.lands.values()))[0]


def person(m: Making, land: str, first: str = "", last: str = "") -> Row:
    """Return a private person with everything that a book may know."""
    first, last = first or first_name(m, land), last or family_name(m, land)
    row: Row = {
        "name": f"{first} {last}", "vat_number": None, "id_number": own_number(m),
        "emails": [private_mail(m, land, first, last)], "website": None, "persons": [f"{first} {last}"],
        "country": land, "_first": first, "_last": last, "_form": "", "_person": True, "_domain": "",
    }  # fmt: skip
    row |= place(m, land)
    row["phones"] = [mobile(m, land) if m.chance.random() < 0.6 else phone(m, land, row["_town"])]
    return row


def company(m: Making, land: str, stem: str = "", trade: str = "") -> Row:
    """Return a company with everything that a book may know; `stem` is the part of the name that is its own."""
    chance = m.chance
    first, last = first_name(m, land), family_name(m, land)
    row: Row = place(m, land)
    row |= {"country": land, "_first": first, "_last": last, "_person": False}
    trade = trade or chance.choice(LANDS[land]["trades"])
    stem = stem or (last if chance.random() < 0.4 else coined(m))
    own = chance.random()
    if own < 0.08 and stem not in (last, trade):
        name = institution(m, row)
    elif own < 0.5:
        name = f"{stem} {trade}" if chance.random() < 0.6 else f"{trade} {stem}"
    elif own < 0.65:
        name = f"{trade} {first} {last}"
    elif own < 0.77:
        name = stem if stem != last else f"{last} & {family_name(m, land)}"
    elif own < 0.88:
        name = f"{last} & {family_name(m, land)} {trade}"
    else:
        name = f"{trade} {town_name(row)}" if chance.random() < 0.5 else f"{trade} {coined(m)} {town_name(row)}"
    while (words := " ".join(sorted(name.split()))) in m.used:
        name = f"{name} {coined(m)}"
    m.used.add(words)
    form = chance.choice(LANDS[land]["forms"])[0] if own >= 0.08 and chance.random() < 0.75 else ""
    domain = domain_of(m, name, row)
    row |= {
        "name": f"{name} {form}".strip(), "_form": form, "_domain": domain, "_stem": stem, "_trade": trade,
        "vat_number": vat_number(m, land), "website": website(m, domain), "persons": [f"{first} {last}"],
        "id_number": own_number(m) or register_number(m, land), "phones": [phone(m, land, row["_town"])],
    }  # fmt: skip
    free = chance.random() < m.character.free_mail
    row["emails"] = [private_mail(m, land, first, last) if free else office_mail(m, domain, first, last)]
    if chance.random() < 0.12:
        other = f"{first_name(m, land)} {family_name(m, land)}"
        row["persons"] = [*row["persons"], other]
        row["emails"] = [*row["emails"], office_mail(m, domain, *other.split(" ", 1))]
    return row


def client(m: Making, land: str = "") -> Row:
    """Return a company or a private person."""
    land = land or land_of(m)
    return person(m, land) if m.chance.random() < m.character.persons else company(m, land)


def place(m: Making, land: str) -> Row:
    """Return an address, with its postal code and city."""
    town = m.chance.choice(m.towns[land])
    at, codes = town
    name, _, suburbs = LANDS[land]["towns"][at]
    city = name
    if suburbs and m.chance.random() < 0.08:
        city = f"{name}-{m.chance.choice(suburbs)}" if land in ("DE", "AT", "CH") else m.chance.choice(suburbs)
    return {"address": address(m, land), "postal_code": m.chance.choice(codes), "city": city, "_town": at}


def seat(m: Making, land: str, of: str) -> Row:
    """Return the postal code and city of a town that has no such house in this book yet: it has one town hall."""
    for at in m.chance.sample(range(len(LANDS[land]["towns"])), len(LANDS[land]["towns"])):
        town, prefixes, _ = LANDS[land]["towns"][at]
        if f"{of} {town}" not in m.used:
            break
    else:
        town = f"{town}-{coined(m)}"
    m.used.add(f"{of} {town}")
    return {"postal_code": _code(m.chance, land, m.chance.choice(prefixes)), "city": town, "_town": at}


def elsewhere(m: Making, row: Row) -> Row:
    """Return an address in another town than the row's, where the book has one."""
    new = place(m, row["country"])
    for _ in range(10):
        if new["_town"] != row["_town"]:
            break
        new = place(m, row["country"])
    return new


def masked(m: Making, row: Row, keep: tuple[str, ...] = ()) -> Row:
    """Return the row as the book has it: without the fields that were not entered, except those to `keep`."""
    fill, chance = m.character.fill, m.chance
    new = dict(row)
    for name in FIELDS:
        if name not in keep and chance.random() >= fill[name]:
            new[name] = [] if name in LISTS else None
            default = m.character.default_values.get(name)
            if default and chance.random() < m.character.defaults:
                new[name] = [default] if name in LISTS else default
    return new


def _code(chance: random.Random, land: str, prefix: str) -> str:
    if land == "GB":
        two = "".join(chance.choice("ABDEFGHJLNPQRSTUWXYZ") for _ in range(2))
        return f"{prefix}{chance.randint(1, 20)} {chance.randint(1, 9)}{two}"
    length = 4 if land in ("AT", "CH", "NL") else 5
    digits = prefix + "".join(chance.choice("0123456789") for _ in range(length - len(prefix)))
    if land == "NL":
        return f"{digits} {chance.choice('ABCDEGHJKL')}{chance.choice('ABCDEGHJKL')}"
    return f"{digits[:2]}-{digits[2:]}" if land == "PL" else digits

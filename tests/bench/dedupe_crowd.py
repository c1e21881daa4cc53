"""Invented companies of which it is known who is one, and who only looks like it: what FEBRL has nothing of.

Some have a second or third record: the legal form left out, slips of the pen, an office that has moved, another
contact, a phone in another way to write, numbers left blank. Beside some stand clients that are *not* the same, and are
easily taken for it: branches of one chain (name and domain), firms of one family (part of the name, house and phone),
offices in one house, customers of one accountant (a mail address), namesakes. The same number and seed make the same
clients.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]
WORDS = json.loads(Path(__file__).with_name("dedupe_words.json").read_text(encoding="utf-8"))
LANDS: dict[str, dict[str, Any]] = WORDS["lands"]
FREE: list[str] = WORDS["free_mail"]
NUMBER_FIRST = ("FR", "GB", "US")
"""Where the house number stands before the street."""
TWICE = 0.12
"""How often a client is entered once more, and once more."""
KINDS = {"plain": 86, "branch": 3, "family": 2, "neighbour": 4, "accountant": 3, "namesake": 2}
"""Of a hundred companies, how many stand by themselves, and how many beside one to three others that look like them."""


def crowd(count: int, seed: int = 1) -> list[tuple[str, Row]]:
    """So many clients in random order: (who it is, what `flows.dedupe.comparable.comparable` is given of it)."""
    chance = random.Random(seed)  # noqa: S311 - believable data, not cryptography
    made: list[tuple[str, Row]] = []
    people = _people(chance, count)
    while len(made) < count:
        who, row = next(people)
        made.append((who, row))
        while chance.random() < TWICE:
            made.append((who, _again(chance, row)))
    made = made[:count]
    chance.shuffle(made)
    return [(who, {**row, "id": f"c{number:07d}"}) for number, (who, row) in enumerate(made)]


def _people(chance: random.Random, count: int) -> Iterator[tuple[str, Row]]:
    """Companies without end, most by themselves, some beside others that they resemble."""
    towns = {land: [(_town(chance), _code(chance, land)) for _ in range(max(20, count // 400))] for land in LANDS}
    number = 0
    while True:
        row = _company(chance, towns)
        yield f"{number}", row
        kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
        for place in range(0 if kind == "plain" else chance.randint(1, 3)):
            yield f"{number}/{place}", LIKENESS[kind](chance, row, _company(chance, towns))
        number += 1


def _company(chance: random.Random, towns: dict[str, list[tuple[str, str]]]) -> Row:
    land = chance.choice(list(LANDS))
    person = chance.random() < 0.15
    name = _name(chance, land, person=person)
    city, code = chance.choice(towns[land])
    own = f"{_slug(name)}{chance.choice(('', '-' + _slug(city), '24'))}.{land.lower()}"
    domain = chance.choice(FREE) if person or chance.random() < 0.25 else own
    return {
        "name": name if person else f"{name} {chance.choice(LANDS[land]['forms'])}", "country": land,
        "vat_number": None if person or chance.random() < 0.5 else f"{land}{chance.randrange(10**8, 10**9)}",
        "id_number": f"HRB {chance.randrange(10**4, 10**6)}" if not person and chance.random() < 0.2 else None,
        "emails": [_mail(chance, domain)], "phones": [_phone(chance, land)] if chance.random() < 0.7 else [],
        "website": f"https://www.{domain}/" if domain == own and chance.random() < 0.5 else None,
        "address": _address(chance, land) if chance.random() < 0.9 else None,
        "city": city, "postal_code": code if chance.random() < 0.9 else None,
    }  # fmt: skip


def _name(chance: random.Random, land: str, *, person: bool) -> str:
    family, trade = chance.choice(WORDS["families"]), chance.choice(LANDS[land]["trades"])
    if person:
        return f"{chance.choice(WORDS['first_names'])} {family}"
    coined = chance.choice(WORDS["made"]) + chance.choice(WORDS["tails"])
    partners = f"{family} & {chance.choice(WORDS['families'])} {trade}"
    return chance.choice((f"{family} {trade}", f"{coined} {trade}", coined, partners))


def _again(chance: random.Random, row: Row) -> Row:
    """A second record of a client, as another person enters it in another year."""
    new = {**row, **_renamed(chance, row), **_reached(chance, row), **_moved(chance, row)}
    for number in ("vat_number", "id_number"):
        if row[number] and chance.random() < 0.04:
            new[number] = _slip(chance, str(row[number]))
        if chance.random() < 0.4:
            new[number] = None
    return new


def _renamed(chance: random.Random, row: Row) -> Row:
    name = str(row["name"])
    if chance.random() < 0.5:
        for form in sorted(LANDS[row["country"]]["forms"], key=len, reverse=True):
            name = name.removesuffix(f" {form}")
    if chance.random() < 0.35:
        name = _slip(chance, name)
    if chance.random() < 0.1:
        name = name.upper()
    if chance.random() < 0.08 and len(name.split()) > 2:
        name = " ".join(name.split()[:2])
    return {"name": name}


def _reached(chance: random.Random, row: Row) -> Row:
    new: Row = {"website": None if chance.random() < 0.4 else row["website"]}
    if chance.random() < 0.45:
        domain = str(row["emails"][0]).partition("@")[2] if row["emails"] else chance.choice(FREE)
        new["emails"] = [_mail(chance, domain if chance.random() < 0.6 else chance.choice(FREE))]
    if chance.random() < 0.15:
        new["emails"] = []
    if chance.random() < 0.4:
        new["phones"] = [_phone(chance, row["country"])] if chance.random() < 0.5 else []
    elif row["phones"]:
        new["phones"] = [str(row["phones"][0]).replace(" ", chance.choice(("", "-", "/")))]
    return new


def _moved(chance: random.Random, row: Row) -> Row:
    new: Row = {}
    if chance.random() < 0.15:
        new = {"address": _address(chance, row["country"]), "postal_code": None}
    elif row["address"] and chance.random() < 0.3:
        new = {"address": _slip(chance, str(row["address"]))}
    for name, share in (("address", 0.2), ("postal_code", 0.15)):
        if chance.random() < share:
            new[name] = None
    if chance.random() < 0.08:
        new["city"] = _town(chance)  # its part of town, or the city that it belongs to
    if chance.random() < 0.03:
        new["country"] = chance.choice(list(LANDS))
    return new


def _branch(chance: random.Random, row: Row, other: Row) -> Row:
    """Another shop of one chain: its name, its domain, now and then its VAT number; everything else is its own."""
    mailbox, domain = str(other["emails"][0]).partition("@")[0], str(row["emails"][0]).partition("@")[2]
    number = row["vat_number"] if chance.random() < 0.3 else other["vat_number"]
    told = {"name": row["name"], "website": row["website"], "vat_number": number, "emails": [f"{mailbox}@{domain}"]}
    return {**other, **told}


def _family(chance: random.Random, row: Row, other: Row) -> Row:
    """Another firm of one family: part of the name, the house and the phone."""
    land = LANDS[row["country"]]
    trade = chance.choice([one for one in land["trades"] if one not in row["name"]])
    name = f"{str(row['name']).split()[0]} {trade} {chance.choice(land['forms'])}"
    return {**_neighbour(chance, row, other), "name": name, "phones": row["phones"], "vat_number": None}


def _neighbour(_chance: random.Random, row: Row, other: Row) -> Row:
    """A firm in the same house."""
    return {**other, **{name: row[name] for name in ("country", "address", "city", "postal_code")}}


def _accountant(_chance: random.Random, row: Row, other: Row) -> Row:
    """Another customer of the accountant, whose mail address both have."""
    return {**other, "emails": row["emails"], "website": None}


def _namesake(_chance: random.Random, row: Row, other: Row) -> Row:
    """A firm of the same name, most often somewhere else."""
    return {**other, "name": row["name"]}


LIKENESS: dict[str, Callable[[random.Random, Row, Row], Row]] = {
    "branch": _branch, "family": _family, "neighbour": _neighbour, "accountant": _accountant, "namesake": _namesake,
}  # fmt: skip


def _address(chance: random.Random, land: str) -> str:
    street, house = chance.choice(LANDS[land]["streets"]), chance.randint(1, 180)
    return f"{house} {street}" if land in NUMBER_FIRST else f"{street} {house}"


def _mail(chance: random.Random, domain: str) -> str:
    if domain not in FREE and chance.random() < 0.5:
        return f"{chance.choice(WORDS['mailboxes'])}@{domain}"
    person = f"{chance.choice(WORDS['first_names'])}.{_slug(chance.choice(WORDS['families']))}".lower()
    return f"{person}{chance.randint(1, 9999) if domain in FREE else ''}@{domain}"


def _phone(chance: random.Random, land: str) -> str:
    return f"{LANDS[land]['prefix']} {chance.randint(20, 899)} {chance.randrange(10**6, 10**7)}"


def _town(chance: random.Random) -> str:
    return "".join(chance.choice(WORDS["syllables"]) for _ in range(chance.randint(2, 3))).title()


def _code(chance: random.Random, land: str) -> str:
    digits = f"{chance.randrange(10**4, 10**5)}"
    return {"GB": f"{digits[:2]} {digits[2]}XY", "NL": f"{digits[:4]} AB"}.get(land, digits)


def _slug(text: str) -> str:
    return "".join(one for one in text.lower() if one.isascii() and one.isalnum())


def _slip(chance: random.Random, text: str) -> str:
    """One letter left out, doubled, exchanged with the next one, or another one."""
    at = chance.randrange(max(1, len(text) - 1))
    return chance.choice((
        text[:at] + text[at + 1 :],
        text[: at + 1] + text[at:],
        text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :],
        text[:at] + chance.choice("aeiourstn") + text[at + 1 :],
    ))  # fmt: skip

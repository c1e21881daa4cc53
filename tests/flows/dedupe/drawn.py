"""Pairs of drawn clients, and changes that make one value of a pair equal or different.

Each pair has values of its own, so that many pairs can be compared in one run without disturbing each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from flows.dedupe.comparable import comparable
from flows.dedupe.model import Model, predicted
from flows.dedupe.names import _FAMILY, _GIVEN

Client = dict[str, Any]
GIVEN = sorted(name for name in _GIVEN if 3 <= len(name) <= 9 and name.isalpha())
FAMILY = sorted(name for name in _FAMILY if 3 <= len(name) <= 9 and name.isalpha())
TRADES = ("Transport", "Consulting", "Bau", "Optik", "Bakery", "Foods", "Solar", "Immobilien")
FORMS = ("GmbH", "AG", "Ltd", "Sp. z o.o.", "UG (haftungsbeschränkt)", "S.r.l.", "GmbH & Co. KG")
TITLES = ("Dr. ", "Herr ", "Mrs ", "Dipl.-Ing. ")
ABSENT: Client = {
    "name": None, "vat_number": None, "id_number": None, "emails": (), "phones": (), "persons": (), "website": None,
    "address": None, "city": None, "postal_code": None, "country": None,
}  # fmt: skip
FIELDS: dict[str, tuple[str, ...]] = {
    "name": ("name",), "phone": ("phones",), "mailbox": ("emails",), "VAT number": ("vat_number", "country"),
    "ID number": ("id_number",), "street and house": ("address",), "city": ("city",), "postal code": ("postal_code",),
    "website": ("website",), "contact": ("persons",),
}  # fmt: skip
"""What is made equal or different, and the columns that change with it."""


def word(chance: Random, most: int = 9) -> str:
    """A coined word that no other pair has."""
    return "".join(chance.choice("bcdfghklmnprstvwz") + chance.choice("aeiou") for _ in range(chance.randint(2, 5)))[
        : max(4, most)
    ]


def client(chance: Random) -> Client:
    """A client with some of its fields filled."""
    own: dict[str, Callable[[], Any]] = {
        "name": lambda: name(chance),
        "vat_number": lambda: vat_number(chance),
        "id_number": lambda: f"{chance.choice(('HRB ', '', 'FN'))}{chance.randrange(10**5, 10**8)}",
        "emails": lambda: [mailbox(chance) for _ in range(chance.choice((1, 1, 2)))],
        "phones": lambda: [phone(chance) for _ in range(chance.choice((1, 1, 2)))],
        "persons": lambda: [person(chance) for _ in range(chance.choice((1, 1, 2)))],
        "website": lambda: f"https://www.{word(chance)}.com",
        "address": lambda: f"{word(chance)}{chance.choice(('straße', ' street', 'weg'))} {chance.randint(1, 99)}",
        "city": lambda: word(chance),
        "postal_code": lambda: str(chance.randrange(10_000, 99_999)),
        "country": lambda: chance.choice(("DE", "AT", "GB")),
    }
    return {field: make() if chance.random() < 0.6 else ABSENT[field] for field, make in own.items()}


def name(chance: Random) -> str:
    """A person's or a company's name, with titles, legal forms and numbers."""
    if chance.random() < 0.4:
        return chance.choice(("", *TITLES)) + person(chance) + chance.choice(("", "", "", " jun."))
    parts = [chance.choice((word(chance), chance.choice(FAMILY), f"{word(chance)} {word(chance)}"))]
    parts += [chance.choice(TRADES)] * (chance.random() < 0.5)
    parts += [str(chance.randint(2, 60))] * (chance.random() < 0.2)
    parts += [chance.choice(FORMS)] * (chance.random() < 0.5)
    return " ".join(parts)


def person(chance: Random) -> str:
    """A first name and a family name."""
    return f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}".title()


def mailbox(chance: Random) -> str:
    """An address at a free provider or at a company."""
    return f"{word(chance)}{chance.randrange(10**6)}@{chance.choice(('gmail.com', 'gmx.de', f'{word(chance)}.com'))}"


def phone(chance: Random) -> str:
    """A German mobile number."""
    return (
        f"+49 17{chance.randint(0, 9)} {chance.choice('2345678')}{chance.randrange(10**5, 10**6)}{chance.randint(1, 8)}"
    )


def vat_number(chance: Random) -> str:
    """A VAT number, valid or not, with its country's letters."""
    from tests.bench.dedupe_numbers import vat_number_of  # noqa: PLC0415 - a maker of the bench

    made = str(vat_number_of(chance, "DE"))
    return made if chance.random() < 0.7 else made[:-1] + str((int(made[-1]) + 1) % 10)


def pair(chance: Random) -> tuple[Client, Client]:
    """Two clients that have some values in common, and some that are alike."""
    one, other = client(chance), client(chance)
    for field in ABSENT:
        if one[field] and chance.random() < 0.5:
            other[field] = worn(chance, one[field]) if chance.random() < 0.4 else one[field]
    return one, other


def worn(chance: Random, value: Any) -> Any:
    """A value with a slip of the pen, or without its last word."""
    if not isinstance(value, str):
        return [worn(chance, value[0]), *value[1:]]
    words = value.split()
    if len(words) > 1 and chance.random() < 0.5:
        return " ".join(words[:-1])
    at = chance.randrange(len(value))
    return value[:at] + value[at + 1 :]


def equal(one: Client, other: Client, columns: Sequence[str], _: Random) -> Client:
    """The other client with the one's value, if the one has it. A contact stands for a client without a name."""
    if columns == ("persons",) and not (one["name"] and other["name"]):
        return other
    return {**other, **{column: one[column] for column in columns}} if one[columns[0]] else other


def different(one: Client, other: Client, columns: Sequence[str], chance: Random) -> Client:
    """The other client with a value that has nothing in common with the one's, if both are equal or it has none."""
    column = columns[0]
    if column == "name" and not other["name"] and other["persons"]:
        return other  # its contact's name stands for it
    if (other[column] and other[column] != one[column]) or (column == "persons" and not other["name"]):
        return other
    fresh: dict[str, Callable[[], Any]] = {
        "name": lambda: f"{chance.choice('QXYJ')}{word(chance)} Qx{word(chance)}",
        "phones": lambda: [phone(chance)],
        "emails": lambda: [f"q{word(chance)}{chance.randrange(10**6)}@x{word(chance)}.net"],
        "vat_number": lambda: vat_number(chance),
        "id_number": lambda: f"Q{chance.randrange(10**9, 10**10)}",
        "address": lambda: f"Qx{word(chance)}allee {chance.randint(100, 999)}",
        "city": lambda: f"Qx{word(chance)}",
        "postal_code": lambda: str(chance.randrange(10**6, 10**7)),
        "website": lambda: f"x{word(chance)}.org",
        "persons": lambda: [f"{word(chance)}x Q{word(chance)}"],
    }
    return {**other, column: fresh[column]()}


def probabilities(pairs: Sequence[tuple[Client, Client]], model: Model) -> list[float]:
    """The probability of each pair, compared in one run; 0 where the two are no candidates."""
    clients = [
        comparable(id=f"{at:05}{side}", **row)
        for at, both in enumerate(pairs)
        for side, row in zip("ab", both, strict=True)
    ]
    found = {(row["id_l"], row["id_r"]): row["match_probability"] for row in predicted(clients, model).to_pylist()}
    return [found.get((f"{at:05}a", f"{at:05}b"), 0.0) for at in range(len(pairs))]

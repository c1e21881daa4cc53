"""Invented books: lists of clients as small companies have them, of which it is known who is one.

Each book has a character of its own, which its seed decides: the countries, the share of private persons, which fields
are filled, how sloppily. Most clients stand by themselves. Beside them stand families of clients that only look alike
(`tests.bench.dedupe_families`), and clients entered twice (`tests.bench.dedupe_twins`).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.bench.dedupe_families import NEVER
from tests.bench.dedupe_fields import LANDS, Character, Making, Row, slug
from tests.bench.dedupe_makes import FIELDS, client, making, masked
from tests.bench.dedupe_twins import ONE
from tests.bench.dedupe_wear import slip, worn

PLAIN = "plain"
OTHERS = "unrelated"
"""The kind of a pair of clients from different families."""
LONG_NAMES = ("numbered", "owners", "offices", "vat group", "household", "agency", "neighbours", "father and son")
"""Families in which each name tells its client apart, so that one of them may be entered twice."""
MOST_DRAWN = 0.22
"""The share of draws that may make a family, so that most records of a book stand by themselves."""
FAMILIES = 0.0052
"""Families of each kind that look alike, per client."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A record of a book: who it is, the kind and number of its family, and what the book has of it.

    `again` is the way in which a second record differs from the first one of the same client.
    """

    who: str
    kind: str
    family: int
    again: str
    row: Row


def book(count: int, seed: int = 1) -> list[Labelled]:
    """Return so many records in random order. The same count and seed make the same book."""
    chance = random.Random(f"book {seed}")  # noqa: S311 - invented data, not cryptography
    m = making(chance, character(chance))
    kinds = _weights(chance, m.character)
    records: list[Labelled] = []
    for number in range(count):
        if len(records) >= count:
            break
        kind = chance.choices(list(kinds), list(kinds.values()))[0]
        records += (Labelled(f"{number}.{who}", kind, number, twice, row) for who, twice, row in _family(m, kind))
    del records[count:]
    chance.shuffle(records)
    return [
        Labelled(one.who, one.kind, one.family, one.again, _plain(one.row) | {"id": f"c{at:07d}"})
        for at, one in enumerate(records)
    ]


def kind_of(one: Labelled, other: Labelled) -> str:
    """Return the kind of a pair of records: the way in which they are one, or look alike."""
    if one.family != other.family:
        return OTHERS
    return one.again or other.again or one.kind if one.who == other.who else one.kind


def family_pairs(records: Sequence[Labelled]) -> Iterator[tuple[Labelled, Labelled]]:
    """Return each two records of one family."""
    families: dict[int, list[Labelled]] = defaultdict(list)
    for one in records:
        families[one.family].append(one)
    for members in families.values():
        for at, one in enumerate(members):
            for other in members[at + 1 :]:
                yield one, other


def character(chance: random.Random) -> Character:
    """Draw what a book is like."""
    home = chance.choice(list(LANDS))
    abroad = chance.choice((0.0, 0.05, 0.1, 0.3, 0.8))
    others = chance.sample([land for land in LANDS if land != home], chance.randint(1, 5))
    fill = {field: _share(chance) for field in FIELDS}
    fill["emails"], fill["country"] = chance.choice((0.3, 0.7, 0.9, 0.98)), chance.choice((0.0, 0.6, 1.0, 1.0))
    fill["persons"] = max(fill["persons"], chance.choice((0.3, 0.9)))
    fill["city"] = max(fill["address"], fill["city"])
    fill["postal_code"] = fill["address"] * chance.choice((1.0, 0.9, 0.5))
    if fill["emails"] + fill["phones"] + fill["address"] < 1.2:
        fill[chance.choice(("emails", "phones", "address"))] = 0.95
    own = slug(chance.choice(LANDS[home]["families"]))
    values = {
        "emails": chance.choice(("noreply@example.com", f"info@{own}.com", "keine@mail.de", "no@email.com")),
        "phones": chance.choice(("000000", "0", "-", "+000000000", "123456789")),
        "vat_number": chance.choice(("N/A", "none", "-", "keine", "000000000", "XX")),
        "address": chance.choice(("-", "unbekannt", "n/a", ".")),
    }
    return Character(
        lands={home: 1.0} | {land: abroad / len(others) for land in others if abroad},
        persons=chance.choice((0.05, 0.15, 0.3, 0.5, 0.8)), fill=fill, free_mail=chance.uniform(0.05, 0.6),
        sloppy=chance.choice((0.05, 0.1, 0.2, 0.35)), duplicates=chance.uniform(0.05, 0.2),
        towns=chance.choice((2, 5, 12, 40)), phone_style=chance.randrange(6), running_numbers=chance.random() < 0.3,
        default_values={field: value for field, value in values.items() if chance.random() < 0.3},
        defaults=chance.choice((0.0, 0.0, 0.05, 0.3)),
    )  # fmt: skip


def _share(chance: random.Random) -> float:
    return chance.choice(
        (chance.uniform(0, 0.06), chance.uniform(0.1, 0.6), chance.uniform(0.5, 1), chance.uniform(0.8, 1))
    )


def _weights(chance: random.Random, of: Character) -> dict[str, float]:
    """Return how often each kind is to be drawn."""
    weights = {kind: FAMILIES * min(2.5, chance.lognormvariate(0, 0.4)) for kind in NEVER}
    for kind in ("couple", "father and son", "successive", "sisters", "namesake company", "vat group"):
        weights[kind] *= 1.8  # families of two or three
    weights |= {kind: of.duplicates / len(ONE) * min(2.5, chance.lognormvariate(0, 0.4)) for kind in ONE}
    for kind in ("household", "couple", "namesake person", "married", "contact person"):
        weights[kind] *= 0.6 + of.persons
    drawn = sum(weights.values())
    weights = {kind: weight * min(1, MOST_DRAWN / drawn) for kind, weight in weights.items()}
    weights[PLAIN] = 1 - sum(weights.values())
    return weights


def _family(m: Making, kind: str) -> Iterator[tuple[int, str, Row]]:
    """Return the records of one new family: (identity, how it is entered again, row)."""
    if kind == PLAIN:
        yield 0, "", masked(m, client(m))
    elif kind in ONE:
        first, second = ONE[kind](m)
        yield 0, "", first
        yield 0, kind, second
        if m.chance.random() < 0.08:
            yield 0, "copied", worn(m, first, FIELDS)
    else:
        for who, row in enumerate(NEVER[kind](m)):
            yield who, "", row
            if kind in LONG_NAMES and m.chance.random() < 0.05 and (row["emails"] or row["phones"] or row["address"]):
                yield who, "retyped", worn(m, {**row, "name": _slip_in_longest(m, str(row["name"]))}, FIELDS)


def _slip_in_longest(m: Making, name: str) -> str:
    words = name.split(" ")
    at = max(range(len(words)), key=lambda place: len(words[place]) * words[place].isalpha())
    return " ".join([*words[:at], slip(m, words[at]), *words[at + 1 :]])


def _plain(row: Row) -> Row:
    return {field: value for field, value in row.items() if not field.startswith("_")}

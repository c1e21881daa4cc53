"""Names, addresses and figures for made-up clients, in the style of their countries."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from importlib import resources
from random import Random
from typing import Any

LETTERS_ONLY = {"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "æ": "ae", "Æ": "AE", "ı": "i", "đ": "d", "þ": "th"}


@dataclass(frozen=True, slots=True)
class Land:
    """One country: its ids in the lookups, and its names, addresses and phone numbers.

    In `phone`, `vat` and `postcode` each `#` is a digit. `share` is how many of about a hundred clients are from there.
    """

    country_id: int
    currency_id: str
    share: int
    domain: str
    vat: str
    phone: str
    postcode: str
    legal: tuple[str, ...]
    names: tuple[str, ...]
    trades: tuple[str, ...]
    first: tuple[str, ...]
    last: tuple[str, ...]
    cities: tuple[str, ...]
    streets: tuple[str, ...]


def _land(data: dict[str, Any]) -> Land:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    return Land(**values)


LANDS = tuple(map(_land, json.loads((resources.files("sandbox") / "data/lands.json").read_text(encoding="utf-8"))))
SYLLABLES = (
    "ba", "ce", "do", "fi", "gu", "ka", "le", "mo", "nu", "pa", "ri", "so", "te", "vo", "xa", "zi", "bel", "dor", "fen",
    "lin", "mar", "nor", "pol", "ran", "sol", "tek", "val", "ver", "zen",
)  # fmt: skip
SHARES = tuple(land.share for land in LANDS)


def land_of(rng: Random) -> Land:
    """A random country, weighted by its share."""
    return rng.choices(LANDS, SHARES)[0]


def digits(rng: Random, form: str) -> str:
    """The form with a digit for each `#`."""
    return "".join(str(rng.randrange(10)) if c == "#" else c for c in form)


def company_name(rng: Random, land: Land) -> str:
    """The name of a company of this country, with a legal form where it has one. A few share a name, as in life."""
    words = [_proper(rng, land), rng.choice(land.trades)]
    if rng.random() < 0.35:  # noqa: PLR2004 - a third carry a place or a year
        words.append(rng.choice((rng.choice(land.cities), str(rng.randrange(1900, 2025)))))
    return " ".join(filter(None, [*words, rng.choice(land.legal)]))


def _proper(rng: Random, land: Land) -> str:
    """The first part of a company's name: a word of the country, its founders, or a coined name."""
    chance = rng.random()
    if chance < 0.3:  # noqa: PLR2004 - three ways, about as often
        return rng.choice(land.names)
    if chance < 0.6:  # noqa: PLR2004
        return f"{rng.choice(land.last)} & {rng.choice(land.last)}"
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.choice((2, 3)))).capitalize()


def person(rng: Random, land: Land) -> tuple[str, str]:
    """First and last name."""
    return rng.choice(land.first), rng.choice(land.last)


def plain_letters(text: str) -> str:
    """The letters and digits of a text in lower-case ASCII; for a script without any, `x` and a number."""
    swapped = "".join(LETTERS_ONLY.get(c, c) for c in text)
    ascii_only = unicodedata.normalize("NFKD", swapped).encode("ascii", "ignore").decode().lower()
    return "".join(c for c in ascii_only if c.isalnum()) or f"x{sum(map(ord, text)) % 9973}"

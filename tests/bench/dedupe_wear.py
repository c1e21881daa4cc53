"""The differences between two records of one client: slips of the pen, other spellings, fields left out."""

from __future__ import annotations

import re

from tests.bench.dedupe_fields import LANDS, WORDS, Making, Row, mobile, private_mail, slug
from tests.bench.dedupe_makes import FIELDS, LISTS

STREETS = (
    ("straße", "str."), ("Straße", "Str."), ("strasse", "str."), ("str.", "straße"), ("Street", "St"), ("Road", "Rd"),
    ("Avenue", "Ave"), ("avenue", "av."), ("boulevard", "bd"), ("Lane", "Ln"), ("Calle", "C/"), ("Via ", "V. "),
    ("ul. ", ""), ("platz", "pl."), (", ", " "), ("rue ", "r. "), ("Drive", "Dr"), ("Road", "Rd."),
)  # fmt: skip
"""Spellings of words in street names."""


def worn(m: Making, row: Row, keep: tuple[str, ...] = ()) -> Row:
    """Return the row with some of the differences of another day: other spellings, fields left out, new data."""
    chance, sloppy = m.chance, m.character.sloppy
    new = dict(row)
    for field in FIELDS:
        if field not in keep and field != "country" and chance.random() < sloppy:
            new[field] = [] if field in LISTS else None
    new["phones"] = [_respelt(m, str(one)) if chance.random() < 0.5 else one for one in new["phones"]]
    new["emails"] = [str(one).title() if chance.random() < 0.03 else one for one in new["emails"]]
    if new["vat_number"] and chance.random() < 0.4:
        new["vat_number"] = chance.choice((
            str(new["vat_number"]).replace(".", ""), str(new["vat_number"])[2:],
            f"{str(new['vat_number'])[:2]} {str(new['vat_number'])[2:]}", str(new["vat_number"]).lower(),
        ))  # fmt: skip
    if new["address"] and chance.random() < 0.5:
        new["address"] = _respelt_street(m, str(new["address"]))
    if new["address"] and chance.random() < sloppy / 2:
        new["address"] = slip(m, str(new["address"]))
    if "emails" not in keep and new["emails"] and chance.random() < sloppy:
        new["emails"] = _other_mail(m, row)
    if "phones" not in keep and new["phones"] and chance.random() < sloppy:
        new["phones"] = [mobile(m, row["country"] or "DE")]
    if chance.random() < sloppy / 4:
        new["country"] = None
    if new["name"] and chance.random() < 0.08:
        new["name"] = str(new["name"]).upper() if chance.random() < 0.6 else str(new["name"]).lower()
    return new


def slip(m: Making, text: str) -> str:
    """Return the text with one letter left out, doubled, exchanged or replaced; digits stay."""
    chance = m.chance
    places = [at for at, letter in enumerate(text) if letter.isalpha() and at > 0] or [0]
    at = chance.choice(places)
    after = text[at + 1 : at + 2] if text[at + 1 : at + 2].isalpha() else ""
    return chance.choice((
        text[:at] + text[at + 1 :], text[: at + 1] + text[at:],
        text[:at] + chance.choice("aeiourstnlm") + text[at + 1 :],
        text[:at] + after + text[at] + text[at + 1 + len(after) :] if after else text[:at] + text[at + 1 :],
    ))  # fmt: skip


def smudged(m: Making, values: Row) -> Row:
    """Return these values with a slip of the pen in most of them."""
    new = {}
    for name, value in values.items():
        if not value or m.chance.random() < 0.2:
            continue
        if name == "emails":
            local, at, domain = str(value[0]).partition("@")
            new[name] = [slip(m, local) + at + domain if m.chance.random() < 0.6 else local + at + slip(m, domain)]
        elif name == "phones":
            new[name] = [exchanged(m, str(value[0]))]
        elif name == "vat_number":
            new[name] = exchanged(m, str(value))
        elif name == "address":
            new[name] = slip(m, str(value))
    return new


def exchanged(m: Making, text: str) -> str:
    places = [at for at in range(len(text) - 1) if text[at : at + 2].isdigit() and text[at] != text[at + 1]]
    if not places:
        return text
    at = m.chance.choice(places[len(places) // 2 :])
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _respelt(m: Making, number: str) -> str:
    return m.chance.choice((
        number.replace(" ", ""), number.replace(" ", "-"), number.replace("/", " "), re.sub(r"[()]", "", number),
        f"Tel. {number}", number,
    ))  # fmt: skip


def _respelt_street(m: Making, text: str) -> str:
    known = [pair for pair in STREETS if pair[0] in text]
    return text.replace(*m.chance.choice(known), 1) if known else text


def _other_mail(m: Making, row: Row) -> list[str]:
    domain = str(row["emails"][0]).partition("@")[2]
    if domain in LANDS[row["country"] or "DE"]["mail"]:
        return [private_mail(m, row["country"] or "DE", row["_first"], row["_last"])]
    return [f"{m.chance.choice(WORDS['mailboxes'])}@{domain}"]


def flat(text: str) -> str:
    return (
        text
        if text.isascii()
        else "".join(slug(letter) if not letter.isascii() and letter.islower() else letter for letter in text)
    )

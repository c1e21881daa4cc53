"""A client's texts in a form for comparing clients: without accents, legal forms and blanks, in one spelling.

Well-kept libraries do most of it: cleanco and anyascii for names, phonenumbers (E.164) for phones, python-stdnum for
VAT numbers. Every form is idempotent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from schemas.extras import needs

with needs("dedupe"):
    import phonenumbers
    from anyascii import anyascii
    from cleanco import basename, prepare_default_terms
    from stdnum import get_cc_module
    from stdnum.exceptions import ValidationError

FREE_MAIL: Final = frozenset({
    "aol.com", "bluewin.ch", "gmail.com", "gmx.at", "gmx.ch", "gmx.de", "gmx.net", "googlemail.com",
    "hotmail.com", "hotmail.de", "hotmail.fr", "icloud.com", "laposte.net", "libero.it", "live.com", "live.de",
    "mac.com", "mail.com", "mail.ru", "me.com", "msn.com", "orange.fr", "outlook.com", "outlook.de", "proton.me",
    "protonmail.com", "qq.com", "t-online.de", "wanadoo.fr", "web.de", "yahoo.co.uk", "yahoo.com", "yahoo.de",
    "yahoo.fr", "yandex.ru", "163.com",
})  # fmt: skip
"""Mail domains that do not belong to one company."""
DOTS_DO_NOT_COUNT: Final = frozenset({"gmail.com", "googlemail.com"})
_WORD: Final = re.compile(r"[a-z0-9]+")
_STREET: Final = {
    "street": "st", "str": "st", "strasse": "st", "road": "rd", "avenue": "ave", "av": "ave", "drive": "dr",
    "place": "pl", "court": "ct", "crescent": "cres", "circuit": "cct", "close": "cl", "lane": "ln", "square": "sq",
    "boulevard": "blvd", "blv": "blvd", "highway": "hwy", "parade": "pde", "terrace": "tce", "platz": "pl",
    "saint": "st", "sankt": "st", "north": "n", "south": "s", "east": "e", "west": "w",
    "first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th", "sixth": "6th",
    "seventh": "7th", "eighth": "8th", "ninth": "9th", "tenth": "10th",
}  # fmt: skip
"""Words in street names, each with one spelling for all."""
_ORDINAL: Final = re.compile(r"\d+(st|nd|rd|th)")
_JOINED: Final = re.compile(r"(?<=[a-z]{3})(strasse|street|str|weg|platz|place|crescent|avenue)\b")
_AND: Final = frozenset({"and", "und", "et", "y", "e", "the", "der", "die", "das", "le", "la", "les"})


def _tight(text: str) -> str:
    return "".join(_WORD.findall(anyascii(text).lower()))


_ENDS: Final = {_tight(words[-1]) for _, words in prepare_default_terms()}
"""The last words of legal forms. cleanco is slow, so it only gets names that end in one of them."""


@dataclass(frozen=True, slots=True)
class Comparable:
    """One client in comparable forms; an absent value is None or an empty tuple.

    `words` are the words of the name in alphabetical order. `tight` is the name in its own order, without blanks.
    """

    id: str
    name: str | None
    words: tuple[str, ...]
    tight: str | None
    vat_number: str | None
    id_number: str | None
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    domain: str | None
    street: str | None
    house: str | None
    city: str | None
    postal_code: str | None
    country: str | None


@lru_cache(maxsize=100_000)
def plain(text: str) -> str:
    """Return the letters and digits of any script as ASCII in lower case, with one blank between words."""
    return " ".join(_WORD.findall(anyascii(text).lower().replace("'", "")))


def name_of(text: str) -> str:
    """Return a name without legal forms and little words such as "and", its words in alphabetical order."""
    bare = text
    while (ordered := " ".join(sorted(_bare(bare).split()))) != bare:  # sorting may put a legal form at the end again
        bare = ordered
    return bare


@lru_cache(maxsize=100_000)
def _bare(text: str) -> str:
    """Return a name without legal forms and little words, its words in their own order."""
    bare = text
    while (shorter := _shorter(bare)) != bare:  # "Ltd & Co KG" has several forms; each step removes words or ends
        bare = shorter
    return bare


def _shorter(text: str) -> str:
    bare = plain(text)
    if next(filter(None, map(_tight, reversed(text.split()))), "") in _ENDS:
        bare = plain(basename(text)) or bare
    return " ".join(word for word in bare.split() if word not in _AND) or bare


@lru_cache(maxsize=100_000)
def mail_of(text: str) -> str | None:
    """Return a mail address in lower case, without a +suffix, and without the dots that Gmail ignores."""
    local, at, domain = text.strip().lower().partition("@")
    local = local.partition("+")[0]
    if not (at and local and "." in domain):
        return None
    if domain in DOTS_DO_NOT_COUNT:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


@lru_cache(maxsize=100_000)
def phone_of(text: str, country: str | None) -> str | None:
    """Return a phone number in E.164, read as one of `country` (two letters, ISO 3166); None if it is not one."""
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        digits = re.sub(r"\D", "", text)
        return digits[-9:] if len(digits) >= 7 else None  # noqa: PLR2004 - a local number: all its spellings end in these
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=100_000)
def tax_number_of(text: str, country: str | None) -> str | None:
    """Return a VAT number in its country's own form, with the country's letters; else its letters and digits alone."""
    bare = "".join(c for c in anyascii(text).upper() if c.isalnum())
    bare = re.sub(r"^(CHE\d{9})(MWST|TVA|IVA)$", r"\1", bare)
    letters = bare[:2] if bare[:2].isalpha() else (country or "")
    module = get_cc_module(letters.lower(), "vat") if len(letters) == 2 else None  # noqa: PLR2004 - ISO 3166
    if module is not None:
        try:
            return letters + str(module.compact(bare)).removeprefix(letters)
        except ValidationError:
            pass
    return bare if len(bare) >= 4 else None  # noqa: PLR2004 - shorter ones prove nothing


def number_of(text: str) -> str | None:
    """Return the letters and digits of a register number."""
    bare = "".join(c for c in anyascii(text).upper() if c.isalnum())
    return bare if len(bare) >= 4 else None  # noqa: PLR2004 - as above


@lru_cache(maxsize=100_000)
def street_of(text: str) -> tuple[str | None, str | None]:
    """Return the street with its words in one spelling, and the house number."""
    words = [_STREET.get(word, word) for word in plain(_JOINED.sub(r" \1", plain(text))).split()]
    house = next((word for word in words if word[0].isdigit() and not _ORDINAL.fullmatch(word)), None)
    rest = [word for word in words if word != house]
    return " ".join(rest) or None, house


def domain_of(website: str | None, emails: Iterable[str], free: Set[str] = FREE_MAIL) -> str | None:
    """Return the company's domain: its website's, else that of a mail address not at a free provider."""
    if website:
        host = re.sub(r"^[a-z]+://", "", website.strip().lower()).split("/")[0].removeprefix("www.")
        if "." in host:
            return host
    domains = [mail.partition("@")[2] for mail in emails]
    return next((domain for domain in domains if domain not in free), None)


def comparable(
    *,
    id: str,  # noqa: A002 - the column's name
    name: str | None,
    vat_number: str | None = None,
    id_number: str | None = None,
    emails: Sequence[str | None] = (),
    phones: Sequence[str | None] = (),
    website: str | None = None,
    address: str | None = None,
    city: str | None = None,
    postal_code: str | None = None,
    country: str | None = None,
    free: Set[str] = FREE_MAIL,
) -> Comparable:
    """Return the comparable forms of one client; `country` is its two-letter ISO code."""
    bare = name_of(name) if name else ""
    mails = tuple(sorted({mail for email in emails if email and (mail := mail_of(email))}))
    street, house = street_of(address) if address else (None, None)
    return Comparable(
        id, bare or None, tuple(bare.split()), _bare(name).replace(" ", "") or None if name else None,
        tax_number_of(vat_number, country) if vat_number else None, number_of(id_number) if id_number else None,
        mails, tuple(sorted({number for phone in phones if phone and (number := phone_of(phone, country))})),
        domain_of(website, mails, free), street, house, plain(city) or None if city else None,
        plain(postal_code).replace(" ", "") or None if postal_code else None, country,
    )  # fmt: skip

"""A client's texts in a form for comparing clients: without accents, legal forms and blanks, in one spelling.

Well-kept libraries do most of it: phonenumbers (E.164) for phones, python-stdnum for VAT numbers, anyascii for other
scripts. Names have a module of their own. What only fills a field ("N/A", noreply@, 000000) is no value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from flows.dedupe.names import LONGEST, Name, folded, name_of, person_of, plain
from schemas.extras import needs

with needs("dedupe"):
    import phonenumbers
    from anyascii import anyascii
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
SITES_OF_MANY: Final = frozenset({
    "facebook.com", "fb.com", "google.com", "instagram.com", "linkedin.com", "sites.google.com", "t.me", "tiktok.com",
    "twitter.com", "wa.me", "x.com", "xing.com", "youtube.com",
})  # fmt: skip
"""Websites on which many companies have a page."""
DOTS_DO_NOT_COUNT: Final = frozenset({"gmail.com", "googlemail.com"})
_STREET: Final = {
    "street": "st", "str": "st", "strasse": "st", "road": "rd", "avenue": "ave", "av": "ave", "drive": "dr",
    "place": "pl", "court": "ct", "crescent": "cres", "circuit": "cct", "close": "cl", "lane": "ln", "square": "sq",
    "boulevard": "blvd", "blv": "blvd", "highway": "hwy", "parade": "pde", "terrace": "tce", "platz": "pl",
    "rue": "r", "bd": "blvd", "chemin": "ch", "impasse": "imp", "route": "rte", "calle": "c", "via": "v",
    "viale": "vle", "corso": "cso", "plaza": "pl", "piazza": "pl", "ulica": "ul", "saint": "st", "sankt": "st",
    "north": "n", "south": "s", "east": "e", "west": "w", "first": "1st", "second": "2nd", "third": "3rd",
    "fourth": "4th", "fifth": "5th", "sixth": "6th", "seventh": "7th", "eighth": "8th", "ninth": "9th",
    "tenth": "10th",
}  # fmt: skip
"""Words in street names, each with one spelling for all."""
_STREET_FOLDED: Final = {folded(word): spelling for word, spelling in _STREET.items()}
_ABROAD: Final = re.compile(r"^\s*00(?=\s?[1-9])")
"""What many type for the + of an international number."""
_ORDINAL: Final = re.compile(r"\d+(st|nd|rd|th)")
_JOINED: Final = re.compile(r"(?<=[a-z]{3})(strasse|street|str|weg|platz|place|crescent|avenu|pl)\b")
_NOBODY: Final = re.compile(
    r"(no-?_?reply|noemail|no-?_?mail|none|nomail|unknown|unbekannt|test\d*|n\.?a|keine?|donotreply|do-not-reply|xxx?|nobody)"
    r"(@.*)?|.*@(example\.(com|org|net)|test\.(com|de)|none\.(com|de)|invalid|nomail\.com|noemail\.com)"
)
"""Mail addresses that reach nobody."""
_ONE_DIGIT: Final = re.compile(r"(\d)\1*")
_FILLING: Final = re.compile(rf"{_ONE_DIGIT.pattern}|.*(0{{6}}|1{{6}}|9{{6}}|123456|987654).*")
"""Numbers typed to fill a field: one digit all along, or digits in order."""


@dataclass(frozen=True, slots=True)
class Comparable:
    """One client in comparable forms; an absent value is None or an empty tuple.

    `words` to `form` are those of the name (`names.Name`). A client without a name of its own is compared by its first
    contact person's; `named` is false then. `persons` are its contact persons, and itself if it may be a person.
    `vat_valid` is true if the VAT number has its country's form and check digit.
    """

    id: str
    name: str | None
    words: tuple[str, ...]
    tight: str | None
    numbers: tuple[str, ...]
    given: tuple[str, ...]
    initials: tuple[str, ...]
    lone: bool
    personal: bool
    form: str | None
    named: bool
    persons: tuple[str, ...]
    vat_number: str | None
    vat_valid: bool
    id_number: str | None
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    domain: str | None
    street: str | None
    house: str | None
    city: str | None
    postal_code: str | None
    country: str | None


@lru_cache(maxsize=20_000)
def mail_of(text: str) -> str | None:
    """Return a mail address in lower case, without a +suffix, and without the dots that Gmail ignores.

    None for what is no address, or reaches nobody (noreply@, test@example.com).
    """
    bare = text.strip().lower()
    local, at, domain = bare.partition("@")
    local = local.partition("+")[0]
    if not (at and local and "." in domain) or _NOBODY.fullmatch(bare):
        return None
    if domain in DOTS_DO_NOT_COUNT:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


@lru_cache(maxsize=20_000)
def phone_of(text: str, country: str | None) -> str | None:
    """Return a phone number in E.164, read as one of `country` (two letters, ISO 3166); None if it is not one."""
    digits = re.sub(r"\D", "", text)
    if len(digits) < 6 or _FILLING.fullmatch(digits.lstrip("0") or "0"):  # noqa: PLR2004 - the shortest that prove much
        return None
    try:
        number = phonenumbers.parse(_ABROAD.sub("+", text), country or None)
    except phonenumbers.NumberParseException:
        return digits[-9:]  # all spellings of a number end in these
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=20_000)
def tax_number_of(text: str, country: str | None) -> tuple[str | None, bool]:
    """Return a VAT number with its country's letters, and whether its form and check digit are right.

    A text with fewer than three digits is not a number, nor is one that only fills the field: "N/A", "0000000",
    "DE123456789".
    """
    bare = _compact(text)
    if not re.search(r"\d.*\d.*\d", bare):
        return None, False
    bare = re.sub(r"^(CHE\d{9})(MWST|TVA|IVA)$", r"\1", bare)
    letters = bare[:2] if bare[:2].isalpha() else (country or "")
    kind = "uid" if letters == "CH" else "vat"  # stdnum wants the letters MWST behind a Swiss VAT number
    module = get_cc_module(letters.lower(), kind) if len(letters) == 2 else None  # noqa: PLR2004 - ISO 3166
    if module is not None:
        try:
            made, valid = letters + str(module.compact(bare)).removeprefix(letters), bool(module.is_valid(bare))
        except ValidationError:
            pass
        else:
            digits = re.sub(r"\D", "", made)
            filling = _ONE_DIGIT if valid else _FILLING
            return (None, False) if filling.fullmatch(digits) else (made, valid)
    return number_of(bare), False


def number_of(text: str) -> str | None:
    """Return the letters and digits of a tax or register number; None if it has fewer than three or filling digits."""
    bare = _compact(text)
    digits = re.sub(r"\D", "", bare)
    return bare if len(digits) >= 3 and not _FILLING.fullmatch(digits) else None  # noqa: PLR2004


def _compact(text: str) -> str:
    return "".join(c for c in anyascii(text[:LONGEST]).upper() if c.isalnum())


@lru_cache(maxsize=20_000)
def street_of(text: str) -> tuple[str | None, str | None]:
    """Return the street with its words in one spelling, and the house number."""
    words = [_STREET_FOLDED.get(word, word) for word in plain(_JOINED.sub(r" \1", folded(text))).split()]
    house = next((word for word in words if word[0].isdigit() and not _ORDINAL.fullmatch(word)), None)
    rest = [word for word in words if word != house]
    return " ".join(rest) or None, house


def domain_of(website: str | None, emails: Iterable[str], free: Set[str] = FREE_MAIL) -> str | None:
    """Return the company's domain: its website's, else that of a mail address not at a free provider."""
    if website:
        host = re.split(r"[/?#:]", re.sub(r"^[a-z]+://", "", website.strip().lower()))[0].rpartition("@")[2]
        host = host.removeprefix("www.")
        of_many = host in free or any(f".{host}".endswith(f".{site}") for site in SITES_OF_MANY)
        if "." in host and not of_many:
            return host
    domains = [mail.partition("@")[2] for mail in emails]
    return next((domain for domain in domains if domain not in free), None)


def _as_person(name: Name, persons: Sequence[str | None]) -> Name:
    """Return a name as a person's: a contact has the same one, so its first word there is a first name."""
    same = person_of(" ".join(name.words))
    contact = next(person for person in persons if person and person_of(person) == same)
    first = folded(contact).split()[0]
    given = tuple(sorted({*name.given, *name_of(first).words} & {*name.given, *name.words}))
    return replace(name, given=given, initials=tuple(sorted({word[0] for word in given})), personal=True)


def comparable(
    *,
    id: str,  # noqa: A002 - the column's name
    name: str | None,
    vat_number: str | None = None,
    id_number: str | None = None,
    emails: Sequence[str | None] = (),
    phones: Sequence[str | None] = (),
    persons: Sequence[str | None] = (),
    website: str | None = None,
    address: str | None = None,
    city: str | None = None,
    postal_code: str | None = None,
    country: str | None = None,
    free: Set[str] = FREE_MAIL,
) -> Comparable:
    """Return the comparable forms of one client; `country` is its two-letter ISO code, `persons` its contacts."""
    own = name_of(name) if name and "@" not in name else Name()
    people = [person for text in persons if text and (person := person_of(text))]
    shown = own
    if not own.words and people:
        shown = name_of(next(text for text in persons if text and person_of(text)))
    if not own.personal and own.form is None and own.words and person_of(" ".join(own.words)) in people:
        shown = _as_person(own, persons)
    if shown.given:
        people.append(person_of(" ".join(shown.words)) or "")
    mails = tuple(sorted({mail for email in emails if email and (mail := mail_of(email))}))
    vat, valid = tax_number_of(vat_number, country) if vat_number else (None, False)
    street, house = street_of(address[:LONGEST]) if address else (None, None)
    return Comparable(
        id, " ".join(shown.words) or None, shown.words, shown.tight, shown.numbers, shown.given, shown.initials,
        shown.lone, shown.personal, shown.form, bool(own.words),
        tuple(sorted(set(people))), vat, valid, number_of(id_number) if id_number else None,
        mails, tuple(sorted({number for phone in phones if phone and (number := phone_of(phone, country))})),
        domain_of(website, mails, free), street, house, folded(city[:LONGEST]) or None if city else None,
        plain(postal_code[:LONGEST]).replace(" ", "") or None if postal_code else None, country or None,
    )  # fmt: skip

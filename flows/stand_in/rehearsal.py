"""Read a rehearsal's stock: the records of the user's own mirror, with invented words in place of personal data."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

from flows.ask.ask import reading
from flows.configuration.values import Settings
from sandbox.people.people import LETTERS_ONLY
from sandbox.people.stock import Stock
from schemas.entities import CLIENTS, CONTACTS, DOCUMENTS
from schemas.entity import Entity
from schemas.errors import SettingsError, WarehouseError
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement
from warehouse.schema.mirror import mirror_is_current

Record = dict[str, Any]
Mask = Callable[[str], str]
VOWELS, CONSONANTS = "aeiou", "bcdfghjklmnpqrstvwxyz"
LEGAL_FORMS = frozenset({
    "gmbh", "mbh", "ag", "kg", "kgaa", "ohg", "ug", "gbr", "se", "ltd", "limited", "plc", "llc", "llp", "lp", "inc",
    "corp", "corporation", "company", "co", "sa", "sas", "sarl", "srl", "spa", "bv", "nv", "ab", "as", "asa", "aps",
    "oy", "oyj", "sp", "zoo", "and", "und", "et",
})  # fmt: skip
"""Words of a business's name that stay, as they identify nobody; single letters (S.A., e.K.) stay too."""
PARTS = re.compile(r"[^\W\d_]+|\d+")
DATE = re.compile(r"\d{4}-\d\d-\d\d")
PLAIN_SETTINGS = frozenset({"entity", "payment_terms", "valid_until"})


def read_stock(settings: Settings, source: str | None, *, personal: bool) -> Stock:
    """Return the mirror of one source as the records of a server. The clients can be read once, one by one.

    Personal data is masked unless `personal`. Raises SettingsError if it is not clear which source is meant, and
    WarehouseError if there is no mirror of this version.
    """
    with reading(settings) as warehouse:
        name = _source(warehouse, source)
        values = {"source": name}
        companies = warehouse.rows("select record from ninja.companies where source = $source", values)
        groups = warehouse.rows("select record from ninja.group_settings where source = $source", values)
    key = secrets.token_bytes(32)
    clients = _clients(settings, name)
    return Stock(
        company=_parsed(companies[0][0]) if companies else {},
        groups=[_parsed(record) for (record,) in groups],
        clients=clients if personal else map(masking(key), clients),
    )


def _source(warehouse: Warehouse, wanted: str | None) -> str:
    tables = warehouse.rows(
        "select 1 from information_schema.tables where table_schema = 'ninja' and table_name = 'clients'"
    )
    if not tables:
        raise WarehouseError(f"Nothing has been pulled into {warehouse.shown} yet: `ninja-sync pull` first.")
    if not mirror_is_current(warehouse):
        raise WarehouseError(f"{warehouse.shown} is from an older version: `ninja-sync pull` upgrades it.")
    known = [str(name) for (name,) in warehouse.rows("select source from control.sources order by source")]
    if not known:
        raise WarehouseError(f"Nothing has been pulled into {warehouse.shown} yet: `ninja-sync pull` first.")
    if wanted is None and len(known) > 1:
        raise SettingsError(f"The warehouse holds several sources; choose one: --source {' | '.join(known)}")
    if wanted is not None and wanted not in known:
        raise SettingsError(f"There is no source {wanted!r} in the warehouse; there is: {', '.join(known)}.")
    return wanted or known[0]


def _clients(settings: Settings, source: str) -> Iterator[Record]:
    """Yield the clients' records, each with only the contacts and documents that the mirror has under it.

    The trap: a contact that moved to another client is still in the older record of the client it left.
    """
    with reading(settings) as warehouse:
        for batch in warehouse.streamed(statement("read/rehearsal"), {"source": source}, rows=1000):
            for row in batch.to_pylist():
                record = _parsed(row["record"])
                for name in ("contacts", "documents"):
                    own = set((row[name] or "").split(","))
                    record[name] = [child for child in record.get(name) or () if child["id"] in own]
                yield record


def _parsed(record: object) -> Record:
    parsed: Record = json.loads(str(record), parse_float=Decimal)
    return parsed


# ---- masking --------------------------------------------------------------------------------------------------------


def masking(key: bytes) -> Callable[[Record], Record]:
    """Return a function that replaces personal data in a client's record by invented words and digits.

    Under one key the same word always becomes the same word, so equal values stay equal; case, accents, punctuation,
    legal forms and lengths stay, so that duplicates are still found. Money, dates, states, numbers and lookups stay.
    """
    word = lru_cache(maxsize=1 << 17)(lambda part: _invented(key, part))
    masks = {
        "email": lambda text: _mail(word, text),
        "website": lambda text: _website(word, text),
        "name": lambda text: _words(word, text, kept=LEGAL_FORMS),
    }

    def own(entity: Entity, record: Record) -> Record:
        hidden = {f.name for f in entity.fields if f.personal} | {"routing_id"}
        return {k: _masked(word, masks.get(k), v) if k in hidden else v for k, v in record.items()}

    def masked(record: Record) -> Record:
        client = own(CLIENTS, record)
        for name in ("settings", "tax_info", "e_invoice"):
            client[name] = _inside(word, name, record.get(name))
        client["contacts"] = [own(CONTACTS, child) for child in record.get("contacts") or ()]
        papers = (
            own(DOCUMENTS, {**child, "name": ""}) | {"name": _file(word, child)}
            for child in record.get("documents") or ()
        )
        client["documents"] = list(papers)
        return client

    return masked


def _masked(word: Mask, mask: Mask | None, value: Any) -> Any:
    if not isinstance(value, str) or DATE.fullmatch(value):
        return value
    return mask(value) if mask else _words(word, value)


def _words(word: Mask, text: str, kept: frozenset[str] = frozenset()) -> str:
    """Mask each word and each run of digits separately."""

    def part(match: re.Match[str]) -> str:
        piece = match[0]
        return piece if piece.lower() in kept or (kept and len(piece) == 1 and piece.isascii()) else word(piece)

    return PARTS.sub(part, unicodedata.normalize("NFC", text))


def _mail(word: Mask, text: str) -> str:
    """Mask an address, and put it into the reserved domain `example`."""
    return f"{_words(word, text)}.example" if "@" in text else _words(word, text)


def _website(word: Mask, text: str) -> str:
    scheme, mark, rest = text.rpartition("://")
    return f"{scheme if scheme.lower() in {'http', 'https'} else _words(word, scheme)}{mark}{_words(word, rest)}"


def _file(word: Mask, document: Record) -> str:
    stem, dot, kind = str(document.get("name") or "").rpartition(".")
    return (
        f"{_words(word, stem)}{dot}{kind}" if dot and kind == document.get("type") else _words(word, stem + dot + kind)
    )


def _inside(word: Mask, name: str, value: Any) -> Any:
    """Mask texts at any depth; ids and PLAIN_SETTINGS stay."""
    if isinstance(value, dict):
        return {k: _inside(word, k, v) for k, v in value.items()}
    if isinstance(value, list):
        return [_inside(word, name, v) for v in value]
    if not isinstance(value, str) or name.endswith("_id") or name in PLAIN_SETTINGS:
        return value
    return _words(word, value)


def _invented(key: bytes, part: str) -> str:
    """Return an invented word (or digits) of the same shape, the same for all spellings with accents and capitals."""
    plain = [_plain(c) for c in part]
    whole, turn = "".join(plain), 0
    while True:
        noise = iter(_noise(key, whole, turn))
        made = "".join(_letters(c, folded, noise) for c, folded in zip(part, plain, strict=True))
        if made != part or turn > 9:  # noqa: PLR2004 - a single digit or sign may have no other
            return unicodedata.normalize("NFC", made)
        turn += 1


def _noise(key: bytes, plain: str, turn: int) -> Iterator[int]:
    block = 0
    while True:
        seed = f"{turn} {block} {plain}".encode("utf-8", "surrogatepass")
        yield from hashlib.blake2b(seed, key=key).digest()
        block += 1


def _plain(character: str) -> str:
    swapped = LETTERS_ONLY.get(character, character).casefold()
    return "".join(c for c in unicodedata.normalize("NFKD", swapped) if not unicodedata.combining(c)) or character


def _letters(character: str, plain: str, noise: Iterator[int]) -> str:
    """Return as many letters as the plain spelling has, with the marks and the case of the original."""
    marks = "".join(c for c in unicodedata.normalize("NFD", character) if unicodedata.combining(c))
    made = "".join(_letter(c, next(noise)) for c in plain) + marks
    return made.upper() if character.isupper() else made


def _letter(plain: str, chance: int) -> str:
    if plain.isdecimal():
        return "0" if plain == "0" else str(1 + chance % 9)
    for some in (VOWELS, CONSONANTS):
        if plain in some:
            return some[chance % len(some)]
    nearby = [c for c in map(chr, range(ord(plain) & ~63, (ord(plain) | 63) + 1)) if c.isalpha()]
    return nearby[chance % len(nearby)] if nearby else plain

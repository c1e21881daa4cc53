"""Row numbers as the server writes them in JSON: hashids with an empty salt and at least ten characters.

The algorithm is that of hashids.org (version 1.0 of its text), as `vinkla/hashids` runs it behind the server's
`MakesHash.php:58-63`; the salt is the default of `HASH_SALT`, so id 1 is `VolejRejNm` here as on most real servers.
"""

from __future__ import annotations

from functools import cache, lru_cache
from math import ceil

SALT = ""
MIN_LENGTH = 10
MAX_ID = 2**63 - 1


@cache
def shuffled(alphabet: str, salt: str) -> str:
    """The alphabet in the order that the salt gives it; unchanged with an empty salt.

    The result is cached: with one salt for all there are fewer than a hundred different calls.
    """
    if not salt:
        return alphabet
    letters = list(alphabet)
    v = p = 0
    for i in range(len(letters) - 1, 0, -1):
        v %= len(salt)
        p += (n := ord(salt[v]))
        j = (n + v + p) % i
        letters[i], letters[j] = letters[j], letters[i]
        v += 1
    return "".join(letters)


def _prepared() -> tuple[str, str, str]:
    """The working alphabet, the separators and the guards.

    The plain alphabet always holds enough separators, so the steps that make more of them are left out.
    """
    plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890"
    separators = shuffled("cfhistuCFHISTU", SALT)
    alphabet = "".join(c for c in plain if c not in separators)
    missing = ceil(len(alphabet) / 3.5) - len(separators)
    if missing > 0:
        separators, alphabet = separators + alphabet[:missing], alphabet[missing:]
    alphabet = shuffled(alphabet, SALT)
    count = ceil(len(alphabet) / 12)
    return alphabet[count:], separators, alphabet[:count]


ALPHABET, SEPARATORS, GUARDS = _prepared()


@lru_cache(maxsize=1 << 18)
def encode(number: int) -> str:
    """The hashed id of a row number; `''` for a negative one, which no row has."""
    if number < 0:
        return ""
    values_hash = number % 100
    lottery = ALPHABET[values_hash % len(ALPHABET)]
    alphabet = shuffled(ALPHABET, (lottery + SALT + ALPHABET)[: len(ALPHABET)])
    return _padded(lottery + _digits(number, alphabet), values_hash, alphabet)


def _digits(number: int, alphabet: str) -> str:
    out = alphabet[number % len(alphabet)]
    while number := number // len(alphabet):
        out = alphabet[number % len(alphabet)] + out
    return out


def _padded(text: str, values_hash: int, alphabet: str) -> str:
    """At least ten characters: first a guard on either side, then halves of the alphabet around them."""
    if len(text) < MIN_LENGTH:
        text = GUARDS[(values_hash + ord(text[0])) % len(GUARDS)] + text
    if len(text) < MIN_LENGTH:
        text += GUARDS[(values_hash + ord(text[2])) % len(GUARDS)]
    half = len(alphabet) // 2
    while len(text) < MIN_LENGTH:
        alphabet = shuffled(alphabet, alphabet)
        text = alphabet[half:] + text + alphabet[:half]
        if (excess := len(text) - MIN_LENGTH) > 0:
            text = text[excess // 2 : excess // 2 + MIN_LENGTH]
    return text


def decode(text: object) -> int | None:
    """The row number of a hashed id; None if `encode` makes exactly this text from no number."""
    if not isinstance(text, str) or len(text) < MIN_LENGTH or not (text.isascii() and text.isalnum()):
        return None
    split = text
    for guard in GUARDS:
        split = split.replace(guard, " ")
    parts = split.split(" ")
    number = _number(parts[1 if len(parts) in {2, 3} else 0])
    return number if number is not None and encode(number) == text else None


def _number(core: str) -> int | None:
    """The number in the lottery letter and the digits that follow it."""
    if len(core) < 2:  # noqa: PLR2004 - one lottery letter and one digit
        return None
    alphabet = shuffled(ALPHABET, (core[0] + SALT + ALPHABET)[: len(ALPHABET)])
    number = 0
    for letter in core[1:]:
        if (digit := alphabet.find(letter)) < 0:
            return None
        number = number * len(alphabet) + digit
    return number if number <= MAX_ID else None

"""Search texts as people type them: in any case, with or without accents, ue for ü, ss for ß.

A search becomes a regular expression that names all forms of each letter. So the same names fit on both engines and in
every locale: Postgres folds letters by the locale of its database, and in the locale C only those of ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import chain
from typing import Final
from unicodedata import normalize

MOST: Final = 100
"""The most characters of a search."""
_LATIN: Final = (range(0x41, 0x5B), range(0x61, 0x7B), range(0xC0, 0x250), range(0x1E00, 0x1F00))
_STROKES: Final = {"ø": "o", "ł": "l", "đ": "d", "ı": "i", "ħ": "h", "ŧ": "t"}
"""Letters that Unicode does not take apart."""
_PAIRS: Final = {"ae": "äæ", "oe": "öœø", "ue": "ü", "ss": "ß"}
"""Two letters that people write for one."""
_UNUSABLE: Final = re.compile("[\x00\ud800-\udfff]")


def pattern_of(text: str) -> str:
    """Return the regular expression of a search; '' for a blank one. It fits anywhere in a text."""
    words = _UNUSABLE.sub("", text[:MOST]).split()
    return r"\s+".join(map(_word, words))


def _word(word: str) -> str:
    parts, place = [], 0
    while place < len(word):
        pair = word[place : place + 2].casefold()
        if len(pair) == 2 and pair in _PAIRS:  # noqa: PLR2004 - two letters
            single = _class(frozenset(_PAIRS[pair] + _PAIRS[pair].upper()))
            parts.append(f"({''.join(map(_letter, pair))}|{single})")
            place += 2
        else:
            parts.append(_letter(word[place]))
            place += 1
    return "".join(parts)


def _letter(letter: str) -> str:
    small = letter.casefold()
    pair = next((pair for pair, singles in _PAIRS.items() if letter.lower() in singles), None)
    if pair == "ss":
        return f"({_class(frozenset(letter + 'ßẞ'))}|{_letter('s') * 2})"
    forms = _forms().get(_basic(small), frozenset({letter, letter.lower(), letter.upper()}))
    known = _class(frozenset(form for form in forms if len(form) == 1))
    if pair is not None:  # Müller finds Mueller
        return f"{known}{_class(frozenset(pair[1] + pair[1].upper()))}?"
    return known


def _basic(letter: str) -> str:
    return normalize("NFD", _STROKES.get(letter, letter))[:1]


def _class(letters: frozenset[str]) -> str:
    if not any(letter.isalpha() for letter in letters):
        return re.escape("".join(sorted(letters)))
    return f"[{''.join(sorted(letters))}]" if len(letters) > 1 else "".join(letters)


@cache
def _forms() -> Mapping[str, frozenset[str]]:
    """Return all forms of each Latin letter: small, capital, and with accents."""
    forms: dict[str, set[str]] = {}
    for letter in map(chr, chain(*_LATIN)):
        if letter.isalpha():
            forms.setdefault(_basic(letter.casefold()[:1]), set()).add(letter)
    return {basic: frozenset(letters) for basic, letters in forms.items()}

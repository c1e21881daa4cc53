"""Comparing texts as MariaDB's utf8mb4_unicode_ci does: without regard to case and accents.

`=` and ORDER BY know that `ß` is `ss`; LIKE compares letter by letter, so `strasse` does not find `Straße`; `Ł` and
`L` are different letters in both (recorded: filter-name). Everything beyond the basic plane has the same weight.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_LIGATURES = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}
_SUPPLEMENT = "\ufffd"
_BASIC = 0xFFFF


def folded(text: str) -> str:
    """The key that decides equality and order of two texts; blanks at the end do not count."""
    if text.isascii():
        return text.rstrip(" ").lower()
    letters = (_LIGATURES.get(c, c) for c in map(_letter, text) if not unicodedata.combining(c))
    return "".join(letters).rstrip(" ")


def compare(a: str, b: str) -> int:
    """-1, 0 or 1, for SQLite's COLLATE."""
    a, b = folded(a), folded(b)
    return (a > b) - (a < b)


@lru_cache(maxsize=1 << 14)
def _letter(c: str) -> str:
    """One letter without case and accent; still one letter."""
    if ord(c) > _BASIC:
        return _SUPPLEMENT
    plain = unicodedata.normalize("NFD", c)[0].lower()
    return plain if len(plain) == 1 else c


def _letters(text: str) -> str:
    return text.lower() if text.isascii() else "".join(map(_letter, text))


@lru_cache(maxsize=256)
def like_pattern(pattern: str) -> re.Pattern[str]:
    r"""A LIKE pattern on folded letters: `%` is any text, `_` any letter, `\` takes the next one literally."""
    out, escaped = [], False
    for c in _letters(pattern):
        if escaped or c not in "\\%_":
            out.append(re.escape(c))
            escaped = False
        elif c == "\\":
            escaped = True
        else:
            out.append(".*" if c == "%" else ".")
    if escaped:
        out.append(re.escape("\\"))
    return re.compile("".join(out), re.DOTALL)


def like(pattern: str, value: str | None) -> bool:
    """Whether `value LIKE pattern`."""
    return value is not None and like_pattern(pattern).fullmatch(_letters(value)) is not None

"""Names in comparable forms: without titles, legal forms and little words, with one spelling of common words.

cleanco knows the legal forms, anyascii transliterates. Numbers stand apart from the words: "Solarpark 29" and
"Solarpark 30" are two companies with one word. So do first names: "Hans Huber" and "Peter Huber" are two people.
`given_names.txt` and `family_names.txt` hold names of 42 countries, from Faker (names.LICENSE); `names.json` the rest.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from schemas.extras import needs

with needs("dedupe"):
    from anyascii import anyascii
    from cleanco import basename, prepare_default_terms

LONGEST: Final = 200
"""Letters of a text that are compared; none of a client's needs more, and comparing long ones takes long."""
_HERE: Final = Path(__file__).parent
_WORD: Final = re.compile(r"[a-z0-9]+")
_UMLAUT: Final = re.compile(r"(?<=[aou])e")
"""The e of ae, oe and ue, which is how some write umlauts: "Koeln" is "Köln"."""
_NUMBER: Final = re.compile(r"0*(\d+[a-z]?)(?:st|nd|rd|th)?")
_SPELLINGS: Final = [
    (re.compile(pattern, re.IGNORECASE), spelling)
    for pattern, spelling in (
        (r"\bges\.?\s?m\.?\s?b\.?\s?h\b\.?|\bgesellschaft mit beschr(ä|ae)nkter haftung\b|\bggmbh\b", " GmbH "),
        (r"\(?haftungsbeschr(ä|ae)nkt\)?|\bi\.\s?[lg]\.\s*$", ""),
        (r"株式会社|有限会社|合同会社|(股份)?有限公司", " "),
        (r"\b(und|and|et|u\.)\s+(?=co\b)", "& "),
        (r"\be\.\s?(k|u|v)\.", r"e\1"),
        (r"\bs\.\s?à\s?r\.\s?l\b\.?", "Sarl"),
        (r"\bs\.\s?l\.\s?u\b\.?", "SL"),
        (r"\bs(oc)?\.\s?coop\b\.?(\s?a\s?r\.?\s?l\b\.?)?", "Coop"),
    )
]
"""Legal forms in a spelling that is known; "in liquidation" and the like are none."""
_ALSO_FORMS: Final = frozenset({
    "aktiengesellschaft", "coop", "ek", "ekfm", "ekfr", "eood", "eu", "ev", "genossenschaft", "keg", "oeg",
    "partgmbb", "sci", "ug",
})  # fmt: skip
"""Legal forms that cleanco does not know."""
_ENDING: Final = re.compile(r"(?<=[a-z]{3})(iy|ij|yi|yy|y|j)$")
_ROMAN: Final = re.compile(r"(?=[ivxl])(x{0,3}|xl|lx{0,3}|xc)(i{1,3}|iv|vi{0,3}|ix)?")
"""Roman numbers below a hundred."""
_ROMAN_DIGITS: Final = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


@dataclass(frozen=True, slots=True)
class Name:
    """A name in comparable forms.

    `words` are in alphabetical order; `tight` is the name in its own order, without blanks. `numbers` are its numbers,
    and "sen" or "jun". `given` are its first names and initials, if it may be a person's name, nicknames as the whole
    name; `initials` are their first letters. `lone` is true for a single first or family name, which many have.
    `personal` is true if it is most probably a person's name. `form` is a company's legal form. A generic name ("Test",
    "Walk-in customer") names nobody: it has no words.
    """

    words: tuple[str, ...] = ()
    tight: str | None = None
    numbers: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    initials: tuple[str, ...] = ()
    lone: bool = False
    personal: bool = False
    form: str | None = None


@lru_cache(maxsize=20_000)
def plain(text: str) -> str:
    """Return the letters and digits of any script as ASCII in lower case, with one blank between words.

    Signs such as ®, ° and emoji are no letters; anyascii would spell them.
    """
    ascii_text = text if text.isascii() else anyascii("".join(" " if _is_sign(letter) else letter for letter in text))
    return " ".join(_WORD.findall(ascii_text.lower().replace("'", "")))


def _is_sign(letter: str) -> bool:
    return unicodedata.category(letter) == "So" and letter != "№"


def folded(text: str) -> str:
    """Return a plain text with umlauts written as one letter, however they were written."""
    return _UMLAUT.sub("", plain(text))


def _folded(words: Iterable[str]) -> frozenset[str]:
    return frozenset(folded(word) for word in words)


_WORDS: Final = json.loads((_HERE / "names.json").read_text(encoding="utf-8"))
_TITLES: Final = _folded(_WORDS["titles"])
_LITTLE: Final = _folded(_WORDS["little"])
_GENERIC: Final = _folded(_WORDS["generic"])
_GENERATIONS: Final[dict[str, str]] = _WORDS["generations"]
_ONE_SPELLING: Final = {folded(word): spelling for word, spelling in _WORDS["one_spelling"].items()}
_NICKNAMES: Final = {folded(name): folded(names[0]) for names in reversed(_WORDS["nicknames"]) for name in names}
_GIVEN: Final = frozenset((_HERE / "given_names.txt").read_text(encoding="utf-8").split())
_FAMILY: Final = frozenset((_HERE / "family_names.txt").read_text(encoding="utf-8").split())
_FORMS: Final[dict[str, str]] = _WORDS["forms"]
_ENDS: Final = {"".join(_WORD.findall(plain(words[-1]))) for _, words in prepare_default_terms()}
"""The last words of legal forms. cleanco is slow, so it only gets names that end in one of them."""


@lru_cache(maxsize=20_000)
def name_of(text: str) -> Name:
    """Return a name in its comparable forms.

    >>> name_of("Herr Dr. Hans Huber").words
    ('hans', 'huber')
    >>> name_of("Solarpark 29 GmbH & Co. KG").numbers
    ('29',)
    """
    text = text[:LONGEST]
    for pattern, spelling in _SPELLINGS:
        text = pattern.sub(spelling, text)
    bare = _bare(text)
    spoken = folded(bare).split()
    words = [
        word
        for place, word in enumerate(spoken)
        if word not in _LITTLE or place == len(spoken) - 1 > 0 == len(word) - 1
    ]
    words = [word for word in words if word not in _TITLES] or words
    numbers, rest = _parted(words)
    if numbers and not rest:  # "1&1", "123"
        return Name(tuple(sorted(numbers)), "".join(numbers))
    if all(len(word) == 1 for word in words) and len(words) > 1 and "".join(words) not in _GENERIC:  # "H&M", "B.M.W."
        return Name(("".join(words),), "".join(words), form=_form(text, bare))
    if all(word in _GENERIC or len(word) == 1 for word in rest):
        return Name()
    form = _form(text, bare)
    spelt = [_ONE_SPELLING.get(word, word) for word in rest]
    given = _given(rest)
    whole = {_whole(word) for word in given}
    return Name(
        tuple(sorted(spelt)), "".join(spelt), tuple(sorted(set(numbers))), tuple(sorted(whole)),
        tuple(sorted({word[0] for word in whole.union(given)})),
        len(rest) == 1 and _people(rest), form is None and bool(given) and (len(rest) == 2 or _people(rest)),  # noqa: PLR2004
        form,
    )  # fmt: skip


def person_of(first: str, last: str = "") -> str | None:
    """Return a person's name for comparing: its words in order, nicknames whole; None if it has fewer than two.

    >>> person_of("Hans", "Huber")
    'huber johannes'
    """
    words = name_of(f"{first} {last}".strip()).words
    return " ".join(sorted(map(_whole, words))) if len(words) > 1 else None


def _whole(word: str) -> str:
    """Return a nickname's whole name, and one spelling of the ends that transliterations write as y, i, j or iy."""
    return _ENDING.sub("i", _NICKNAMES.get(word, word))


def _bare(text: str) -> str:
    """Return a name without its legal form. "Ltd & Co KG" has several; each step removes one."""
    bare = text
    while (last := "".join(_WORD.findall(plain(bare.split()[-1]))) if bare.split() else "") in _ENDS | _ALSO_FORMS:
        shorter = " ".join(bare.split()[:-1]) if last in _ALSO_FORMS else basename(bare)
        if shorter == bare or not plain(shorter):
            break
        bare = shorter
    return bare


def _form(text: str, bare: str) -> str | None:
    """Return the legal form that `bare` lacks, in one spelling."""
    whole, rest = (plain(part).replace(" ", "") for part in (text, bare))
    form = whole.removeprefix(rest) if whole != rest and whole.startswith(rest) else ""
    return _FORMS.get(form, form) or None


def _parted(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return what counts in a name, and its words: numbers, "sen" and "jun", and a letter at its end ("Haus B")."""
    marks, rest = [], []
    for place, word in enumerate(words):
        if match := _NUMBER.fullmatch(word):
            marks.append(match[1])
        elif word in _GENERATIONS and place and (place == len(words) - 1 or _people(words[:place])):
            marks.append(_GENERATIONS[word])
        elif (
            place
            and (_ROMAN.fullmatch(word) or len(word) == 1)
            and (len(word) > 1 or place == len(words) - 1)
            and not _people(words[:place])
        ):
            marks.append(_arabic(word))
        else:
            rest.append(word)
    return marks, rest


def _arabic(word: str) -> str:
    """Return a roman number in digits, "II" as "2"; any other word, and a letter other than I, V or X, unchanged."""
    if not _ROMAN.fullmatch(word) or word == "l":
        return word
    digits = [_ROMAN_DIGITS[letter] for letter in word]
    return str(sum(-n if n < max(digits[at:]) else n for at, n in enumerate(digits)))


def _people(words: Sequence[str]) -> bool:
    """Whether all of these words are first or family names."""
    return all(word in _GIVEN or word in _FAMILY for word in words)


def _given(words: Sequence[str]) -> frozenset[str]:
    """Return the first names and initials of a name that may be a person's: two to five words, one a first name."""
    if not 2 <= len(words) <= 5:  # noqa: PLR2004 - words of a person's name
        return frozenset()
    given = _GIVEN.intersection(words)
    initials = frozenset(word for word in words if len(word) == 1)
    if not given and (not initials or len(words) != 2):  # noqa: PLR2004 - an initial and a family name
        return frozenset()
    whole = given | initials
    return whole if len(whole) < len(words) or (len(words) == 2 and not initials) else frozenset()  # noqa: PLR2004

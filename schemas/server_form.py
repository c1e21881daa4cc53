"""Converts a value to write into the value that the server will keep, or refuses it before anything is sent.

The server trims texts, empties blank ones, strips tags from names, cuts texts that are too long, takes any number for a
country, and answers 200 to all of it (UpdateClientRequest, BulkClientRequest of 5.10.42, its database without strict
mode). This module refuses values that the server would change silently. It foresees the changes that the server makes
openly (blanks, '' for empty), so that a value that is there already compares as equal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import Final

from schemas.country_names import code_of_country
from schemas.entities import CLIENTS
from schemas.entity import Field, Kind, Written
from schemas.fields import SHORT

LONG: Final = 65_535
"""Bytes of a text column of the server."""
PHONE: Final = 255
"""Characters of the client's own phone (recorded; other short texts have 191)."""
CLASSIFICATIONS: Final = (
    "individual", "business", "company", "partnership", "trust", "charity", "government", "other",
)  # fmt: skip
_BLANKS: Final = r"[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\u200b\u200e]+"
_EDGES = re.compile(rf"\A{_BLANKS}|{_BLANKS}\Z")
"""The blanks that Laravel's TrimStrings takes off: of any script, U+200B too (recorded)."""
_ODD_EDGES = re.compile(r"\A[\x1c-\x1f\u180e]|[\x1c-\x1f\u180e]\Z")
"""Characters that some count as blanks and others do not, so nobody can predict the result."""
_TAG = re.compile(r"<(?![ \t\n\r\v\f])")
_WHOLE: Final = ("payment_terms", "valid_until")
NUMBERS: Final = ("default_task_rate", *_WHOLE)
"""Columns whose text is a number."""
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,9}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,6})?", re.ASCII)
_LISTS: Final[Mapping[str, str]] = {
    "country_id": "countries", "shipping_country_id": "countries", "industry_id": "industries", "size_id": "sizes",
    "currency_id": "currencies", "language_id": "languages", "group_settings_id": "group_settings",
}  # fmt: skip
_LIST_WORDS: Final = {"group_settings": "groups"}
_HOW: Final = {
    "countries": "the English name or the code, such as DE", "currencies": "the name or the code, such as EUR",
    "languages": "the English name or the code, such as de",
}  # fmt: skip
"""How an entry of a list can be written, besides its id."""
NEAR: Final = 0.8
"""How alike a text and a name must be to be suggested: lower, Deutschland would suggest Netherlands."""
_NEVER_EMPTY: Final[Mapping[str, str]] = {
    "number": "the server draws a new number in its place",
    "country_id": "the server puts the company's country in its place",
    "currency_id": "the server puts the company's currency in its place",
}
"""Columns that a PUT cannot empty, and why (ClientRepository.php:55-112, UpdateClientRequest.php:108-113).

`bulk_update` can empty `country_id`.
"""

NEVER_EMPTIED: Final = ("number", "currency_id")
"""Columns that nothing can empty: once they are filled, an undo cannot put the blank back."""
GIVEN_BY_PUT: Final = ("currency_id", "country_id")
"""Columns that a PUT fills from the company where empty (UpdateClientRequest:108-113, ClientRepository.php:73-77)."""


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists that decode the server's ids, each as id → name; `codes` has code → id (CH, EUR, de) by list.

    Without a list, its values are not checked.
    """

    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


NO_LISTS: Final = Lists()


class Refused(ValueError):
    """A value cannot be written. The message goes after the field's name and says why, without the value."""


WRITABLE: Final[Mapping[str, Field]] = {f.name: f for f in CLIENTS.fields if f.written is not Written.NEVER}
"""The columns of a client that can be written, by name; `settings` is written setting by setting."""


def writable(name: str) -> Field:
    """The field of a column. Raises Refused, with the reason, for a column that cannot be written."""
    its_field = WRITABLE.get(name)
    if its_field is not None and its_field.kind is not Kind.JSON:
        return its_field
    if its_field is not None:
        raise Refused("is written setting by setting (currency_id, language_id, payment_terms, ...)")
    if name in {f.name for f in CLIENTS.fields}:
        raise Refused("cannot be written: only the server sets it")
    near = get_close_matches(name.casefold(), WRITABLE, n=1)
    raise Refused("is not a field of a client" + (f": did you mean {near[0]}?" if near else ""))


def as_stored(wanted: Field, value: object, lists: Lists = NO_LISTS) -> object:
    """The value as the server will show it afterwards; None means empty. Raises Refused.

    Flags are true or false; every other column is a text, and whole numbers count as texts. Only the server knows
    whether an `assigned_user_id` exists and a mail is an address: it stores nobody, or refuses.
    """
    if wanted.kind is Kind.FLAG:
        return _flag(value)
    if wanted.name == "send_reminders" and value not in (None, ""):
        return "true" if _flag(value) else "false"
    text = _text(value)
    if text is None:
        return None
    if wanted.name == "default_task_rate":
        return _rate(text)
    if wanted.name in _LISTS:
        return _listed(_LISTS[wanted.name], text, lists)
    _check_meaning(wanted, text)
    return _short_enough(wanted, text)


def _check_meaning(wanted: Field, text: str) -> None:
    """Raise Refused for a text that the server would change or drop."""
    if wanted.name == "classification" and text not in CLASSIFICATIONS:
        raise Refused(f"must be one of {', '.join(CLASSIFICATIONS)}")
    if wanted.name == "name" and _TAG.search(text):
        raise Refused("holds a `<` with something behind it: the server takes that for HTML and strips it")
    if wanted.name.endswith("_notes") and "</sc" in text:
        raise Refused("holds `</sc`, which the server replaces")
    if wanted.name == "number" and text == "0":
        raise Refused(f"is 0: {_NEVER_EMPTY['number']}")
    if text == "0" and wanted.kind is not Kind.SETTING:
        raise Refused("is 0, which the server shows as empty")
    if wanted.name in _WHOLE and not _WHOLE_NUMBER.fullmatch(text):
        raise Refused("is not a whole number")


def as_sent(name: str, value: object) -> object:
    """The form to send of a setting's value from `as_stored`: the server takes no texts for numbers and flags there.

    (ClientGroupSettingsSaver: `default_task_rate is not a valid float`; it does not read "false" as a bool.)
    """
    if value is None:
        return None
    if name == "send_reminders":
        return value == "true"
    return Decimal(str(value)) if name == "default_task_rate" else value


def trimmed(text: str) -> str:
    """A text without the blanks at its edges, which the server always takes off."""
    return _EDGES.sub("", text)


def list_of(name: str) -> str | None:
    """The server's list for checking a column; None where there is none."""
    return _LISTS.get(name)


def check_emptied(name: str, *, by_bulk: bool) -> None:
    """Raise Refused for a column that the server does not leave empty."""
    if name in _NEVER_EMPTY and not (by_bulk and name == "country_id"):
        raise Refused(f"cannot be emptied: {_NEVER_EMPTY[name]}")


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Refused("is not text")
    text = trimmed(str(value))
    if _ODD_EDGES.search(text):
        raise Refused("begins or ends with a control character")
    if any(letter == "\x00" or "\ud800" <= letter <= "\udfff" for letter in text):
        raise Refused("holds a NUL character, or half a character")
    return text or None


def _rate(text: str) -> str:
    """The number as the server shows it, without superfluous zeros."""
    if not _NUMBER.fullmatch(text):
        raise Refused("is not a number of at most nine digits and six decimals")
    return f"{Decimal(text).normalize() or Decimal(0):f}"


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    meant = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(str(value).lower())
    if meant is None:
        raise Refused("must be true or false")
    return meant


def _listed(name: str, text: str, lists: Lists) -> str:
    """The id of a list's entry, given by its id, code or name. Raises Refused where there is no such entry."""
    known = lists.names.get(name)
    if known is None or text in known:
        return text
    if code := lists.codes.get(name, {}).get(text.upper()):
        return code
    ids = [key for key, called in known.items() if called.casefold() == text.casefold()]
    if len(ids) > 1:
        raise Refused(
            f"names several of the {_LIST_WORDS.get(name, name)}: use one of the ids {', '.join(sorted(ids))}"
        )
    if ids:
        return ids[0]
    if name == "countries" and (found := lists.codes.get(name, {}).get(code_of_country(text) or "")):
        return found
    raise Refused(f"is not one of the server's {_LIST_WORDS.get(name, name)}{_advice(name, text, known.values())}")


def _advice(name: str, text: str, known: Iterable[str]) -> str:
    """Return what to write in place of a text that a list does not have: the entry spelled almost so, or a code."""
    spelled = {called.casefold(): called for called in known}
    near = get_close_matches(text.casefold(), spelled, n=1, cutoff=NEAR)
    asked, how = f": did you mean {spelled[near[0]]}?" if near else "", _HOW.get(name, "")
    if asked and how:
        return f"{asked} Or write {how}"
    return asked or (f": write {how}" if how else "")


def _short_enough(wanted: Field, text: str) -> str:
    custom = wanted.name.startswith("custom_value")
    if wanted is WRITABLE["phone"]:  # a contact's phone is a short text like others
        most = PHONE
    elif wanted.name.endswith("_notes") or (custom and wanted.written is Written.BULK):
        if len(text.encode()) > LONG:
            raise Refused(f"is longer than {LONG:,} bytes, the most that the server keeps")
        return text
    elif custom:
        most = SHORT  # of a contact; a client's own custom values are long texts (recorded)
    else:
        most = wanted.max_length or LONG
    if len(text) > most:
        raise Refused(f"is longer than {most} characters, the most that the server keeps")
    return text

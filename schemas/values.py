"""Converts one value from the server's form to the warehouse's; raises `Unfit` with the kind of a value that cannot be.

The server's conventions (ClientTransformer of 5.10.42): nulls are sent as `''`, `0`, `false` or `{}`; times are whole
unix seconds, 0 for never; money is a JSON number, an integer literal when whole, else a float, in exponent form when
tiny. Nothing is rounded or cast silently: a value that does not fit puts its row into quarantine.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache

import msgspec

from schemas.entity import Kind
from schemas.scrub import searched

SIX_PLACES = Decimal("0.000001")
ZERO = SIX_PLACES * 0
MONEY_DIGITS = 14
"""Digits before the point."""
MONEY_LIMIT = Decimal(10) ** MONEY_DIGITS
LAST_SECOND = 253402300799
"""9999-12-31 23:59:59 UTC, the last second that every engine's timestamp can hold."""

MOST_DIGITS = 30
"""Most digits of a number in the settings: a few characters of JSON (`1e999999999`) can mean gigabytes of digits."""

LONGEST_KEY = 64
"""Characters of an id. Hashids of a 64-bit number have 13; the Postgres indexes that find rows end at 2,700."""

NOBODY = "WjnegYbwZ1"
"""The id that some transformers send for "none": the hash of 0 with the default, empty salt (config/ninja.php).

Seen on 5.12.28 for `assigned_user_id` of a client without one. With another salt the hash of 0 cannot be known. No
record has this id: ten letters do not coincide by chance.
"""

_DATE = re.compile(r"-?[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2})?")
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Unfit(ValueError):
    """A value does not fit its field. The message names the kind of value, never the value."""


def to_json(value: object) -> str:
    """JSON text of a decoded value, decimals as exact numbers."""
    return _ENCODER.encode(value).decode()


def to_json_bytes(value: object) -> bytes:
    """The same as bytes in UTF-8."""
    return _ENCODER.encode(value)


def to_json_lines(values: Sequence[object]) -> bytes:
    """The same of many values, each with a line break behind it."""
    return _ENCODER.encode_lines(values)


def holds_nul(written: str) -> bool:
    """Whether a JSON text holds a NUL character, which Postgres cannot store."""
    return "\\u0000" in written and bool(_NUL.search(written))


def text(value: object) -> str | None:
    """A text; `''` and null are NULL. A NUL character is unfit: Postgres cannot store it."""
    if value.__class__ is str:
        if not value:
            return None
        if "\x00" in value:
            raise Unfit("a text with a NUL character")
        return value
    if value is None:
        return None
    raise Unfit(f"{_kind_of(value)} instead of a text")


def link(value: object) -> str | None:
    """The id of another record; the hash of 0 is NULL."""
    record_id = text(value)
    return None if record_id == NOBODY else record_id


def mail(value: object) -> str | None:
    """A text without blanks around it; blanks alone are NULL."""
    address = text(value)
    return (address.strip() or None) if address else None


def setting(value: object) -> str | None:
    """A text, number or flag of `settings` as text; `''` and null are NULL."""
    if value.__class__ is bool:
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        if abs(Decimal(value).adjusted()) >= MOST_DIGITS:
            raise Unfit(f"a number of {MOST_DIGITS} digits or more")
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    return text(value)


def money(value: object) -> Decimal:
    """An exact decimal with six places; from an integer, a decimal in any notation, or a text holding one."""
    if value.__class__ is int:
        amount = Decimal(value)
    elif value.__class__ is Decimal:
        amount = value
    elif isinstance(value, str) and _looks_decimal(value):
        amount = Decimal(value)
    else:
        raise Unfit(f"{_kind_of(value)} instead of an amount of money")
    if not amount.is_finite() or (amount and amount.adjusted() >= MONEY_DIGITS):
        raise Unfit("an amount of money of more than 14 digits before the point")
    exact = amount.quantize(SIX_PLACES)
    if exact != amount:
        raise Unfit("an amount of money with more than six decimals")
    return exact or ZERO  # -0 is 0


def time(value: object) -> int | None:
    """Unix seconds; 0 and null are NULL. A negative time or one after the year 9999 is unfit."""
    if value.__class__ is int:
        if not value:
            return None
        if 0 < value <= LAST_SECOND:
            return value
        raise Unfit("a time before 1970 or after 9999")
    if value is None:
        return None
    raise Unfit(f"{_kind_of(value)} instead of a time in whole seconds")


@lru_cache(maxsize=4096)
def _day(text: str) -> dt.date | None:
    """The day at the start of a text; None for one of the year -1 or 0, which PHP makes of a day it cannot read."""
    if not _DATE.fullmatch(text):
        raise Unfit("a text that is not a day")
    if text.startswith(("-", "0000")):
        return None
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        raise Unfit("a day that the calendar does not have") from None


def date(value: object) -> dt.date | None:
    """A day; `''`, null and a day of the year -1 or 0 are NULL."""
    if value.__class__ is str:
        return _day(value) if value else None
    if value is None:
        return None
    raise Unfit(f"{_kind_of(value)} instead of a day")


def number(value: object) -> Decimal | None:
    """A number rounded to six places, half to even; NULL for one that is too large, or for anything else."""
    if value.__class__ is int:
        amount = Decimal(value)
    elif value.__class__ is Decimal:
        amount = value
    elif isinstance(value, str) and _looks_decimal(value):
        amount = Decimal(value)
    else:
        return None
    first = amount.adjusted()
    if not amount.is_finite() or (amount and first >= MONEY_DIGITS):
        return None
    if first < -MOST_DIGITS:
        return ZERO
    rounded = amount.quantize(SIX_PLACES)
    return None if rounded.adjusted() >= MONEY_DIGITS else rounded or ZERO


def numbered_id(parent: object, place: int) -> str:
    """The id of a child to which the server gives none."""
    return f"{parent}-{place}"


def flag(value: object) -> bool | None:
    """true or false; null is NULL."""
    if value.__class__ is bool or value is None:
        return value
    raise Unfit(f"{_kind_of(value)} instead of true or false")


def count(value: object) -> int | None:
    """A whole number of at most 64 bits; null is NULL."""
    if value.__class__ is int:
        if -(2**63) <= value < 2**63:
            return value
        raise Unfit("a whole number of more than 64 bits")
    if value is None:
        return None
    raise Unfit(f"{_kind_of(value)} instead of a whole number")


def json(value: object) -> str | None:
    """JSON text without credentials; an empty list becomes an empty object, because PHP mixes them up; null is NULL."""
    if value is None:
        return None
    if isinstance(value, (dict, list)):
        written = to_json(searched(value) or {})
        if holds_nul(written):
            raise Unfit("a text with a NUL character")
        return written
    raise Unfit(f"{_kind_of(value)} instead of an object")


CONVERT: dict[Kind, Callable[[object], object]] = {
    Kind.TEXT: text,
    Kind.LINK: link,
    Kind.MAIL: mail,
    Kind.SETTING: setting,
    Kind.MONEY: money,
    Kind.TIME: time,
    Kind.FLAG: flag,
    Kind.COUNT: count,
    Kind.JSON: json,
    Kind.DATE: date,
    Kind.NUMBER: number,
}


def _looks_decimal(value: str) -> bool:
    body = value[1:] if value[:1] == "-" else value
    whole, _, part = body.partition(".")
    return whole.isascii() and whole.isdigit() and (not part or (part.isascii() and part.isdigit()))


def _kind_of(value: object) -> str:
    if value is None:
        return "null"
    kinds = {bool: "true or false", int: "a whole number", Decimal: "a decimal", str: "a text", list: "a list"}
    return kinds.get(type(value), "an object")

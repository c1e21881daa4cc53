"""How PHP, Laravel and MySQL convert texts: casts, trimming, strip_tags, numbers in texts."""

from __future__ import annotations

import re
from typing import Any

_NUMERIC = re.compile(r"[ \t\n\r\v\f]*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?[ \t\n\r\v\f]*")
_LEADING_NUMBER = re.compile(r"[ \t\n\r\v\f]*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")
_WHOLE = re.compile(r"[-+]?(0|[1-9]\d*)")
_EDGES = re.compile(r"^[\s\ufeff\u200b\u200e]+|[\s\ufeff\u200b\u200e]+$")
_FALSE_TEXTS = ("", "0")
INT_MAX = 2**63 - 1


def trimmed(text: str) -> str:
    """Without blanks of any script at either end (Laravel's TrimStrings: nbsp and U+200B too)."""
    return _EDGES.sub("", text)


def cleaned(value: Any) -> Any:
    """The input after Laravel's TrimStrings and ConvertEmptyStringsToNull, at any depth."""
    if isinstance(value, str):
        return trimmed(value) or None
    if isinstance(value, dict):
        return {k: cleaned(v) for k, v in value.items()}
    if isinstance(value, list):
        return [cleaned(v) for v in value]
    return value


def is_numeric(text: str) -> bool:
    """PHP's is_numeric of a text: blanks around, a sign, a fraction, an exponent are fine."""
    return _NUMERIC.fullmatch(text) is not None


def leading_number(value: Any) -> float:
    """A number as MySQL reads it from a text: its leading digits, else 0."""
    if isinstance(value, bool | int | float):
        return float(value)
    match = _LEADING_NUMBER.match(str(value)) if value is not None else None
    return float(match[1]) if match else 0.0


def to_int(value: Any) -> int:
    """PHP's (int): `7.9` is 7, `1e2` is 100, `abc` is 0, an array that is not empty is 1."""
    if isinstance(value, list | dict):
        return int(bool(value))
    number = leading_number(value)
    return int(number) if abs(number) <= INT_MAX else 0


def whole_number(value: Any) -> int | None:
    """The value under FILTER_VALIDATE_INT: plain digits without leading zeros; else None."""
    if isinstance(value, bool):
        return 1 if value else None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()) and abs(float(value)) < INT_MAX:
        return int(value)
    return None


def truth(value: Any) -> bool:
    """PHP's (bool): `"0"`, `""`, 0, null and an empty array are false."""
    return value not in _FALSE_TEXTS if isinstance(value, str) else bool(value)


def filter_boolean(value: Any) -> bool:
    """FILTER_VALIDATE_BOOLEAN: `1`, `true`, `on`, `yes` are true, everything else is false."""
    return str(value).strip().lower() in {"1", "true", "on", "yes"}


def strip_tags(text: str) -> str:
    """PHP's strip_tags: from `<` to its `>`, or to the end of the text; a `<` before a blank stays.

    `>` inside quotes does not end a tag, and `<` inside a tag nests.
    """
    out, depth, quote = [], 0, ""
    for i, c in enumerate(text):
        if not depth:
            if c == "<" and not text[i + 1 : i + 2].isspace():
                depth = 1
            else:
                out.append(c)
        elif quote:
            quote = "" if c == quote else quote
        elif c in "\"'":
            quote = c
        elif c == "<" and not text[i + 1 : i + 2].isspace():
            depth += 1
        elif c == ">":
            depth -= 1
    return "".join(out)

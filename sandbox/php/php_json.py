"""JSON as PHP's json_encode writes it: `/` and everything beyond ASCII escaped, floats in their shortest form.

Client answers are pretty-printed (four blanks, empty arrays and objects inline), errors and ping are compact
(recorded on 5.10.42). Money is a Decimal here and a PHP float on the wire, as in the server's transformers.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from types import NoneType
from typing import Any

FIXED_FROM, FIXED_TO = -3, 17
"""php_gcvt writes plain digits as long as the decimal point is between these places."""


def pretty(value: Any) -> str:
    """JSON with JSON_PRETTY_PRINT."""
    return _slashed(_pretty(value, "\n"))


def compact(value: Any) -> str:
    """JSON without any blank."""
    return _slashed(_compact(value))


def _slashed(json: str) -> str:
    """JSON with `/` escaped; it occurs only in texts, so one replacement escapes all of them, which is much faster."""
    return json.replace("/", "\\/")


def _compact(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode_basestring_ascii(str(k))}:{_compact(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_compact, value)) + "]"
    return _scalar(value)


def _pretty(value: Any, newline: str) -> str:
    deeper = newline + "    "
    if isinstance(value, dict):
        rows = [
            _key(k) + (write(v) if (write := _WRITERS.get(v.__class__)) else _pretty(v, deeper))
            for k, v in value.items()
        ]
        return "{" + deeper + ("," + deeper).join(rows) + newline + "}" if rows else "{}"
    if isinstance(value, list | tuple):
        rows = [_pretty(v, deeper) for v in value]
        return "[" + deeper + ("," + deeper).join(rows) + newline + "]" if rows else "[]"
    return _scalar(value)


@lru_cache(maxsize=4096)
def _key(name: object) -> str:
    return encode_basestring_ascii(str(name)) + ": "


def _scalar(value: Any) -> str:
    write = _WRITERS.get(value.__class__)
    if write is None:
        raise TypeError(f"no JSON for {type(value).__name__}")
    return write(value)


def number(value: float | Decimal) -> str:
    """A PHP float: `0`, `120.5`, `-1.0e-6`; at most 17 digits, so very large sums lose their tail, as on the server."""
    if not value:
        return "0"
    sign, digits, exponent = Decimal(repr(float(value))).normalize().as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - no column holds NaN or infinity
    figures = "".join(map(str, digits))
    point = len(figures) + exponent
    if not FIXED_FROM <= point <= FIXED_TO:
        body = f"{figures[0]}.{figures[1:] or '0'}e{point - 1:+d}"
    elif point <= 0:
        body = "0." + "0" * -point + figures
    else:
        figures = figures.ljust(point, "0")
        body = figures[:point] + ("." + figures[point:] if figures[point:] else "")
    return ("-" if sign else "") + body


_WRITERS: dict[type, Callable[[Any], str]] = {
    str: encode_basestring_ascii,
    bool: lambda value: "true" if value else "false",
    int: str,
    float: number,
    Decimal: number,
    NoneType: lambda _: "null",
}
"""By class, because a page has thousands of values; a bool is not an int here."""

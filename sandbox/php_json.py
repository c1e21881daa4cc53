"""JSON as PHP's json_encode writes it: `/` and everything beyond ASCII escaped, floats in their shortest form.

Client answers are pretty-printed (four blanks, empty arrays and objects inline), errors and ping are compact
(recorded on 5.10.42). Money is a Decimal here and a PHP float on the wire, as in the server's transformers.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any

FIXED_FROM, FIXED_TO = -3, 17
"""php_gcvt writes plain digits as long as the decimal point stands between these places."""


def pretty(value: Any) -> str:
    """JSON with JSON_PRETTY_PRINT."""
    return _pretty(value, "\n")


def compact(value: Any) -> str:
    """JSON without any blank."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{text(str(k))}:{compact(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(compact, value)) + "]"
    return _scalar(value)


def _pretty(value: Any, newline: str) -> str:
    if isinstance(value, dict):
        if not value:
            return "{}"
        deeper = newline + "    "
        rows = [_key(k) + (text(v) if v.__class__ is str else _pretty(v, deeper)) for k, v in value.items()]
        return "{" + deeper + ("," + deeper).join(rows) + newline + "}"
    if isinstance(value, list | tuple):
        if not value:
            return "[]"
        deeper = newline + "    "
        return "[" + deeper + ("," + deeper).join([_pretty(v, deeper) for v in value]) + newline + "]"
    return _scalar(value)


@lru_cache(maxsize=4096)
def _key(name: object) -> str:
    return text(str(name)) + ": "


def text(value: str) -> str:
    """A JSON text, in ASCII only."""
    out = encode_basestring_ascii(value)
    return out.replace("/", "\\/") if "/" in out else out


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return text(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float | Decimal):
        return number(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def number(value: float | Decimal) -> str:
    """A PHP float: `0`, `120.5`, `-1.0e-6`; at most 17 digits, so very large sums lose their tail, as on the server."""
    if not value:
        return "0"
    sign, digits, exponent = Decimal(repr(float(value))).normalize().as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - NaN and infinity come out of no column
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

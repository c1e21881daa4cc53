"""A request's values, as Laravel's `$request->all()` returns them: query and body in one, cleaned."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from itertools import islice
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers

from sandbox.php.multipart import Upload, parts
from sandbox.php.text import INT_MAX, cleaned

_BRACKETS = re.compile(r"\[([^\]]*)\]")
DEEPEST = 64
"""Arrays in arrays: max_input_nesting_level. JSON may go to 512 on the server; no client record needs that."""
MOST_FIELDS = 1000
"""max_input_vars; the rest is dropped."""
Input = dict[str, Any]


def read_input(query: str, body: bytes, content_type: str) -> Input:
    """Body and query together, the body's values first and stronger; texts trimmed, empty ones None."""
    sent = {**parse_query(query), **_body(body, content_type)}
    return {k: cleaned(v) for k, v in sent.items()}


def _body(body: bytes, content_type: str) -> Input:
    """The data in a body: reads JSON and forms; anything else and anything broken is no data at all."""
    if "/json" in content_type or "+json" in content_type:
        return _json(body)
    if content_type.lower().startswith("application/x-www-form-urlencoded"):
        return parse_query(body.decode("utf-8", "replace"))
    if content_type.lower().startswith("multipart/form-data"):
        return _arrays((name, value) for name, value in parts(body, content_type) if isinstance(value, str))
    return {}


def is_json_as_said(body: bytes, content_type: str) -> bool:
    """Whether a body that claims to be JSON is JSON; an empty one is no body."""
    if not body.strip() or not ("/json" in content_type or "+json" in content_type):
        return True
    try:
        json.loads(body.decode("utf-8"), parse_constant=_unknown)
    except (ValueError, RecursionError):
        return False
    return True


def read_files(body: bytes, content_type: str) -> Input:
    """The files of a form by name, as `$request->file()` gives them: `documents[]` as a list, `documents` as one."""
    if not content_type.lower().startswith("multipart/form-data"):
        return {}
    return _arrays((name, value) for name, value in parts(body, content_type) if isinstance(value, Upload))


def _arrays(pairs: Iterable[tuple[str, Any]]) -> Input:
    out: Input = {}
    for name, value in islice(pairs, MOST_FIELDS):
        _put(out, name, value)
    return {k: _listed(v) for k, v in out.items()}


def _json(body: bytes) -> Input:
    try:
        data = json.loads(body.decode("utf-8"), parse_int=_integer, parse_float=_float, parse_constant=_unknown)
        if b"\\ud" in body.lower():
            json.dumps(data, ensure_ascii=False).encode()  # half a pair of surrogates is not text to PHP
    except (ValueError, RecursionError):
        return {}
    if not _is_shallow(data):
        return {}
    if isinstance(data, dict):
        return data
    if isinstance(data, list):
        return {str(i): v for i, v in enumerate(data)}
    return {} if data is None else {"0": data}


def _integer(digits: str) -> int | float | str:
    """Decode a whole number; PHP makes a float of one beyond 64 bits."""
    return int(digits) if abs(float(digits)) < INT_MAX else _float(digits)


def _float(digits: str) -> float | str:
    """Decode a float; PHP makes INF of one that is too large, and stores that as text, because JSON lacks it."""
    number = float(digits)
    return number if math.isfinite(number) else "INF"


def _unknown(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _is_shallow(data: Any) -> bool:
    layer = [data]
    for _ in range(DEEPEST):
        inner = (x.values() if isinstance(x, dict) else x for x in layer if isinstance(x, dict | list))
        layer = [value for values in inner for value in values]
    return not layer


def parse_query(text: str) -> Input:
    """PHP's parse_str: `a[b][]=c` becomes arrays; a name given twice has its last value; a thousand of them at most."""
    pairs = (pair.partition("=") for pair in text.split("&"))
    return _arrays((name, _text(value)) for quoted, _, value in pairs if (name := _text(quoted).lstrip(" ")))


def _text(quoted: str) -> str:
    return unquote_to_bytes(quoted.replace("+", " ")).decode("utf-8", "replace")


def _put(out: Input, name: str, value: Any) -> None:
    head = name.split("[", 1)[0]
    steps = [head.replace(".", "_").replace(" ", "_"), *_BRACKETS.findall(name[len(head) :])]
    if len(steps) > DEEPEST:
        return
    for i, step in enumerate(steps):
        key = step or str(len(out)) if i else step
        if i == len(steps) - 1:
            out[key] = value
            return
        deeper = out.get(key)
        if not isinstance(deeper, dict):
            deeper = out[key] = {}
        out = deeper


def _listed(value: Any) -> Any:
    """Arrays whose keys count up from 0 become lists; PHP does not distinguish the two."""
    if not isinstance(value, dict):
        return value
    inner = {k: _listed(v) for k, v in value.items()}
    return list(inner.values()) if list(inner) == [str(i) for i in range(len(inner))] else inner


def expects_json(headers: Headers) -> bool:
    """Laravel's expectsJson: an XMLHttpRequest that takes anything, or JSON as the first choice."""
    accepted = _by_preference(headers.get("accept", ""))
    first = accepted[0] if accepted else "*/*"
    if "/json" in first or "+json" in first:
        return True
    return headers.get("x-requested-with") == "XMLHttpRequest" and first in {"*/*", "*"}


def _by_preference(accept: str) -> list[str]:
    def quality(part: str) -> float:
        match = re.search(r";\s*q=([0-9.]+)", part)
        return -float(match[1]) if match else -1.0

    return [p.split(";")[0].strip().lower() for p in sorted(filter(str.strip, accept.split(",")), key=quality)]

"""What a request says, as Laravel's `$request->all()` gives it: query and body in one, cleaned."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers

from sandbox.multipart import Upload, parts
from sandbox.php_text import cleaned

_BRACKETS = re.compile(r"\[([^\]]*)\]")
Input = dict[str, Any]


def read_input(query: str, body: bytes, content_type: str) -> Input:
    """Body and query together, the body's values first and stronger; texts trimmed, empty ones None."""
    sent = {**parse_query(query), **_body(body, content_type)}
    return {k: cleaned(v) for k, v in sent.items()}


def _body(body: bytes, content_type: str) -> Input:
    """The data in a body: JSON and forms are read, anything else and anything broken is no data at all."""
    if "/json" in content_type or "+json" in content_type:
        return _json(body)
    if content_type.lower().startswith("application/x-www-form-urlencoded"):
        return parse_query(body.decode("utf-8", "replace"))
    if content_type.lower().startswith("multipart/form-data"):
        return _form(body, content_type)
    return {}


def _form(body: bytes, content_type: str) -> Input:
    """Fields, and over them the files, which PHP numbers apart: `documents[]` as text and as file both are first."""
    fields: Input = {}
    files: Input = {}
    for name, value in parts(body, content_type):
        _put(files if isinstance(value, Upload) else fields, name, value)
    return {k: _listed(v) for k, v in _over(fields, files).items()}


def _over(one: Input, other: Input) -> Input:
    """PHP's array_replace_recursive."""
    out = dict(one)
    for key, value in other.items():
        both = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = _over(out[key], value) if both else value
    return out


def files_in(value: Any) -> list[Upload]:
    """The files in an array of the input; none of a single file, as the server saves arrays only."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for one in inner if isinstance(one, Upload)]


def _json(body: bytes) -> Input:
    try:
        data = json.loads(body.decode("utf-8"))
    except ValueError:
        return {}
    if isinstance(data, dict):
        return data
    if isinstance(data, list):
        return {str(i): v for i, v in enumerate(data)}
    return {} if data is None else {"0": data}


def parse_query(text: str) -> Input:
    """PHP's parse_str: `a[b][]=c` becomes arrays; a name given twice has its last value."""
    out: Input = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if name := _text(name).lstrip(" "):
            _put(out, name, _text(value))
    return {k: _listed(v) for k, v in out.items()}


def _text(quoted: str) -> str:
    return unquote_to_bytes(quoted.replace("+", " ")).decode("utf-8", "replace")


def _put(out: Input, name: str, value: Any) -> None:
    head = name.split("[", 1)[0]
    steps = [head.replace(".", "_").replace(" ", "_"), *_BRACKETS.findall(name[len(head) :])]
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
    """Arrays whose keys count up from 0 as lists, as PHP makes no difference between the two."""
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

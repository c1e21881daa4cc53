"""What may stand in a recorded exchange: no secret and nobody's host, in any form. The one filter of all cassettes.

A secret is what stands under a key that says so, what the recorder itself has sent, and whatever looks like a random
key. It is replaced, not removed: a `client_hash` that is empty means that the token may not see money. What is left
stays as the server wrote it, blanks, escapes and digits included, for that is what our code has to read.
"""

from __future__ import annotations

import base64
import copy
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from vcr.request import Request

from schemas.entities import ACTIVITIES, CLIENTS, CONTACTS, DOCUMENTS
from schemas.scrub import sounds_secret
from tests.canaries import forms

SCRUBBED: Final = "scrubbed"
HOST: Final = "ninja.test"
HTML: Final = '<!DOCTYPE html>\n<html lang="en"><head><title>scrubbed</title></head><body></body></html>\n'
PDF: Final = "%PDF-1.4\n% scrubbed\n%%EOF\n"

SECRET_KEYS: Final = frozenset().union(*(entity.secrets for entity in (CLIENTS, CONTACTS, DOCUMENTS, ACTIVITIES)))
OPERATOR: Final = frozenset({"company_name", "user_name"})
"""Of a ping: who recorded it, and where."""
CREDENTIALS: Final = (
    "X-API-TOKEN", "X-API-PASSWORD", "X-API-PASSWORD-BASE64", "X-API-OAUTH-PASSWORD", "X-API-SECRET", "Authorization",
)  # fmt: skip
"""Headers of a request of which only their presence is kept."""
ASKED: Final = ("Accept", "X-Requested-With", "Content-Type")
ANSWERED: Final = frozenset(
    {
        "content-type", "date", "cache-control", "location", "retry-after", "x-app-version", "x-minimum-client-version",
        "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset",
    }
)  # fmt: skip
"""Headers of an answer that are kept. Cookies are not."""

_PART = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+|\s+', re.DOTALL)
_RANDOM = re.compile(  # 20 of upper and lower case and digits, 32 of upper and lower case, or 32 of hex
    r"(?<![A-Za-z0-9])(?:(?=[A-Za-z]*[0-9])(?=[a-z0-9]*[A-Z])(?=[A-Z0-9]*[a-z])[A-Za-z0-9]{20,}"
    r"|(?=[a-z]*[A-Z])(?=[A-Z]*[a-z])[A-Za-z]{32,}(?![0-9])"
    r"|(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{32,})"
)
_WORDS = re.compile(r"[a-z]+(_[a-z0-9]+)*|[A-Z]?[a-z]+")
_PORTAL = re.compile(r"(?<=key_login/)[^/?#\s\"'<>\\]+")
_SERVER = re.compile(r"(?<=//)[^/\s\"'<>]+(?=/(?:api/v1|client|clients|documents|storage)\b)")
_BOUNDARY = re.compile(r"boundary=\"?([^\";\s]+)\"?")


@dataclass(frozen=True, slots=True)
class Known:
    """What the recorder knows beforehand: texts that are secret wherever they stand, and texts that get another name.

    The host of the server is to be among the latter.
    """

    secrets: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()


NOTHING: Final = Known()


def scrub_request(request: Request, known: Known = NOTHING) -> Request:
    """A copy without secrets. To scrub twice is to scrub once: vcrpy does, and compares what it is left with."""
    made = copy.copy(request)
    kept = {name: request.headers[name] for name in ASKED if name in request.headers}
    body = request.body or b""
    if match := _BOUNDARY.search(kept.get("Content-Type", "")):  # a random one, made anew with each upload
        body = body.replace(match[1].encode(), b"boundary")
        kept["Content-Type"] = "multipart/form-data; boundary=boundary"
    made.headers = kept | {name: SCRUBBED for name in CREDENTIALS if name in request.headers}
    made.uri = _address(request.uri, known)
    made.body = scrub_text(body, known)
    return made


def scrub_response(response: dict, known: Known = NOTHING) -> dict:
    """A copy without secrets; a page of HTML and a PDF are replaced by small ones."""
    headers = {k: [_header(k, v, known) for v in vs] for k, vs in response["headers"].items() if k.lower() in ANSWERED}
    media = next((vs[0] for k, vs in headers.items() if k.lower() == "content-type"), "").partition(";")[0].lower()
    body, stub = response["body"]["string"], {"text/html": HTML, "application/pdf": PDF}.get(media)
    content = scrub_text(body, known) if stub is None or not body else stub.encode()
    return {"status": dict(response["status"]), "headers": headers, "body": {"string": content}}


def scrub_text(body: bytes, known: Known = NOTHING) -> bytes:
    """A body without secrets: of JSON, each by its key and each copy of it; of any other text, what is known."""
    text = body.decode("utf-8", "surrogateescape")
    found: set[str] = set(known.secrets)
    if text.lstrip()[:1] in {"{", "["}:
        text = "".join(_scanned(text, found, lambda value: value))
        clean = _cleaner(found, known)
        text = "".join(_scanned(text, set(), clean))
    else:
        text = _cleaner(found, known)(text)
    return text.encode("utf-8", "surrogateescape")


def is_secret(key: str) -> bool:
    """Whether what stands under this key must not be kept."""
    return key in SECRET_KEYS or key in OPERATOR or sounds_secret(key)


def _scanned(text: str, found: set[str], clean: Callable[[str], str]) -> Iterator[str]:
    """The parts of a JSON text, secrets replaced; what they were is added to `found`. Other texts are cleaned."""
    frames: list[tuple[bool, bool]] = []  # of each open object or list: is it an object, is all of it secret
    key, at_key = "", False
    for part in _PART.findall(text):
        is_object, secret = frames[-1] if frames else (False, False)
        if part in "{[":
            frames.append((part == "{", secret or (is_object and is_secret(key))))
            key, at_key = "", part == "{"
        elif part in "}]":
            del frames[-1:]
            at_key = False
        elif part == ",":
            at_key = is_object
        elif part[0] == '"' and at_key:
            key, at_key = _decoded(part), False
            yield _encoded(part, clean(key))
            continue
        elif part != ":" and not part.isspace():
            hidden = secret or (is_object and is_secret(key))
            yield _hidden(part, found) if hidden else _value(part, found, clean)
            continue
        yield part


def _hidden(part: str, found: set[str]) -> str:
    """A secret's own place: a text that is not empty becomes another, a number 0, true, false and null stay."""
    if part[0] != '"':
        return "0" if part[0] in "-0123456789" else part
    value = _decoded(part)
    pieces = re.split(r"[/?#=&\s]+", value) if "/" in value else [value]
    # An id of 10 characters may be that of something else as well; a word is one (`"key": "public_notes"`).
    found |= {piece for piece in pieces if len(piece) >= 12 and not _WORDS.fullmatch(piece)}
    return _encoded(part, SCRUBBED if value else "")


def _value(part: str, found: set[str], clean: Callable[[str], str]) -> str:
    """A text that is no secret by its key. The server keeps JSON in texts too (a system log, fields of gateways)."""
    if part[0] != '"':
        return part if clean(part) == part else "0"  # a password of digits alone
    value = _decoded(part)
    if value.lstrip()[:1] in {"{", "["}:
        return _encoded(part, "".join(_scanned(value, found, clean)))
    return _encoded(part, clean(value))


def _decoded(part: str) -> str:
    try:
        return str(json.loads(part, strict=False))
    except ValueError:
        return part[1:-1]


def _encoded(part: str, value: str) -> str:
    """The value as JSON: as it came, where it is the same, and in its manner."""
    if value == _decoded(part):
        return part
    return json.dumps(value).replace("/", "\\/") if "\\/" in part else json.dumps(value)


def _cleaner(found: Iterable[str], known: Known) -> Callable[[str], str]:
    """What takes secrets and hosts out of a text that is no secret itself."""
    ways = [way.decode("utf-8", "surrogateescape") for way in _ways(found)]
    renamed = [(re.compile(re.escape(old), re.IGNORECASE), new) for old, new in known.renamed]

    def clean(text: str) -> str:
        for way in ways:
            text = text.replace(way, SCRUBBED)
        for old, new in renamed:
            text = old.sub(new, text)
        text = _SERVER.sub(HOST, _PORTAL.sub(SCRUBBED, text))
        return _RANDOM.sub(SCRUBBED, text)

    return clean


def _ways(secrets: Iterable[str]) -> list[bytes]:
    """All forms of all secrets, the longest first; what is too short to be told from an ordinary word is left out."""
    ways: set[bytes] = set()
    for secret in secrets:
        raw = secret.encode("utf-8", "surrogateescape")
        padded = [base64.urlsafe_b64encode(b"\0" * n + raw)[(0, 2, 3)[n] : -4] for n in range(3)]
        ways |= {*forms(secret), *padded, raw.hex().upper().encode(), quote(secret, safe="").encode()}
    return sorted((way for way in ways if len(way) >= 6), key=lambda way: (-len(way), way))


def _header(name: str, value: str, known: Known) -> str:
    if name.lower() == "location":
        target = urlsplit(_cleaner(known.secrets, known)(value))
        return target._replace(netloc=HOST).geturl() if target.netloc else target.geturl()
    return _cleaner(known.secrets, known)(value)


def _address(uri: str, known: Known) -> str:
    """The same path and query at a host of nobody's."""
    clean, parts = _cleaner(known.secrets, known), urlsplit(uri)
    asked = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode([(key, SCRUBBED if is_secret(key) and value else clean(value)) for key, value in asked])
    return f"https://{HOST}{clean(parts.path)}" + (f"?{query}" if query else "")

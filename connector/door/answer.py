"""An HTTP reply judged: a good answer, or a failure with a name. Nothing here sends anything."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec
from httpx import codes

from connector.door.advice import start_of_json, words_before_json
from connector.door.quote import quote
from connector.door.retry import LONGEST_ASKED, Failure
from connector.door.secret import Secret
from schemas.errors import (
    ApiError,
    Invalid,
    NetworkFailed,
    NotAuthorised,
    NotFound,
    PasswordRequired,
    RateLimited,
    Rejected,
    ServerUnavailable,
    UnexpectedShape,
)

JSON: Final = "application/json"
FEW: Final = 3  # attempts for faults that seldom pass: a 500, a body that is not JSON
MINUTE_WINDOW: Final = 60.0  # seconds; Laravel counts requests by the minute
_A_YEAR: Final = 366 * 86400.0
_LONGEST_VERSION: Final = 40

_json = msgspec.json.Decoder(float_hook=Decimal)
_whole = msgspec.json.Decoder(msgspec.Raw)  # checks the grammar and builds nothing: about 1 GB/s
_ERRORS: Final[Mapping[int, type[ApiError]]] = {
    400: Invalid,
    401: NotAuthorised,
    403: NotAuthorised,
    404: NotFound,
    412: PasswordRequired,
    422: Invalid,
    429: RateLimited,
}
_SAID: Final[Mapping[int, str]] = {  # Invoice Ninja swaps 401 and 403 (Handler.php:229, TokenAuth.php:94)
    400: "The server refuses the request",
    401: "This token may not do this",
    403: "The token is not accepted",
    404: "There is no such path: is the url right?",
    412: "The password of the token's user is missing or wrong",
    422: "The server finds the request invalid",
    429: "The server answers 429: too many requests",
    503: "The server is in maintenance or overloaded (503)",
}
_MISSING_RECORD: Final = ("No query results for model", "Record with value")


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer with a status of 2xx."""

    status: int
    body: bytes = field(repr=False)  # decoded from gzip; persons' data, so not shown
    date: datetime | None = None  # aware UTC: the server's clock; None where a proxy dropped the header
    version: str | None = None  # X-APP-VERSION, cut and made harmless

    @property
    def empty(self) -> bool:
        """No body at all. Invoice Ninja answers like this when it cannot write a record as JSON (bad UTF-8, INF)."""
        return not self.body

    def json(self) -> Any:
        """The body as Python values, every number with a point as an exact `Decimal`.

        Raises `UnexpectedShape` for an empty body, bad JSON or UTF-8, a number out of range, or nesting that is too
        deep. The message never shows the body.
        """
        try:
            return _json.decode(self.body)
        except (ValueError, ArithmeticError, RecursionError) as error:  # msgspec's own errors are ValueErrors
            fault = type(error).__name__
        raise UnexpectedShape(f"The server's answer cannot be read as JSON ({len(self.body)} bytes, {fault}).")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of any status, with its body decoded."""

    status: int
    headers: Mapping[str, str] = field(repr=False)  # any case
    body: bytes = field(repr=False)
    secrets: Sequence[Secret] = ()  # never quoted from it


def read_body(
    chunks: Iterable[bytes],
    encoding: str,
    limit: int,
    on_chunk: Callable[[], None],
    secrets: Sequence[Secret] = (),
) -> bytes:
    """The whole body, decoded from gzip; never more than `limit` bytes in memory, whatever the gzip stream claims.

    Raises `UnexpectedShape` for a larger body or another encoding, `NetworkFailed` for a damaged gzip stream.
    """
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise UnexpectedShape(f"The server encoded its answer as {quote(encoding, secrets)}, which nobody asked for.")
    unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16) if encoding.endswith("gzip") else None
    body, received = bytearray(), 0
    for chunk in chunks:
        on_chunk()
        received += len(chunk)
        body += _unzipped(unzip, chunk, limit + 1 - len(body)) if unzip else chunk
        if max(received, len(body)) > limit:
            raise UnexpectedShape(f"The answer is larger than max_body_bytes ({limit} bytes): ask for smaller pages.")
    if unzip and received and (not unzip.eof or unzip.unused_data):
        raise NetworkFailed("The answer's gzip stream breaks off or has bytes after its end.")
    return bytes(body)


def _unzipped(unzip: Any, chunk: bytes, room: int) -> bytes:
    try:
        return bytes(unzip.decompress(chunk, room))
    except zlib.error:
        pass
    raise NetworkFailed("The answer's gzip stream is damaged.")


def judge(reply: Reply, media: str) -> Answer | Failure:
    """The answer if it is a good one of the wanted media type, else the failure, named by what to do next."""
    status = reply.status
    if codes.is_success(status):
        return _judge_success(reply, media)
    if codes.is_redirect(status):
        return Failure(Rejected(_redirected(reply), status=status))
    if status == codes.TOO_MANY_REQUESTS or codes.is_server_error(status):
        return _unavailable(reply)
    if _media(reply) != JSON:
        text = f"Something in front of the server, or another server, answers {status} without JSON: is the url right?"
        return Failure((NotFound if status == codes.NOT_FOUND else Rejected)(text, status=status))
    kind, said = _ERRORS.get(status, ApiError), _said(reply)
    if status == codes.BAD_REQUEST and said.startswith(_MISSING_RECORD):
        return Failure(NotFound(f"There is no such record on the server{_what(said)}.", status=status))
    start = _SAID.get(status, f"The server answers {status}")
    return Failure(kind(": ".join(filter(None, [start, said])) + _fields(reply), status=status))


def _what(said: str) -> str:
    """The kind of record that is missing, in words; the server names its own PHP classes."""
    match = re.search(r"\\(\w+)\]", said)
    return f": no {match[1]} has this id" if match else ""


def _judge_success(reply: Reply, media: str) -> Answer | Failure:
    if not reply.body:
        return _answer(reply)
    sent = _media(reply)
    at = start_of_json(reply.body) if media == JSON else 0
    if at and (sent == media or _is_whole(reply.body[at:])):
        return _text_before_json(reply, at)
    if sent != media:
        what = "HTML" if sent == "text/html" else quote(sent, reply.secrets) or "something unnamed"
        wanted = "JSON" if media == JSON else media
        hint = "is NINJA_SYNC_URL the address of Invoice Ninja itself?"
        return Failure(UnexpectedShape(f"The server answered {what} instead of {wanted}: {hint}"))
    if media == JSON and not _is_whole(reply.body):
        # Even where Content-Length fits: the server may have been stopped while it wrote the answer.
        text = f"The answer's JSON is damaged or breaks off ({len(reply.body)} bytes)."
        return Failure(NetworkFailed(text, status=reply.status), tries=FEW)
    return _answer(reply)


def _text_before_json(reply: Reply, at: int) -> Failure:
    """One record may be the cause, so smaller pages may go through: see `connector.scan.pages.narrows`."""
    text = (
        f"The server sent {words_before_json(reply.body[:at], reply.secrets)} before its JSON. Something on the server "
        "writes into its answers (PHP's `display_errors`, a plugin, a changed file): look into its web server's log."
    )
    return Failure(NetworkFailed(text, status=reply.status), tries=FEW)


def _answer(reply: Reply) -> Answer:
    version = quote(reply.headers.get("x-app-version", "").strip(), reply.secrets)[:_LONGEST_VERSION] or None
    return Answer(reply.status, reply.body, _date(reply.headers.get("date")), version)


def _is_whole(body: bytes) -> bool:
    try:
        _whole.decode(body)
    except msgspec.DecodeError:
        return False
    except RecursionError:  # `Answer.json` reports this one; asking again would not make it shallower
        return True
    return True


def _unavailable(reply: Reply) -> Failure:
    """429 and 5xx. Invoice Ninja's JSON 429 has no Retry-After (Handler.php:225), maintenance may have one."""
    status, now = reply.status, _date(reply.headers.get("date"))
    asked = _retry_after(reply.headers.get("retry-after"), now)
    resume = ""
    if asked is not None and asked > LONGEST_ASKED and now is not None and asked < _A_YEAR:
        resume = f" (until {datetime.fromtimestamp(now.timestamp() + asked, UTC):%Y-%m-%d %H:%M:%S} UTC)"
    if status == codes.TOO_MANY_REQUESTS and asked is None:
        asked = MINUTE_WINDOW
    kind = RateLimited if status == codes.TOO_MANY_REQUESTS else ServerUnavailable
    said = _said(reply) if _media(reply) == JSON else "without JSON, so perhaps from a proxy in front of it"
    start = _SAID.get(status, f"The server cannot answer now ({status})")
    error = kind(": ".join(filter(None, [start, said])), status=status)
    return Failure(
        error, tries=FEW if status == codes.INTERNAL_SERVER_ERROR else math.inf, asked_wait=asked, resume=resume
    )


def _retry_after(text: str | None, now: datetime | None) -> float | None:
    """Seconds to wait; None where the header is missing or junk. A date is compared with the server's own clock."""
    if text is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", text.strip(), re.ASCII):
        return float(text)
    at = _date(text)
    return None if at is None or now is None else max(0.0, (at - now).total_seconds())


def _date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError, TypeError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _redirected(reply: Reply) -> str:
    match = re.match(r"(?:https?:)?//(?:[^/?#@]*@)?([^/?#@:\\]+)", reply.headers.get("location", ""), re.IGNORECASE)
    target = f"the host {quote(match[1], reply.secrets)}" if match else "another path of the same host"
    return (
        f"The server answers {reply.status} and points to {target}. Redirects are not followed, because they would "
        f"carry the token along. If that is your Invoice Ninja, set url to its own address, with https://."
    )


def _media(reply: Reply) -> str:
    return reply.headers.get("content-type", "").partition(";")[0].strip().lower()


def _error_body(reply: Reply) -> Mapping[str, object]:
    try:
        details = _json.decode(reply.body)
    except (ValueError, ArithmeticError, RecursionError):
        return {}
    return details if isinstance(details, dict) else {}


def whole_number(reply: Reply, header: str) -> int | None:
    """The number in a header; None where it has none."""
    text = reply.headers.get(header, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004


def message_of(details: Mapping[str, object]) -> str:
    """The server's `message`, or an empty text."""
    message = details.get("message")
    return message if isinstance(message, str) else ""


def _said(reply: Reply) -> str:
    """The server's own words, made harmless. Words of a server in debug mode are left out: they hold people's data."""
    details = _error_body(reply)
    return "" if "exception" in details else quote(message_of(details), reply.secrets)


def _fields(reply: Reply) -> str:
    """The names of the fields the server refused; their values and the messages about them are left out."""
    errors = _error_body(reply).get("errors")
    names = ", ".join(map(str, list(errors)[:20])) if isinstance(errors, dict) else ""
    return f" Fields: {quote(names, reply.secrets)}." if names else ""

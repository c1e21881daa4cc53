"""Messages for failed connections: the fault, and where to look. Nothing here sends anything."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

import httpx
import msgspec

from connector.door.address import Address
from connector.door.quote import quote
from connector.door.secret import Secret

NOTHING_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_TLS_ALERT: Final = "illegal status line: bytearray(b'\\x15\\x03"
_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")
_BEFORE_JSON: Final = re.compile(rb'\s*[{\[]\s*["{\[\]}]')
_TAG: Final = re.compile(r"<[^<>]{0,200}>")
_ADDRESS: Final = re.compile(r"\S+@\S+")
_WORDS: Final = 80  # characters shown of a text before the JSON
_LOOKED_AT: Final = 4096
Cause = TypeVar("Cause", bound=BaseException)


class Way(msgspec.Struct, frozen=True):
    """The way a request takes: to which server, through which proxy, and its time limits in seconds."""

    server: Address
    proxy: str | None
    connect_timeout: float
    read_timeout: float
    request_deadline: float


def certificate_fault(error: BaseException) -> str | None:
    """Why the server's certificate is not accepted; None where the error has another cause."""
    verification = _cause(error, ssl.SSLCertVerificationError)
    return None if verification is None else verification.verify_message or "it cannot be verified"


def in_words(error: httpx.TransportError, way: Way, secrets: Sequence[Secret]) -> str:
    """The fault below HTTP, and where to look."""
    if isinstance(error, httpx.ProxyError):
        return _proxy_refuses(way, quote(str(error), secrets))
    if not isinstance(error, NOTHING_SENT):
        return f"No complete answer came: {_of_an_answer(error, way, secrets)}."
    tls = _cause(error, ssl.SSLError)
    if way.proxy and tls is None and not _is_handshake(error):
        return f"No connection to the proxy {way.proxy}: {_of_a_connection(error, way.proxy, 'proxy', way, secrets)}"
    through = f" through the proxy {way.proxy}" if way.proxy else ""
    return f"No connection to the server{through}: {_of_a_connection(error, str(way.server), 'url', way, secrets)}"


def _proxy_refuses(way: Way, said: str) -> str:
    advice = (
        "It asks for a password, which is never sent to a proxy." if said.startswith("407") else "Is it the right one?"
    )
    return f"The proxy {way.proxy} does not let the request through ({said}). {advice}"


def _of_a_connection(
    error: httpx.TransportError, address: str, setting: str, way: Way, secrets: Sequence[Secret]
) -> str:
    tls = _cause(error, ssl.SSLError)
    if tls is not None and (tls.reason or "").upper().replace(" ", "_") in _NO_TLS:
        return (
            f"it does not speak TLS at {address}. Is the port right? Plain http:// is allowed only to a server on this "
            "machine."
        )
    if _cause(error, socket.gaierror) is not None:
        return f"the host of {address} is not known. Check `{setting}`, and whether this machine can look up names."
    if _cause(error, ConnectionRefusedError) is not None:
        return f"nobody listens at {address} (connection refused). Is it running, and is the port of `{setting}` right?"
    if isinstance(error, httpx.TimeoutException):
        return f"{address} did not answer within {way.connect_timeout:g} seconds. Does a firewall stand between?"
    return f"{quote(str(error) or type(error).__name__, secrets)}."


def _of_an_answer(error: httpx.TransportError, way: Way, secrets: Sequence[Secret]) -> str:
    if isinstance(error, httpx.TimeoutException):
        return (
            f"the server sent nothing for {way.read_timeout:g} seconds, or was not done after "
            f"{way.request_deadline:g} (timed out)"
        )
    text = str(error) or type(error).__name__
    if text.startswith(_TLS_ALERT):
        return "the server speaks TLS at this port: write https:// in `url`"
    return quote(text.rstrip("."), secrets)


def _is_handshake(error: httpx.TransportError) -> bool:
    return "handshake" in str(error)


def start_of_json(body: bytes) -> int:
    """The position where JSON seems to begin after a stray text; 0 where there is no such text."""
    match = _BEFORE_JSON.search(body[:_LOOKED_AT])
    before = body[: match.start()].strip() if match else b""
    return match.start() if match and before and not before.startswith(b'"') else 0


def words_before_json(before: bytes, secrets: Sequence[Secret]) -> str:
    """The first words of the stray text before an answer's JSON, made harmless."""
    if before.startswith(b"\xef\xbb\xbf"):
        return "a byte order mark"
    text = _TAG.sub(" ", before.decode("utf-8", "replace"))
    words = " ".join(_ADDRESS.sub("***", quote(" ".join(text.split()), secrets)).split())
    return f"`{words if len(words) <= _WORDS else words[: _WORDS - 1] + '…'}`" if words else "a text"


def _cause(error: BaseException, kind: type[Cause]) -> Cause | None:
    return next((link for link in _chain(error) if isinstance(link, kind)), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__

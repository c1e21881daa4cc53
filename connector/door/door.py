"""The one door for requests to Invoice Ninja: signed, limited, retried, and closed to every other host.

It uses httpx's transports, not its client. So nobody can switch on redirects, cookies, netrc, environment proxies, or
the logging of whole URLs (a filter can hold an e-mail address).
"""

from __future__ import annotations

import math
import random
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final, Self, cast

import httpx
import msgspec

from connector.door.address import DEFAULT_PORTS, Address, proxy_address, server_address
from connector.door.advice import NOTHING_SENT, Way, certificate_fault, in_words
from connector.door.answer import JSON, Answer, Reply, judge, read_body, whole_number
from connector.door.halt import check_halt, rest
from connector.door.limits import Limiter, Turns
from connector.door.quote import quote
from connector.door.retry import LONGEST_ASKED, Budget, Failure, RetryRules, ask_until_answered
from connector.door.secret import Secret
from connector.door.wire import DEADLINE, wire
from schemas.errors import NetworkFailed, RateLimited, Rejected, SettingsError, UnexpectedShape

MIB: Final = 1024 * 1024
NO_PARAMS: Final[Mapping[str, str | int]] = {}

_PATH = re.compile(r"(?:/[0-9A-Za-z_~-][0-9A-Za-z._~-]*)+", re.ASCII)  # no segment that begins with a dot
_json = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """Where the server is, and how gently to ask it. Raises `SettingsError` with the correction."""

    base_url: str  # https://…, without /api/v1; http:// only for this machine
    connect_timeout: float = 10.0  # seconds
    read_timeout: float = 60.0  # seconds between two bytes; the server itself stops a list after 45
    request_deadline: float = 120.0  # seconds for one whole attempt, without the name lookup
    retry_budget: float = 300.0  # seconds of failing, waiting and retrying in one run, over all requests
    attempts: int = 8  # per request
    requests_per_second: float = 5.0  # hosted Invoice Ninja allows 800 a minute per IP, for everyone behind it
    max_body_bytes: int = 64 * MIB  # of the decoded answer
    proxy: str | None = None  # http://host:port; the environment's proxies are never used
    ca_file: Path | None = None  # PEM; trust these authorities only

    def __post_init__(self) -> None:
        address = server_address(self.base_url)
        object.__setattr__(self, "base_url", str(address))
        if self.proxy is not None:
            object.__setattr__(self, "proxy", str(proxy_address(self.proxy)))
            if address.scheme == "http":
                raise SettingsError("proxy would get the token in the clear: remove it, or use an https:// url.")
        seconds = ("connect_timeout", "read_timeout", "request_deadline", "requests_per_second")
        for name in (*seconds, "attempts", "max_body_bytes"):
            if not 0 < getattr(self, name) < math.inf:
                raise SettingsError(f"{name} must be a number above 0.")
        if not 0 <= self.retry_budget < math.inf:
            raise SettingsError("retry_budget must be a number of seconds, 0 or more.")


@dataclass(frozen=True, slots=True)
class _Call:
    """One request before it is signed."""

    method: str
    url: str
    params: Mapping[str, str | int] = field(repr=False)
    body: bytes | None = field(repr=False)
    content_type: str
    media: str  # of the answer
    password: Secret | None
    repeatable: bool


class Door:
    """The open door to one server, for one run and any number of threads. A context manager: leaving closes sockets.

    `requests` counts every attempt, repetitions too. A retry calls `on_wait` with the reason and the seconds it waits.
    `turns` are shared with other doors to the same host. `check` runs before the first request, and may refuse it.
    All methods raise by what to do next: `Rejected` and its kinds (never retried), `Retryable` and its kinds (retried
    within the budget, in vain), `UnexpectedShape` (the answer is not Invoice Ninja's).
    No exception holds a secret: each is raised where no request and no httpx exception is in reach.
    """

    def __init__(
        self,
        settings: DoorSettings,
        token: Secret,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = rest,
        random: Callable[[], float] = random.random,
        on_wait: Callable[[str, float], None] | None = None,
        turns: Turns | None = None,
        check: Callable[[], None] | None = None,
    ) -> None:
        self._settings, self._token, self._clock, self._turns, self._check = settings, token, clock, turns, check
        self._address = server_address(settings.base_url)
        self._way = Way(
            self._address, settings.proxy, settings.connect_timeout, settings.read_timeout, settings.request_deadline
        )
        self._transport = transport or wire(
            only_loopback=self._address.scheme == "http", proxy=settings.proxy, ca_file=settings.ca_file, clock=clock
        )
        self._limiter = Limiter(settings.requests_per_second, clock=clock, sleep=sleep, turns=turns)
        self._rules = RetryRules(settings.attempts, Budget(settings.retry_budget, clock), clock, sleep, random, on_wait)
        self._agent = f"ninja-sync/{version('ninja-sync')}"
        self._lock, self._checking = threading.Lock(), threading.Lock()
        self.requests = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every socket, and the shared turns. May be called twice."""
        self._transport.close()
        if self._turns is not None:
            self._turns.close()

    def get(self, path: str, params: Mapping[str, str | int] = NO_PARAMS) -> Answer:
        """Read `/api/v1` + path. Retried."""
        return self._ask("GET", path, params, None, repeatable=True)

    def post(
        self,
        path: str,
        json: object | None = None,
        *,
        params: Mapping[str, str | int] = NO_PARAMS,
        repeatable: bool,
        password: Secret | None = None,
        media: str = JSON,
    ) -> Answer:
        """Send a JSON body (Decimals as exact numbers).

        Where it is not `repeatable`, it is never sent again once a byte may have reached the server. After any error
        but `Rejected` the outcome is then unknown: read it back. `media` is the type of the answer (a statement is
        `application/pdf`).
        """
        return self._ask("POST", path, params, json, repeatable=repeatable, password=password, media=media)

    def put(self, path: str, json: object, *, params: Mapping[str, str | int] = NO_PARAMS, repeatable: bool) -> Answer:
        """Replace a record. A PUT of absolute values may be repeated, as long as nobody else writes the record."""
        return self._ask("PUT", path, params, json, repeatable=repeatable)

    def delete(self, path: str) -> Answer:
        """Mark a record as deleted. Retried: to delete twice is to delete once."""
        return self._ask("DELETE", path, NO_PARAMS, None, repeatable=True)

    def upload(self, path: str, name: str, content: bytes, *, repeatable: bool) -> Answer:
        """Attach one file, as `upload_files` does."""
        return self.upload_files(path, [(name, content)], {}, repeatable=repeatable)

    def upload_files(
        self, path: str, files: Sequence[tuple[str, bytes]], fields: Mapping[str, str], *, repeatable: bool
    ) -> Answer:
        """Attach files with a POST that says PUT, since PHP reads files of a POST only. Twice sent is twice there."""
        url, parts = self.url(path), [("documents[]", file) for file in files]
        form = httpx.Request("POST", url, data={"_method": "PUT", **fields}, files=parts)
        kind = form.headers["content-type"]
        return self._repeat(_Call("POST", url, NO_PARAMS, form.read(), kind, JSON, None, repeatable))

    def quoted(self, text: str) -> str:
        """Words of the server on one short line, without the token."""
        return quote(text, (self._token,))

    def url(self, path: str) -> str:
        """The address of a path under `/api/v1`. Raises `Rejected` where it could lead elsewhere (`..`, `//`)."""
        if not _PATH.fullmatch(path):
            raise Rejected("An id or a path holds characters that no id of Invoice Ninja has; nothing was sent.")
        return f"{self._address}/api/v1{path}"

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int],
        json: object | None,
        *,
        repeatable: bool,
        password: Secret | None = None,
        media: str = JSON,
    ) -> Answer:
        body = None if json is None else _json.encode(json)
        return self._repeat(_Call(method, self.url(path), params, body, JSON, media, password, repeatable))

    def _repeat(self, call: _Call) -> Answer:
        return ask_until_answered(lambda: self._attempt(call), self._turn, self._rules, repeatable=call.repeatable)

    def _turn(self) -> None:
        with self._checking:  # once, even where several threads begin together
            if self._check is not None:
                self._check()
                self._check = None
        self._limiter.take()
        check_halt()

    def _attempt(self, call: _Call) -> Answer | Failure:
        """Send once, and judge the reply."""
        with self._lock:
            self.requests += 1
        reply = self._exchange(call)
        if isinstance(reply, Failure):
            return reply
        self._limiter.heed(whole_number(reply, "x-ratelimit-limit"), whole_number(reply, "x-ratelimit-remaining"))
        outcome = judge(reply, call.media)
        if isinstance(outcome, Failure) and isinstance(outcome.error, RateLimited):
            self._limiter.pause(min(outcome.asked_wait or 0, LONGEST_ASKED))  # for all threads
        return outcome

    def _exchange(self, call: _Call) -> Reply | Failure:
        """One request and its whole answer. A failure leaves as a value: an exception would hold the signed request."""
        deadline = self._clock() + self._settings.request_deadline
        DEADLINE.set(deadline)
        secrets = (self._token, call.password) if call.password else (self._token,)
        request = self._request(call)
        sign(request, self._address, *secrets)
        try:
            response = self._transport.handle_request(request)
            try:
                body = self._body(response, deadline, secrets)
            finally:
                response.close()
        except httpx.TransportError as error:
            return _network_failure(error, self._way, secrets)
        except (NetworkFailed, UnexpectedShape, SettingsError) as error:
            return Failure(type(error)(str(error)), tries=math.inf if isinstance(error, NetworkFailed) else 1)
        return Reply(response.status_code, response.headers, body, secrets)

    def _request(self, call: _Call) -> httpx.Request:
        settings = self._settings
        headers = {
            "Accept": call.media if call.media == JSON else f"{JSON}, {call.media}",
            "Accept-Encoding": "gzip",  # the one decoder whose output is bounded, in `read_body`
            "User-Agent": self._agent,
            "X-Requested-With": "XMLHttpRequest",  # without it Laravel answers errors with redirects and HTML
        }
        if call.body is not None:
            headers["Content-Type"] = call.content_type
        timeouts = httpx.Timeout(
            settings.read_timeout, connect=settings.connect_timeout, pool=settings.request_deadline
        )
        return httpx.Request(
            call.method,
            call.url,
            params=call.params,
            headers=headers,
            content=call.body,
            extensions={"timeout": timeouts.as_dict()},
        )

    def _body(self, response: httpx.Response, deadline: float, secrets: Sequence[Secret]) -> bytes:
        def in_time() -> None:  # our own wire checks this too; a transport that a caller passes may not
            if self._clock() > deadline:
                raise NetworkFailed("The answer did not come to its end within request_deadline.")

        encoding = response.headers.get("content-encoding", "").strip().lower()
        # The raw stream, as httpx's decoder has no limit: 64 KiB of gzip can become 64 MiB in one step.
        chunks = cast("httpx.SyncByteStream", response.stream)
        return read_body(chunks, encoding, self._settings.max_body_bytes, in_time, secrets)


def sign(request: httpx.Request, address: Address, token: Secret, password: Secret | None = None) -> None:
    """Put the secrets on a request to the configured origin. Raises `Rejected` for any other one.

    The only place that reveals a secret.
    """
    url = request.url
    host = url.raw_host.decode("ascii")  # `url.host` is the decoded form of an xn--… name
    origin = url.scheme, f"[{host}]" if ":" in host else host, url.port or DEFAULT_PORTS.get(url.scheme)
    if origin != address.origin:
        raise Rejected("The request leads to another server than base_url: it was not sent.")
    request.headers["X-API-TOKEN"] = token.reveal()
    if password:
        request.headers["X-API-PASSWORD"] = password.reveal()


def _network_failure(error: httpx.TransportError, way: Way, secrets: Sequence[Secret]) -> Failure:
    """The fault below HTTP, without the exception, which holds the request."""
    if untrusted := certificate_fault(error):
        text = f"The server's certificate is not accepted ({untrusted}); nothing was sent. If it is yours, set ca_file."
        return Failure(Rejected(text), sent=False)
    failed = NetworkFailed(in_words(error, way, secrets))
    return Failure(failed, tries=math.inf, sent=not isinstance(error, NOTHING_SENT))

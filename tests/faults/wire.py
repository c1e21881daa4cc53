"""The wire between the door and a real server, on which a fault strikes at chosen pages.

Requests go out over real sockets, to the sandbox or to a server that misbehaves below HTTP. A page is known by what is
asked for: a pull without a fault tells in advance which requests bring the first, the middle and the last page of the
data, and the same requests are struck in the pull that is tried.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import httpx

from tests.connector.door.faulty_server import Behaviour, FaultyServer

ADDRESS = "http://127.0.0.1:9"
"""The address that every pull is told: the wire leads from there to the server of the moment."""
LOOK = "look"
Strike = Callable[["Wire", httpx.Request], httpx.Response]
"""What happens to a request in place of a plain exchange."""


class Clock:
    """The real clock, and a hand that moves it on: waiting takes no time here, and is counted as time all the same."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self._ahead

    def pass_by(self, seconds: float) -> None:
        self._ahead += seconds


@dataclass
class Asked:
    """One request for clients: what was asked, and the records that came."""

    query: str
    ids: list[str]


@dataclass
class Wire(httpx.BaseTransport):
    """Leads to `server`; a request that is one of `places` is struck, once or from then on.

    `places` are queries and the names of their places; `nth` is the same by counting the pages, from 0, where the
    queries cannot be known in advance.
    """

    server: object
    clock: Clock
    sockets: httpx.BaseTransport
    strike: Strike | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    stays: bool = False
    before: Callable[[httpx.Request], None] = lambda _: None
    nth: Mapping[int, str] = field(default_factory=dict)
    edit: Callable[[dict[str, object], str], object] | None = None
    notes: bool = False  # whether to write down which records came
    struck: list[str] = field(default_factory=list)
    log: list[Asked] = field(default_factory=list)
    _pages: list[str] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._lock:  # a fault that is switched on at the server strikes the request that it is meant for
            place = self._place(request)
            if self.strike and (
                (place and place not in self.struck) or (self.stays and self.struck and is_list(request))
            ):
                self.struck.append(place or "again")
                return self.strike(self, request)
            return self.exchange(request)

    def exchange(self, request: httpx.Request) -> httpx.Response:
        """The request as it is, to the server as it is; its records noted and edited where that is wanted."""
        self.before(request)
        answer = self.forward(request, self.server.box.url)
        if is_list(request) and (self.notes or self.edit):
            answer = whole(answer)
            body = read_list(answer)
            if body is not None:
                self.log.append(Asked(request.url.query.decode(), [r["id"] for r in body["data"]]))
                if self.edit:
                    edited = self.edit(body, request.url.query.decode())
                    answer = answer if edited is None else rewritten(answer, edited)
        return answer

    def forward(self, request: httpx.Request, url: str) -> httpx.Response:
        """Send a request to another address than the one that it was made for."""
        target = httpx.URL(url).copy_with(raw_path=request.url.raw_path)
        return self.sockets.handle_request(
            httpx.Request(
                request.method, target, headers=request.headers, content=request.read(), extensions=request.extensions
            )
        )

    def _place(self, request: httpx.Request) -> str | None:
        if not is_list(request):
            return None
        query = request.url.query.decode()
        if LOOK in self.places and "updated_at%7Cdesc&per_page=1" in query and "&updated_at" not in query:
            return LOOK
        if is_page(query) and query not in self._pages:
            self._pages.append(query)
            return self.nth.get(len(self._pages) - 1) or self.places.get(query)
        return self.places.get(query)


def is_list(request: httpx.Request) -> bool:
    return request.method == "GET" and request.url.path == "/api/v1/clients"


def is_page(query: str) -> bool:
    """Whether records are wanted, in the order of their stamps: not one row to look at, and no search for poison."""
    return "sort=updated_at%7Casc" in query and "per_page=1" not in query.split("&")


def whole(answer: httpx.Response) -> httpx.Response:
    """An answer that is in memory, and still to be read by whoever wants to."""
    body = b"".join(answer.stream)
    answer.close()
    return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(body))


def read_list(answer: httpx.Response) -> dict[str, object] | None:
    try:
        body = json.loads(b"".join(answer.stream), parse_float=Decimal)
    except ValueError:
        return None
    return body if isinstance(body, dict) and isinstance(body.get("data"), list) else None


def rewritten(answer: httpx.Response, body: object, **headers: str) -> httpx.Response:
    """The same answer with another body, bytes or values of JSON (see `Raw`), and its length."""
    content = body if isinstance(body, bytes) else written(body)
    named = {k: v for k, v in answer.headers.items() if k not in ("content-length", "transfer-encoding")}
    fitting = {**named, **headers, "content-length": str(len(content))}
    return httpx.Response(answer.status_code, headers=fitting, stream=httpx.ByteStream(content))


@dataclass(frozen=True)
class Raw:
    """A value of a JSON text, byte by byte: what no encoder would write."""

    text: bytes


def written(value: object) -> bytes:
    """JSON text in which decimals are numbers with all their digits, and `Raw` is what it is."""
    raw: list[bytes] = []

    def keep(one: object) -> str:
        raw.append(one.text if isinstance(one, Raw) else format(one, "f").encode())
        return f"@raw-{len(raw) - 1}@"

    text = json.dumps(value, default=keep).encode()
    for number, content in enumerate(raw):
        text = text.replace(b'"@raw-%d@"' % number, content)
    return text


@contextmanager
def misbehaving(*behaviours: Behaviour, tls: object = None) -> Iterator[FaultyServer]:
    with FaultyServer(*behaviours, tls=tls) as server:
        yield server

"""The server of the head-to-head: the sandbox behind a relay that spoils the second page of clients.

Whoever reads, whatever the requests look like: the second different question for more than one client is the second
page. The relay needs nothing but the standard library.
"""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from sandbox.server import Sandbox, running

CLIENTS, PAGE = 100, 20
JSON = "application/json"
FOREVER = 600.0
Spoil = Callable[["Relay", http.client.HTTPResponse, bytes], None]


class Server(ThreadingHTTPServer):
    """Relays to the sandbox; `spoil` strikes the second page, once or always. The decoy stands for another host."""

    daemon_threads = True

    def __init__(self, box: Sandbox, spoil: Spoil | None = None, *, always: bool = False, purges: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), Relay)
        self.box, self.spoil, self.always, self.purges = box, spoil, always, purges
        self.pages: list[str] = []
        self.struck = 0
        self.turn, self.closing = threading.Lock(), threading.Event()
        self.decoy = Decoy()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def strikes(self, path: str) -> bool:
        """Whether this request is for the second page, and the fault is due."""
        with self.turn:
            asked = parse_qs(urlsplit(path).query)
            is_page = urlsplit(path).path == "/api/v1/clients" and int(asked.get("per_page", ["20"])[0]) > 1
            if is_page and path not in self.pages:
                self.pages.append(path)
            due = is_page and len(self.pages) >= 2 and path == self.pages[1] and (self.always or not self.struck)
            self.struck += due
            return due

    def handle_error(self, *_: object) -> None:
        """Readers that hang up are part of the trial."""


class Relay(BaseHTTPRequestHandler):
    """One connection of a reader."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self._relay()

    def do_POST(self) -> None:
        self._relay()

    def _relay(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        strikes = self.server.strikes(self.path)
        if strikes and self.server.purges:
            purge_one(self.server.box)
        upstream = http.client.HTTPConnection(urlsplit(self.server.box.url).netloc, timeout=60)
        named = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "content-length", "connection")}
        upstream.request(self.command, self.path, body or None, named)
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        if strikes and self.server.spoil:
            self.server.spoil(self, answer, content)
        else:
            self.answer(answer.status, content, answer.getheader("content-type", JSON), answer)

    def answer(
        self, status: int, content: bytes, media: str = JSON, like: http.client.HTTPResponse | None = None, **more: str
    ) -> None:
        self.send_response_only(status)
        for name in ("date", "x-app-version"):
            if like is not None and like.getheader(name):
                self.send_header(name, like.getheader(name))
        named = {name.replace("_", "-"): value for name, value in more.items()}
        for name, value in {"content-type": media, "content-length": str(len(content)), **named}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def break_off(self) -> None:
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class Decoy(ThreadingHTTPServer):
    """Another host: it answers with an empty list, and notes who sent it a token."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), DecoyAnswer)
        self.requests, self.tokens = 0, 0


class DecoyAnswer(BaseHTTPRequestHandler):
    server: Decoy

    def do_GET(self) -> None:
        self.server.requests += 1
        self.server.tokens += any("token" in name.lower() for name in self.headers)
        content = json.dumps({"data": [], "meta": {"pagination": {"total": 0, "total_pages": 0, "per_page": PAGE}}})
        self.send_response(200)
        self.send_header("content-type", JSON)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, *_: object) -> None:
        pass


def truncated(relay: Relay, answer: http.client.HTTPResponse, content: bytes) -> None:
    relay.answer(200, content[: len(content) // 2], like=answer)


def html(relay: Relay, answer: http.client.HTTPResponse, _: bytes) -> None:
    relay.answer(200, b"<!doctype html><title>Log in</title>", "text/html; charset=UTF-8", answer)


def empty(relay: Relay, answer: http.client.HTTPResponse, _: bytes) -> None:
    relay.answer(200, b"", like=answer)


def without_data(relay: Relay, answer: http.client.HTTPResponse, _: bytes) -> None:
    relay.answer(200, b'{"message":"Something went wrong"}', like=answer)


def elsewhere(relay: Relay, _: http.client.HTTPResponse, __: bytes) -> None:
    place = f"http://localhost:{relay.server.decoy.server_address[1]}{relay.path}"
    relay.answer(302, b"", "text/html", location=place)


def silence(relay: Relay, _: http.client.HTTPResponse, __: bytes) -> None:
    relay.server.closing.wait(FOREVER)
    relay.break_off()


def too_many(relay: Relay, answer: http.client.HTTPResponse, _: bytes) -> None:
    relay.answer(429, b'{"message":"Too many requests"}', like=answer, retry_after="1")


def server_error(relay: Relay, answer: http.client.HTTPResponse, _: bytes) -> None:
    relay.answer(500, b'{"message":"Server Error"}', like=answer)


def reset(relay: Relay, _: http.client.HTTPResponse, __: bytes) -> None:
    relay.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    relay.break_off()
    relay.connection.close()


def short_body(relay: Relay, answer: http.client.HTTPResponse, content: bytes) -> None:
    relay.answer(200, content[:-100], like=answer, content_length=str(len(content)))
    relay.break_off()


FAULTS: dict[str, tuple[Spoil | None, bool]] = {
    "truncated JSON, fitting length": (truncated, True),
    "200 with HTML": (html, True),
    "200 with nothing": (empty, True),
    "200 with JSON without `data`": (without_data, True),
    "a purge between two pages": (None, False),
    "302 to another host": (elsewhere, True),
    "429 once": (too_many, False),
    "500 once": (server_error, False),
    "connection reset once": (reset, False),
    "body shorter than promised, once": (short_body, False),
    "accepted, never answered, once": (silence, False),
}
"""What happens to the second page, and whether it does so always: the ten of the table and an eleventh."""


@contextmanager
def spoilt(fault: str) -> Iterator[Server]:
    """A server with 100 clients and this fault, for one reader."""
    spoil, always = FAULTS[fault]
    with running(clients=CLIENTS, seed=5) as box:
        server = Server(box, spoil, always=always, purges=spoil is None)
        threads = [threading.Thread(target=one.serve_forever, daemon=True) for one in (server, server.decoy)]
        for thread in threads:
            thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            for one in (server, server.decoy):
                one.shutdown()
                one.server_close()


def ids_on(box: Sandbox) -> list[str]:
    """The ids of all clients that the server has now, in their order."""
    return [client["id"] for client in _call(box, "GET", "/api/v1/clients?per_page=5000&sort=id%7Casc")["data"]]


def purge_one(box: Sandbox) -> None:
    """Purge the first client of the first page."""
    _call(box, "POST", f"/api/v1/clients/{ids_on(box)[0]}/purge")


def _call(box: Sandbox, method: str, path: str) -> dict[str, list[dict[str, str]]]:
    named = {"X-API-TOKEN": box.token, "X-API-PASSWORD": box.password, "X-Requested-With": "XMLHttpRequest"}
    request = urllib.request.Request(box.url + path, headers=named, method=method)  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
        found: dict[str, list[dict[str, str]]] = json.loads(answer.read() or b"{}")
        return found

"""A server that misbehaves as told, on raw sockets: what a real HTTP library would refuse to send.

    with FaultyServer(reset, answer(b'{"data":[]}')) as server:
        …                       # the first request is reset, the second one and all later ones are answered

A behaviour is `(Connection) -> bool`: it writes what it wants, and says whether the connection stays open.
"""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

Behaviour = Callable[["Connection"], bool]
PAGE = b'{"data":[{"id":"a","balance":1.10}],"meta":{}}'
JSON = "application/json"


@dataclass
class Connection:
    """One accepted connection."""

    socket: socket.socket
    stop: threading.Event
    received: bytes = b""

    def request(self) -> bytes | None:
        """The next request with its body, or None at the end of the connection."""
        while b"\r\n\r\n" not in self.received:
            if not self._more():
                return None
        head, _, rest = self.received.partition(b"\r\n\r\n")
        length = next((int(h[15:]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:")), 0)
        while len(rest) < length:
            if not self._more():
                return None
            rest = self.received.partition(b"\r\n\r\n")[2]
        self.received = rest[length:]
        return head + b"\r\n\r\n" + rest[:length]

    def _more(self) -> bool:
        try:
            part = self.socket.recv(65536)
        except OSError:
            return False
        self.received += part
        return bool(part)

    def send(self, *parts: bytes) -> None:
        for part in parts:
            self.socket.sendall(part)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def wait_for_the_other_side(self) -> None:
        """Say nothing until the client goes away or the server is closed."""
        while self._more():
            pass


class FaultyServer:
    """Listens on 127.0.0.1; `requests` holds what came, `connections` counts who knocked."""

    def __init__(self, *script: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.script, self.tls = list(script), tls
        self.requests: list[bytes] = []
        self.connections = 0
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        with self._lock:
            for one in self._open:
                _quietly(lambda one=one: one.shutdown(socket.SHUT_RDWR))
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, raw)

    def _serve(self, raw: socket.socket) -> None:
        try:
            one = self.tls.wrap_socket(raw, server_side=True) if self.tls else raw
        except OSError:
            raw.close()
            return
        with self._lock:
            self._open.add(one)
        connection = Connection(one, self._stop)
        try:
            while (request := connection.request()) is not None and self._next(request)(connection):
                pass
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(one)
                one.close()

    def _next(self, request: bytes) -> Behaviour:
        with self._lock:
            self.requests.append(request)
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]


def _quietly(action: Callable[[], object]) -> None:
    with contextlib.suppress(OSError):
        action()


def head(status: int = 200, headers: Iterable[tuple[str, object]] = ()) -> bytes:
    lines = [f"HTTP/1.1 {status} Status", "Date: Tue, 03 Nov 2026 10:00:00 GMT", *(f"{n}: {v}" for n, v in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def answer(
    body: bytes = PAGE, *, status: int = 200, media: str = JSON, headers: Iterable[tuple[str, object]] = ()
) -> Behaviour:
    """A correct answer."""

    def behave(connection: Connection) -> bool:
        fitting = [("Content-Type", media), ("Content-Length", len(body)), *headers]
        connection.send(head(status, fitting), body)
        return True

    return behave


def error(status: int, message: str, headers: Iterable[tuple[str, object]] = ()) -> Behaviour:
    """Invoice Ninja's own kind of error."""
    return answer(b'{"message":"%s","errors":{}}' % message.encode(), status=status, headers=headers)


def answer_then_hang_up(connection: Connection) -> bool:
    """A correct answer with keep-alive, and the connection is closed all the same: stale for the next request."""
    answer()(connection)
    return False


def reset(connection: Connection) -> bool:
    """RST after the request."""
    connection.reset()
    return False


def reset_in_the_body(connection: Connection) -> bool:
    connection.send(head(200, [("Content-Type", JSON), ("Content-Length", len(PAGE))]), PAGE[:10])
    connection.reset()
    return False


def short_body(connection: Connection) -> bool:
    """Fewer bytes than Content-Length says."""
    connection.send(head(200, [("Content-Type", JSON), ("Content-Length", len(PAGE) + 20)]), PAGE)
    return False


def cut_chunks(connection: Connection) -> bool:
    """Chunked, without the last chunk."""
    start = head(200, [("Content-Type", JSON), ("Transfer-Encoding", "chunked")])
    connection.send(start, b"%x\r\n%s\r\n" % (len(PAGE), PAGE))
    return False


def hang_up(connection: Connection) -> bool:
    """Close without a byte."""
    return False


def garbage(connection: Connection) -> bool:
    """Not HTTP at all."""
    connection.send(b"\x00\x01\x02 SSH-2.0\r\n\r\n")
    return False


def silence(connection: Connection) -> bool:
    """Accept, read, and never answer."""
    connection.wait_for_the_other_side()
    return False


def drip(whole: bytes, pause: float = 0.02) -> Behaviour:
    """One byte at a time, for ever: any read timeout is kept, and nothing is ever complete."""

    def behave(connection: Connection) -> bool:
        for byte in whole:
            connection.send(bytes([byte]))
            if connection.stop.wait(pause):
                break
        return False

    return behave


drip_headers = drip(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 1000)


def slow_body(connection: Connection) -> bool:
    """Headers at once, then a body of one blank at a time."""
    connection.send(head(200, [("Content-Type", JSON), ("Content-Length", 100_000)]))
    return drip(b" " * 100_000)(connection)


def huge_headers(connection: Connection) -> bool:
    connection.send(head(200, [("X-Big", "x" * 1_000_000), ("Content-Length", 0)]))
    return False


def gzipped(body: bytes) -> Behaviour:
    """Whatever bytes are given, declared as gzip."""
    return answer(body, headers=[("Content-Encoding", "gzip")])


def bomb(mebibytes: int) -> bytes:
    """A valid JSON text of blanks, a thousandth of its size as gzip."""
    return gzip.compress(b"[" + b" " * (mebibytes * 1024 * 1024) + b"]")


def connect_tunnel(connection: Connection) -> bool:
    """A proxy that grants every CONNECT and then stays silent."""
    connection.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
    return silence(connection)

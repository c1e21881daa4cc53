"""A wire to Postgres that can be cut: a proxy on loopback that looks at what the client says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from warehouse.engine.place import PostgresUrl

AFTER, BEFORE = "after it has arrived", "before it arrives"
COMMIT = b"q\0\0\0\x0bcommit\0"
"""The commit of a `transaction`: a message of the simple protocol. Single statements have theirs in a pipeline."""


@dataclass
class Wire:
    """Cuts all connections where a message of the client holds `word`, for the `nth` time.

    Then the server has got the message or not (`how`); where `dead`, nobody gets through any more. `do` is done first.
    """

    server: tuple[str, int]
    word: bytes = b""
    nth: int = 1
    how: str = BEFORE
    dead: bool = False
    do: Callable[[], object] = lambda: None
    met: int = 0
    cuts: int = 0
    sockets: list[socket.socket] = field(default_factory=list)

    def carry(self, client: socket.socket) -> None:
        """Carry what is said on one connection, until it ends or is cut."""
        with client, suppress(OSError), socket.create_connection(self.server) as server:
            self.sockets += [client, server]
            threading.Thread(target=self._answers, args=(server, client), daemon=True).start()
            try:
                while said := client.recv(1 << 16):
                    if self.word and self.word in said.lower():
                        self.met += 1
                        if self.met == self.nth:
                            self.cut(server, said)
                            return
                    server.sendall(said)
            finally:
                hang_up(client, server)

    def cut(self, server: socket.socket, said: bytes) -> None:
        """Cut everything; the server gets the message first, and has time to act on it, or never does."""
        self.cuts += 1
        cut, self.sockets = self.sockets, []  # connections that are made meanwhile stay
        self.do()
        if self.how == AFTER:
            self.deaf = True
            with suppress(OSError):
                server.sendall(said)
            threading.Event().wait(0.3)
            self.deaf = False
        hang_up(*cut)

    deaf: bool = False
    """Whether answers of the server are dropped: who asked shall not know."""

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while answer := server.recv(1 << 16):
                if not self.deaf:
                    client.sendall(answer)
        hang_up(client)


def hang_up(*sockets: socket.socket) -> None:
    """End connections for both sides, whatever thread waits on them; closing alone would not wake it."""
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


@contextmanager
def wired(place: PostgresUrl, **how: object):
    """The place as it is reached over a wire that will be cut, and the wire."""
    found = urlsplit(place.url)
    wire = Wire((found.hostname, found.port), **how)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listening.accept()
                    if wire.dead and wire.cuts:
                        client.close()
                    else:
                        threading.Thread(target=wire.carry, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        netloc = f"{found.username}:{found.password}@127.0.0.1:{listening.getsockname()[1]}"
        yield PostgresUrl.of(urlunsplit(("postgresql", netloc, found.path, "", ""))), wire
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)

"""Stops the requests of threads whose work is no longer wanted: waits and reads end, and nothing is sent again."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Final


class Halted(Exception):
    """The thread must end, so the request was not sent. Nobody outside that thread sees this."""


class Halt:
    """Ends threads, once and for all of them. A thread finds its halt in `HALT`."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._busy: set[socket.socket] = set()

    def stop(self) -> None:
        """From now on nothing waits, and a running read ends as if the connection were lost."""
        with self._lock:
            self._stopped.set()
            for sock in self._busy:
                _shut(sock)

    @property
    def stopped(self) -> bool:
        """Whether the threads must end."""
        return self._stopped.is_set()

    def wait(self, seconds: float) -> None:
        """Wait so many seconds, or until the threads must end."""
        self._stopped.wait(seconds)

    @contextmanager
    def over(self, sock: socket.socket) -> Iterator[None]:
        """While a thread reads or writes. Closing a socket would not wake it; shutting down its connection does."""
        with self._lock:
            if self.stopped:
                _shut(sock)
            self._busy.add(sock)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(sock)


HALT: Final[ContextVar[Halt | None]] = ContextVar("halt", default=None)
"""The halt that ends this thread's requests; None in threads that end by an exception of their own."""


def rest(seconds: float) -> None:
    """Sleep, but not beyond the halt of this thread."""
    halt = HALT.get()
    if halt is None:
        time.sleep(seconds)
    else:
        halt.wait(seconds)


def check_halt() -> None:
    """Raise Halted where this thread must end."""
    halt = HALT.get()
    if halt is not None and halt.stopped:
        raise Halted


@contextmanager
def interruptible(sock: object) -> Iterator[None]:
    """While this thread reads from or writes to a socket."""
    halt = HALT.get()
    if halt is None or not isinstance(sock, socket.socket):
        yield
    else:
        with halt.over(sock):
            yield


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not ssl's own, which takes the reader's state away

"""Ending the requests of threads whose work is no longer wanted: waiting ends, reading ends, nothing is sent again."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Final


class Halted(Exception):
    """A request was not sent, as its thread was told to end. Nobody outside of that thread sees this."""


class Halt:
    """Tells threads to end, once and for all of them. A thread that obeys it has it in `HALT`."""

    def __init__(self) -> None:
        self._told = threading.Event()
        self._lock = threading.Lock()
        self._busy: set[socket.socket] = set()

    def tell(self) -> None:
        """From now on nothing waits, and a read that is under way comes back with what a lost connection gives."""
        with self._lock:
            self._told.set()
            for sock in self._busy:
                _shut(sock)

    @property
    def told(self) -> bool:
        """Whether it was told."""
        return self._told.is_set()

    def wait(self, seconds: float) -> None:
        """Wait so long, or until it is told."""
        self._told.wait(seconds)

    @contextmanager
    def over(self, sock: socket.socket) -> Iterator[None]:
        """While a thread reads or writes: closing a socket would not wake it, shutting down its connection does."""
        with self._lock:
            if self.told:
                _shut(sock)
            self._busy.add(sock)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(sock)


HALT: Final[ContextVar[Halt | None]] = ContextVar("halt", default=None)
"""What ends the requests of this thread; None in threads that end by an exception of their own."""


def rest(seconds: float) -> None:
    """Sleep, but not beyond the halt of this thread."""
    halt = HALT.get()
    if halt is None:
        time.sleep(seconds)
    else:
        halt.wait(seconds)


def check_halt() -> None:
    """Raises Halted where this thread was told to end."""
    halt = HALT.get()
    if halt is not None and halt.told:
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

"""Readers of published copies that a server keeps open: opening one takes longer than most answers.

A command asks once and ends, so nothing is kept unless a server says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

from warehouse.engine.duckdb import DuckdbWarehouse

MOST: Final = 4
"""Readers kept open. Each has the pages of the file that it has read in its own memory."""
Stamp = tuple[Path, int, int]
"""A copy: its path, its inode and its time. Another publication has another one."""


class Copies:
    """Open readers that nobody uses right now, each with the stamp of its copy. Any number of threads may ask."""

    def __init__(self) -> None:
        self._lock, self._most = Lock(), 0
        self._idle: list[tuple[Stamp, DuckdbWarehouse]] = []

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep readers open while the body runs, and close them at its end."""
        self._most = MOST
        try:
            yield
        finally:
            self._most = 0
            self._close_but(None)

    @contextmanager
    def reader(self, copy: Path, open_copy: Callable[[], DuckdbWarehouse]) -> Iterator[DuckdbWarehouse]:
        """Open the newest copy, or take an open reader of it. A reader that met an error is not used again."""
        stamp = _stamp_of(copy)
        reader = self._taken(stamp) or open_copy()
        try:
            yield reader
        except BaseException:
            reader.__exit__()
            raise
        self._put_back(stamp, reader)

    def _taken(self, stamp: Stamp) -> DuckdbWarehouse | None:
        self._close_but(stamp)
        with self._lock:
            return self._idle.pop()[1] if self._idle else None

    def _put_back(self, stamp: Stamp, reader: DuckdbWarehouse) -> None:
        with self._lock:
            if len(self._idle) < self._most:
                self._idle.append((stamp, reader))
                return
        reader.__exit__()

    def _close_but(self, stamp: Stamp | None) -> None:
        """Close the readers of all other copies: they would hold the place of a file that is gone."""
        with self._lock:
            others = [reader for known, reader in self._idle if known != stamp]
            self._idle = [(known, reader) for known, reader in self._idle if known == stamp]
        for reader in others:
            reader.__exit__()


def _stamp_of(copy: Path) -> Stamp:
    try:
        status = copy.stat()
    except OSError:  # opening it raises the error that says what to do
        return copy, 0, 0
    return copy, status.st_ino, status.st_mtime_ns


COPIES: Final = Copies()
"""The readers of this process."""

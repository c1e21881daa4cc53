"""Turns at a host for all who share a warehouse on Postgres: a server limits by address, for everyone behind it.

One row a host in `control.host_turns` says when the next request is due, by the database's clock: those of several
machines differ. It is asked on a connection of its own, outside the transactions of a run. A run never fails by this:
where Postgres cannot be had, or has no such table yet, its door keeps to its own pace until it ends.
"""

from __future__ import annotations

from threading import Lock
from typing import Final

from schemas.errors import ConnectionLost, SyncError
from warehouse.engine.place import PostgresUrl
from warehouse.engine.postgres import PostgresWarehouse
from warehouse.engine.postgres_connection import connected
from warehouse.engine.postgres_session import Settings
from warehouse.engine.sql import statement

WAIT: Final = 2.0  # seconds in which a server that is just starting may come up
PATIENCE: Final = 5.0  # seconds without an answer after which it is no longer waited for
LONGEST: Final = 600.0  # seconds; no turn that is really waited for is further away,
MOST_WAITING: Final = 100  # or than so many others at the source's pace
QUICK: Final = {"synchronous_commit": "off", "statement_timeout": f"{PATIENCE:g}s"}
"""A turn that is lost in a crash is of no use afterwards, so it waits for no disk."""


class HostTurns:
    """Turns at one host, for the threads of one door: `per_second`, and up to `burst` at once after a rest.

    Several may ask one host at different paces: each request puts off the next one by its own interval.
    """

    def __init__(self, place: PostgresUrl, host: str, *, per_second: float, burst: int) -> None:
        self._place, self._host, self._interval = place, host, 1 / per_second
        self._rest = (burst - 1) * self._interval
        self._longest = max(LONGEST, MOST_WAITING * self._interval)
        self._lock = Lock()
        self._opened: PostgresWarehouse | None = None
        self._given_up = False

    def take(self) -> float:
        """Take the next turn; how many seconds it is away."""
        for (seconds,) in self._asked("take", interval=self._interval, rest=self._rest, longest=self._longest):
            return max(0.0, float(str(seconds)))
        return 0.0

    def pause(self, seconds: float) -> None:
        """Let nobody have a turn for so long."""
        self._asked("pause", seconds=seconds)

    def paused(self) -> bool:
        """Whether nobody is to ask now."""
        return bool(self._asked("paused", longest=LONGEST))

    def close(self) -> None:
        """Give the connection back, for good. May be called twice."""
        with self._lock:
            self._give_up()

    def _asked(self, step: str, **values: float) -> list[tuple[object, ...]]:
        """The rows of a statement, over a new connection where it was lost; none once that has failed."""
        with self._lock:
            for _ in range(0 if self._given_up else 2):
                try:
                    return self._warehouse().rows(statement(f"turns/{step}"), {"host": self._host, **values})
                except ConnectionLost:
                    self._hang_up()
                except SyncError:
                    break
            self._give_up()
        return []

    def _warehouse(self) -> PostgresWarehouse:
        if self._opened is None:
            connection = connected(self._place, wait=WAIT, patience=PATIENCE)
            settings = Settings(read_only=False, more=QUICK)
            self._opened = PostgresWarehouse(connection, self._place, lambda: connection, settings)
        return self._opened

    def _give_up(self) -> None:
        self._given_up = True
        self._hang_up()

    def _hang_up(self) -> None:
        if self._opened is not None:
            self._opened.__exit__()
        self._opened = None

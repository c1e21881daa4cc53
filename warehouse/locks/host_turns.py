"""Turns at a host for all machines that share a warehouse on Postgres, as a server limits requests by address.

`control.host_turns` has one row for each host, with the time of the next request by the database's clock, because the
clocks of several machines differ. The queries use a connection of their own, outside the transactions of a run. They
never make a run fail: if Postgres is away or has no such table yet, the run keeps its own pace until it ends.
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

WAIT: Final = 2.0  # seconds to wait for a server that is just starting
PATIENCE: Final = 5.0  # seconds to wait for an answer
LONGEST: Final = 600.0  # seconds; a turn further away than this is not valid,
MOST_WAITING: Final = 100  # unless this many requests at the source's pace take longer
QUICK: Final = {"synchronous_commit": "off", "statement_timeout": f"{PATIENCE:g}s"}
"""No wait for the disk: a turn that a crash loses has no use afterwards."""


class HostTurns:
    """Turns at one host for the threads of one run: `per_second`, and up to `burst` at once after a rest.

    Several runs may use one host at different paces: each request delays the next one by its own interval.
    """

    def __init__(self, place: PostgresUrl, host: str, *, per_second: float, burst: int) -> None:
        self._place, self._host, self._interval = place, host, 1 / per_second
        self._rest = (burst - 1) * self._interval
        self._longest = max(LONGEST, MOST_WAITING * self._interval)
        self._lock = Lock()
        self._opened: PostgresWarehouse | None = None
        self._given_up = False

    def take(self) -> float:
        """Take the next turn; return the seconds until it is due."""
        for (seconds,) in self._asked("take", interval=self._interval, rest=self._rest, longest=self._longest):
            return max(0.0, float(str(seconds)))
        return 0.0

    def pause(self, seconds: float) -> None:
        """Give no turns for this many seconds."""
        self._asked("pause", seconds=seconds)

    def paused(self) -> bool:
        """Whether the host is paused now."""
        return bool(self._asked("paused", longest=LONGEST))

    def close(self) -> None:
        """Close the connection for good. May be called twice."""
        with self._lock:
            self._give_up()

    def _asked(self, step: str, **values: float) -> list[tuple[object, ...]]:
        """Return the rows of a statement, over a new connection if the old one was lost; [] once that has failed."""
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

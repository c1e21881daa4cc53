"""How fast the door may ask: a steady pace, slower when the server's allowance runs low, in turn with others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Protocol

LONGEST_INTERVAL: Final = 10.0  # seconds between two requests, even with almost no allowance left
BURST: Final = 5  # requests that may go together after a rest


class Turns(Protocol):
    """Turns at a host, shared with other processes and machines. Safe in threads; never raises."""

    def take(self) -> float:
        """Take the next turn; return how many seconds away it is."""

    def pause(self, seconds: float) -> None:
        """Give nobody a turn for so many seconds."""

    def paused(self) -> bool:
        """Whether everybody has to wait now."""

    def close(self) -> None:
        """Release the turns. May be called twice."""


class Limiter:
    """Spaces out the requests of all threads of one door.

    A token bucket, kept as one number: the moment when the next request is due. Up to `burst` requests may go together
    after a rest. Hosted Invoice Ninja allows 800 or 1,000 requests a minute per IP address, for everyone behind it.
    So a door keeps to its own pace (`per_second`) and leaves others the second half of the allowance: see `heed`.
    With `turns`, each request also waits for a shared turn, so that several doors together keep to one pace.
    """

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        burst: int = BURST,
        turns: Turns | None = None,
    ) -> None:
        self._interval = 1 / per_second
        self._slowdown = 1.0
        self._burst = burst
        self._clock, self._sleep, self._turns = clock, sleep, turns
        self._lock = threading.Lock()
        self._due = self._open_at = float("-inf")  # a new door counts as rested: a small pull sends at once

    def take(self) -> None:
        """Return when the next request may be sent. Sleeps outside the lock: threads wait side by side, in order."""
        self._take_own()
        if self._turns is not None and (wait := self._turns.take()) > 0:
            self._sleep(wait)
            if self._turns.paused():  # somebody paused meanwhile, so that turn does not count
                self._sleep(self._turns.take())

    def _take_own(self) -> None:
        with self._lock:
            interval = min(self._interval * self._slowdown, max(self._interval, LONGEST_INTERVAL))
            due = max(self._due, self._clock() - (self._burst - 1) * interval)
            self._due = due + interval
        waited_for = float("-inf")
        while (goal := max(due, self._open_at)) > waited_for:  # again where a thread paused us meanwhile
            if (wait := goal - self._clock()) > 0:
                self._sleep(wait)
            waited_for = goal

    def pause(self, seconds: float) -> None:
        """Send nothing for so many seconds, in any thread or process that shares the turns: the server answered 429."""
        with self._lock:
            self._open_at = max(self._open_at, self._clock() + seconds)
            self._due = max(self._due, self._open_at)
        if self._turns is not None:
            self._turns.pause(seconds)

    def heed(self, limit: int | None, remaining: int | None) -> None:
        """Slow down below half of the server's allowance: at a quarter left, half the pace; at a tenth, a fifth.

        `X-RateLimit-Limit` and `-Remaining` come with successful answers of a limited server only; an answer without
        them (self-hosted) ends the slowdown.
        """
        half = limit / 2 if limit and remaining is not None else 0
        slowdown = max(1.0, half / max(remaining, 1)) if remaining is not None and remaining < half else 1.0
        with self._lock:
            self._slowdown = slowdown

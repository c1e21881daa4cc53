"""How fast the door may ask: a steady pace, and less of it when the server's own allowance runs low."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

LONGEST_INTERVAL: Final = 10.0  # seconds between two requests, however little is left


class Limiter:
    """Spaces out the requests of all threads of one door.

    A token bucket, kept as one number: the moment at which the next request is due. Up to `burst` requests may go at
    once after a rest. Hosted Invoice Ninja allows 800 or 1,000 requests a minute per IP address for everyone behind it,
    so a door takes what it is given (`per_second`) and yields the second half of the allowance: see `heed`.
    """

    def __init__(
        self, per_second: float, *, clock: Callable[[], float], sleep: Callable[[float], None], burst: int = 5
    ) -> None:
        self._interval = 1 / per_second
        self._slowdown = 1.0
        self._burst = burst
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._due = self._open_at = float("-inf")  # a new door has rested: the few requests of a small pull go at once

    def take(self) -> None:
        """Return when the next request may be sent. Sleeps outside the lock: threads wait side by side, in order."""
        with self._lock:
            interval = min(self._interval * self._slowdown, max(self._interval, LONGEST_INTERVAL))
            due = max(self._due, self._clock() - (self._burst - 1) * interval)
            self._due = due + interval
        waited_for = float("-inf")
        while (goal := max(due, self._open_at)) > waited_for:  # again where someone paused us meanwhile
            if (wait := goal - self._clock()) > 0:
                self._sleep(wait)
            waited_for = goal

    def pause(self, seconds: float) -> None:
        """Let no request go for so long, in any thread: the server answered 429."""
        with self._lock:
            self._open_at = max(self._open_at, self._clock() + seconds)
            self._due = max(self._due, self._open_at)

    def heed(self, limit: int | None, remaining: int | None) -> None:
        """Slow down below half of the server's allowance: at a quarter left, half the pace; at a tenth, a fifth.

        `X-RateLimit-Limit` and `-Remaining` come with successful answers of a limited server only; an answer without
        them (self-hosted) ends the slowdown.
        """
        half = limit / 2 if limit and remaining is not None else 0
        slowdown = max(1.0, half / max(remaining, 1)) if remaining is not None and remaining < half else 1.0
        with self._lock:
            self._slowdown = slowdown

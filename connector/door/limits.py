"""How fast the door may ask: a steady pace, less of it when the server's allowance runs low, in turn with others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Protocol

LONGEST_INTERVAL: Final = 10.0  # seconds between two requests, however little is left
BURST: Final = 5  # requests that may go at once after a rest


class Turns(Protocol):
    """Turns at a host that are shared with others, whatever machine they run on. Safe in threads, and never raises."""

    def take(self) -> float:
        """Take the next turn; how many seconds it is away."""

    def pause(self, seconds: float) -> None:
        """Let nobody have a turn for so long."""

    def paused(self) -> bool:
        """Whether nobody is to ask now."""

    def close(self) -> None:
        """Be of no more use. May be called twice."""


class Limiter:
    """Spaces out the requests of all threads of one door.

    A token bucket, kept as one number: the moment at which the next request is due. Up to `burst` requests may go at
    once after a rest. Hosted Invoice Ninja allows 800 or 1,000 requests a minute per IP address for everyone behind it,
    so a door takes what it is given (`per_second`) and yields the second half of the allowance: see `heed`. Where there
    are `turns`, a request also waits for one of them, so that several doors together take no more.
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
        self._due = self._open_at = float("-inf")  # a new door has rested: the few requests of a small pull go at once

    def take(self) -> None:
        """Return when the next request may be sent. Sleeps outside the lock: threads wait side by side, in order."""
        self._take_own()
        if self._turns is not None and (wait := self._turns.take()) > 0:
            self._sleep(wait)
            if self._turns.paused():  # by somebody, meanwhile: then that was no turn
                self._sleep(self._turns.take())

    def _take_own(self) -> None:
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
        """Let no request go for so long, in any thread and of nobody who shares the turns: the server answered 429."""
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

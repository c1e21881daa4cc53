"""The memory of one running sandbox: its database, clock, switches, and past requests."""

from __future__ import annotations

import random
import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.store.generation import FIVE_TEN, Generation

MICROS = 1_000_000
REMEMBERED_REQUESTS = 100_000


@dataclass(slots=True)
class Clock:
    """The server's time: the real one, moved; or frozen at `at`."""

    real: Callable[[], float]
    moved_by: float = 0.0
    at: float | None = None

    def now(self) -> float:
        """Unix seconds."""
        return (self.real() if self.at is None else self.at) + self.moved_by

    def stamp(self) -> int:
        """Unix microseconds, the unit of stamps in rows."""
        return round(self.now() * MICROS)


@dataclass(slots=True)
class Fault:
    """One rule of the `faults` switch, and how often it was met.

    A request counts if it is `on` this method and path (below /api/v1; `*` matches anything) and, with
    `above_per_page`, asks for more rows than that. The rule strikes from the `nth` of them on, `times` times (once by
    default), or at `every` one, then `times` times or for ever. The values of `do`:

    status    `status` with the server's JSON error, and `headers`; the request is not carried out
    html      a page of a proxy, with `status` and `headers`
    empty     200 and no body, as a failed json_encode sends it
    redirect  `status` (302 unless it is a redirect) to `to`
    truncate  half of the answer, with the length of that half
    no_data   the answer without its `data`
    drip      the answer byte by byte, one each `seconds` (0.1)
    reset     breaks the connection; with `after_bytes`, after the request was carried out and so many bytes were sent
    hang      silence for `seconds` (an hour) or until the peer goes; with `after_bytes`, in the middle of the answer
    """

    do: str
    on: str = "* *"
    nth: int = 1
    every: bool = False
    times: int | None = None
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    to: str = ""
    above_per_page: int = -1
    after_bytes: int | None = None
    seconds: float | None = None
    met: int = 0
    struck: int = 0


@dataclass(slots=True)
class MergeDeath:
    """The switch `merge_dies`: the next `times` merges that are carried out die `after` this many of their steps.

    The steps are sandbox.clients.merge.STEPS, those of the 2026 generation AT_ONCE, six each. Committed steps stay:
    each step separately, or, where a merge is one transaction, nothing before its end. So `after` 0 has done nothing,
    and `after` 6 everything, with only the answer lost. How it dies:

    500        the server's error
    hang       silence for `seconds` (an hour) or until the peer goes, then the connection breaks
    no_answer  the connection breaks at once

    `struck` counts the merges that died. Merges that are refused do not count.
    """

    after: int
    do: str
    times: int = 1
    seconds: float | None = None
    struck: int = 0


class NoAnswer(Exception):
    """Ends the handling of a request without an answer; the fault, `hang` or `reset`, decides how."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(slots=True)
class Switches:
    """How this server differs from a plain one. All off by default."""

    latency_ms: float = 0
    timezone: str = "UTC"
    per_page_cap: int = 5000
    shuffle: bool = False
    faults: list[Fault] = field(default_factory=list)
    poison: frozenset[int] = frozenset()
    merge_dies: MergeDeath | None = None


@dataclass(slots=True)
class Throttle:
    """A limit of requests a minute and address, as hosted servers have it; None is the self-hosted default.

    `used` also holds the counts of routes with their own limit: until when, and how many, by whom.
    """

    per_minute: int | None = None
    used: dict[str, tuple[float, int]] = field(default_factory=dict)


@dataclass(slots=True)
class World:
    """One sandbox. Handlers get it through their Call; nothing is kept anywhere else.

    Hold `turn` while you use the database: requests take turns, also where several threads share one application.
    """

    db: sqlite3.Connection
    clock: Clock
    random: random.Random
    generation: Generation = FIVE_TEN
    turn: Lock = field(default_factory=Lock)
    switches: Switches = field(default_factory=Switches)
    throttle: Throttle = field(default_factory=Throttle)
    passwords_given: dict[int, float] = field(default_factory=dict)
    requests: deque[dict[str, str]] = field(default_factory=lambda: deque(maxlen=REMEMBERED_REQUESTS))
    totals: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def secret(self, length: int) -> str:
        """Letters and digits, as in contact keys and hashes."""
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        return "".join(self.random.choices(letters, k=length))

    def zone(self) -> ZoneInfo:
        """SERVER_TIMEZONE."""
        return ZoneInfo(self.switches.timezone)

"""When to send a request again, and how long to wait: full jitter inside one budget for the whole run.

We considered stamina and tenacity. Both give a budget per call; a run of thousands of requests needs one budget for all
of them. Both read the real clock, stamina takes no sleep from outside, and its hooks receive the arguments of the call.
The rest is one short loop. Its failures are values, not exceptions: an httpx exception holds the request and its token,
and every exception raised while handling it holds that exception.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable
from typing import Final, NoReturn, TypeVar

import msgspec

from schemas.errors import ApiError, SyncError, sentence

Answered = TypeVar("Answered")

FIRST_WAIT: Final = 0.5  # seconds; the ceiling of the first wait, doubled for each further one
LONGEST_BACKOFF: Final = 30.0
LONGEST_ASKED: Final = (
    120.0  # a server that asks for more gets no further request: the run ends and says when to resume
)
JITTER: Final = 0.25  # a wait the server asks for is never shortened, only lengthened by up to this share


class Failure(msgspec.Struct, frozen=True):
    """A request without a good answer, and how to go on."""

    error: SyncError
    tries: float = 1  # attempts that are worth making after such a failure, this one included
    sent: bool = True  # whether a byte of the request may have reached the server
    asked_wait: float | None = None  # seconds that the server asks for
    resume: str = ""  # when to resume, for people, where the wait is too long


class Budget:
    """The seconds that all requests of one run together may spend on failing, waiting and trying again.

    Seconds that several threads spend together count once: one outage must not cost four connections four times.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self.seconds = self._left = seconds
        self._clock = clock
        self._until = float("-inf")  # up to this moment time is paid for
        self._lock = threading.Lock()

    def spend(self, since: float) -> None:
        """Take the seconds used since that moment, even if fewer are left."""
        with self._lock:
            now = self._clock()
            self._left -= max(0.0, now - max(since, self._until))
            self._until = max(now, self._until)

    def reserve(self, seconds: float) -> bool:
        """Take so many seconds from now on if they are left; else take nothing and return False."""
        with self._lock:
            until = self._clock() + seconds
            more = max(0.0, min(seconds, until - self._until))
            enough = self._left >= more
            if enough:
                self._left -= more
                self._until = max(until, self._until)
            return enough


class RetryRules(msgspec.Struct, frozen=True):
    """The retry settings that all requests of one door share."""

    attempts: int
    budget: Budget
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]  # 0 ≤ x < 1
    on_wait: Callable[[str, float], None] | None = None  # called with the reason and the seconds to wait


def ask_until_answered(
    send: Callable[[], Answered | Failure],
    turn: Callable[[], None],
    rules: RetryRules,
    *,
    repeatable: bool,
) -> Answered:
    """The first good answer; `turn` returns when it is this request's turn (waiting for it costs no budget).

    Raises the failure's error where trying again is not allowed, is useless, or exceeds the budget. The last attempt
    may overrun the budget, but only by its own length.
    A request that is not repeatable is sent again only if no byte of it can have reached the server.
    """
    for attempt in itertools.count(1):
        turn()
        began = rules.clock()
        outcome = send()
        if not isinstance(outcome, Failure):
            return outcome
        rules.budget.spend(began)
        wait = _wait(outcome, attempt, rules.random())
        if attempt >= min(rules.attempts, outcome.tries) or (outcome.sent and not repeatable):
            _give_up(outcome, attempt)
        if (outcome.asked_wait or 0) > LONGEST_ASKED or not rules.budget.reserve(wait):
            _give_up(outcome, attempt, why=_no_more_waiting(outcome, wait, rules.budget))
        if rules.on_wait:
            rules.on_wait(str(outcome.error), wait)
        rules.sleep(wait)
    raise AssertionError("unreachable")


def _wait(failure: Failure, attempt: int, chance: float) -> float:
    """Full jitter: between nothing and a ceiling that doubles; never less than the server asks for."""
    ceiling = min(LONGEST_BACKOFF, FIRST_WAIT * 2.0 ** min(attempt - 1, 10))
    return max(chance * ceiling, (failure.asked_wait or 0) * (1 + JITTER * chance))


def _no_more_waiting(failure: Failure, wait: float, budget: Budget) -> str:
    asks = failure.asked_wait or 0
    if asks > LONGEST_ASKED:
        return f"The server asks to wait {math.ceil(asks)} s{failure.resume}: start again then."
    return f"Waiting {math.ceil(wait)} s more would exceed the retry_budget of {budget.seconds:g} s for one run."


def _give_up(failure: Failure, attempt: int, why: str = "") -> NoReturn:
    error = failure.error
    tried = f"Tried {attempt} times." if attempt > 1 else ""
    if isinstance(error, ApiError) and (tried or why):
        error = type(error)(" ".join(filter(None, [sentence(error), tried, why])), status=error.status)
    raise error

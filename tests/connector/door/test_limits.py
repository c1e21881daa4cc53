from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.door.door import Door, DoorSettings
from connector.door.limits import LONGEST_INTERVAL, Limiter
from connector.door.retry import LONGEST_ASKED
from connector.door.secret import Secret
from schemas.errors import RateLimited


class Time:
    """A clock that only sleeping moves. `taken` is when each request went."""

    def __init__(self):
        self.now, self.taken, self._lock = 50.0, [], threading.Lock()

    def clock(self):
        with self._lock:
            return self.now

    def sleep(self, seconds):
        with self._lock:
            self.now += seconds


def limiter(time, per_second=5.0, burst=5):
    return Limiter(per_second, clock=time.clock, sleep=time.sleep, burst=burst)


@given(st.floats(0.1, 1000), st.integers(1, 10), st.lists(st.floats(0, 5), min_size=1, max_size=60))
def test_no_window_holds_more_than_the_pace_and_one_burst(per_second, burst, pauses):
    time = Time()
    limit = limiter(time, per_second, burst)
    went = []
    for pause in pauses:
        time.now += pause
        limit.take()
        went.append(time.now)
    for first, start in enumerate(went):
        for last in range(first, len(went)):
            assert last - first + 1 <= (went[last] - start) * per_second + burst + 1e-6


def test_a_rested_door_sends_a_burst_and_then_keeps_its_pace():
    time = Time()
    limit = limiter(time)
    went = []
    for _ in range(8):
        limit.take()
        went.append(round(time.now - 50, 9))
    assert went == [0.0] * 5 + [0.2, 0.4, 0.6]  # a new door has rested
    time.now += 100
    start = time.now
    for _ in range(5):
        limit.take()
    assert time.now == start
    limit.take()
    assert time.now == pytest.approx(start + 0.2)


def test_threads_get_turns_of_their_own():
    """Each of 200 turns is given out once, whatever the threads do: the last is due 199 intervals after the first."""
    asked = []
    lock = threading.Lock()

    def sleep(seconds):
        with lock:
            asked.append(seconds)

    def clock():
        time.sleep(0.0001)  # lets another thread in, where the limiter is most open to it
        return 0.0

    limit = Limiter(10.0, clock=clock, sleep=sleep, burst=1)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: limit.take(), range(200)))
    turns = sorted(asked)
    assert len(turns) == 199
    assert turns[-1] == pytest.approx(19.9)
    assert all(later - sooner == pytest.approx(0.1) for sooner, later in pairwise(turns))


def test_a_pause_reaches_a_thread_that_is_waiting_already():
    time = Time()
    limit = limiter(time, per_second=1.0, burst=1)
    limit.take()
    plain_sleep, paused = time.sleep, []

    def sleep(seconds):
        plain_sleep(seconds)
        if not paused:
            paused.append(True)
            limit.pause(60)

    limit._sleep = sleep
    limit.take()
    assert time.now == 50 + 1 + 60


def test_a_pause_is_never_shortened():
    time = Time()
    limit = limiter(time)
    limit.pause(60)
    limit.pause(5)
    limit.take()
    assert time.now == 110


def test_a_sleep_that_returns_early_does_not_hang_the_door():
    limit = Limiter(1.0, clock=lambda: 0.0, sleep=lambda _: None)
    for _ in range(20):
        limit.take()


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_yielding_never_speeds_up_and_never_stops(limit, remaining):
    time = Time()
    one = limiter(time, per_second=5.0, burst=1)
    one.heed(limit, remaining)
    one.take()
    start = time.now
    one.take()
    assert 0.2 - 1e-9 <= time.now - start <= LONGEST_INTERVAL + 1e-9
    if remaining * 2 >= limit:
        assert time.now - start == pytest.approx(0.2)


def test_an_answer_without_an_allowance_ends_the_slowdown():
    time = Time()
    one = limiter(time, per_second=5.0, burst=1)
    one.heed(800, 1)
    one.heed(None, None)
    one.take()
    start = time.now
    one.take()
    assert time.now - start == pytest.approx(0.2)


class Shared:
    """Turns of a host as others leave them: how far away each one is, and whether somebody pauses meanwhile."""

    def __init__(self, *waits, paused=False):
        self.waits, self.said, self._paused = list(waits), [], paused

    def take(self):
        self.said.append("take")
        return self.waits.pop(0)

    def pause(self, seconds):
        self.said.append(f"pause {seconds:g}")

    def paused(self):
        self.said.append("paused?")
        return self._paused

    def close(self):
        self.said.append("close")


def sharing(time, turns):
    return Limiter(5.0, clock=time.clock, sleep=time.sleep, burst=1, turns=turns)


def test_a_request_waits_for_its_own_door_and_then_for_the_turn_that_it_shares():
    time, shared = Time(), Shared(0.0, 3.0, 0.0)
    limit = sharing(time, shared)
    went = []
    for _ in range(3):
        limit.take()
        went.append(round(time.now - 50, 9))
    assert went == [0.0, 3.2, 3.2]
    assert shared.said == ["take", "take", "paused?", "take"]


def test_a_turn_that_fell_into_the_pause_of_another_door_is_taken_anew():
    time, shared = Time(), Shared(3.0, 60.0, paused=True)
    sharing(time, shared).take()
    assert time.now == 50 + 63


def test_a_pause_is_told_to_those_who_share_the_turns():
    time, shared = Time(), Shared(0.0)
    sharing(time, shared).pause(60)
    assert shared.said == ["pause 60"]


def test_a_door_pauses_the_others_for_as_long_as_the_server_asks_at_the_most_and_closes_the_turns():
    time, shared = Time(), Shared(*[0.0] * 3)
    answers = [httpx.Response(429, headers={"retry-after": seconds}) for seconds in ("7", "100000")]
    door = Door(
        DoorSettings("https://ninja.test"), Secret("TOKEN"), turns=shared, clock=time.clock, sleep=time.sleep,
        transport=httpx.MockTransport(lambda _: answers.pop(0)),
    )  # fmt: skip
    with door, pytest.raises(RateLimited):
        door.get("/ping")
    assert shared.said == ["take", "pause 7", "take", f"pause {LONGEST_ASKED:g}", "close"]

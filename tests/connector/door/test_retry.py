"""How long the door waits: with a clock that only sleeping moves, so that nothing here takes time."""

from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.door.door import Door, DoorSettings
from connector.door.retry import Budget
from connector.door.secret import Secret
from schemas.errors import NetworkFailed, RateLimited, ServerUnavailable

DATE = "Tue, 03 Nov 2026 10:00:00 GMT"


class Time:
    """A clock and a sleep that belong together; `waits` is what was slept."""

    def __init__(self):
        self.now, self.waits = 1000.0, []

    def clock(self):
        return self.now

    def sleep(self, seconds):
        assert seconds >= 0
        self.waits.append(seconds)
        self.now += seconds


def reply(status=200, **headers):
    named = {name.replace("_", "-"): str(value) for name, value in {"Date": DATE, **headers}.items()}
    return httpx.Response(status, json={"data": []} if status == 200 else {"message": "no"}, headers=named)


def door(time, replies, *, chance=0.5, on_wait=None, took=0.0, **settings):
    script = iter(replies)

    def handle(_request):
        time.now += took
        outcome = next(script)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return Door(
        DoorSettings("https://ninja.example", **{"requests_per_second": 1e12, **settings}),
        Secret("token"),
        transport=httpx.MockTransport(handle),
        clock=time.clock,
        sleep=time.sleep,
        random=lambda: chance,
        on_wait=on_wait,
    )


def forever(status, **headers):
    while True:
        yield reply(status, **headers)


def test_waits_double_with_full_jitter_up_to_a_ceiling():
    time, told = Time(), []
    with (
        door(time, forever(503), on_wait=lambda why, seconds: told.append((why, seconds))) as it,
        pytest.raises(ServerUnavailable, match="Tried 8 times"),
    ):
        it.get("/clients")
    assert time.waits == [0.25, 0.5, 1, 2, 4, 8, 15]
    assert [seconds for _, seconds in told] == time.waits
    assert told[0][0] == "The server is in maintenance or overloaded (503): no"


@given(st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_above_its_ceiling(chance):
    time, waits = Time(), []
    tell = lambda _why, seconds: waits.append(seconds)  # noqa: E731
    with door(time, forever(503), chance=chance, on_wait=tell) as it, pytest.raises(ServerUnavailable):
        it.get("/clients")
    for wait, ceiling in zip(waits, [0.5, 1, 2, 4, 8, 16, 30], strict=True):
        assert 0 <= wait <= ceiling


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, 60),  # the normal case at Invoice Ninja: the minute window
        ({"Retry_After": 39}, 39),
        ({"Retry_After": " 5 "}, 5),
        ({"Retry_After": "Tue, 03 Nov 2026 10:01:30 GMT"}, 90),
        ({"Retry_After": "soon"}, 60),
        ({"Retry_After": "-5"}, 60),
        ({"Retry_After": "1.5"}, 60),
        ({"Retry_After": "\u0665"}, 60),
        ({"Retry_After": "9" * 30}, 60),
        ({"Retry_After": "Tue, 03 Nov 2026 10:01:30 GMT", "Date": "junk"}, 60),
        ({"Retry_After": 120}, 120),
    ],
)
def test_a_429_waits_as_asked_and_a_little_longer(headers, wait):
    for chance in (0.0, 0.5, 0.99):
        time = Time()
        replies = [
            httpx.Response(
                429, headers=[(n.replace("_", "-"), str(v).encode()) for n, v in {"Date": DATE, **headers}.items()]
            )
        ]
        with door(time, [*replies, reply()], chance=chance) as it:
            it.get("/clients")
        assert wait <= sum(time.waits) <= wait * 1.25


@pytest.mark.parametrize("past", [0, "Tue, 03 Nov 2026 09:00:00 GMT", "Tue, 03 Nov 2026 10:00:00 GMT"])
def test_a_retry_after_that_is_over_still_waits_its_jitter(past):
    time = Time()
    with door(time, [reply(429, Retry_After=past), reply()]) as it:
        it.get("/clients")
    assert time.waits[0] == 0.25


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (121, "121 s (until 2026-11-03 10:02:01 UTC)"),
        (36000, "36000 s (until 2026-11-03 20:00:00 UTC)"),
        ("Wed, 04 Nov 2026 10:00:00 GMT", "86400 s (until 2026-11-04 10:00:00 UTC)"),
        (999_999_999, "999999999 s: start again"),
    ],
)
def test_a_wait_that_is_too_long_ends_the_run_and_says_when_to_come_back(asked, words):
    time = Time()
    with door(time, forever(429, Retry_After=asked)) as it, pytest.raises(RateLimited) as caught:
        it.get("/clients")
    assert words in str(caught.value)
    assert caught.value.status == 429
    assert (it.requests, time.waits) == (1, [])


def test_maintenance_with_retry_after_is_waited_for():
    time = Time()
    with door(time, [reply(503, Retry_After=60), reply()]) as it:
        it.get("/clients")
    assert time.waits == [67.5]


def test_all_requests_of_a_run_share_one_budget():
    time = Time()
    replies = (one for _ in range(100) for one in (reply(503, Retry_After=60), reply()))
    with door(time, replies, chance=0.0, retry_budget=200) as it:
        for _ in range(3):
            it.get("/clients")
        with pytest.raises(ServerUnavailable, match="Waiting 60 s more would exceed the retry_budget of 200 s"):
            it.get("/clients")
    assert sum(time.waits) <= 180.1


def test_the_time_of_failed_attempts_is_spent_from_the_budget_and_that_of_good_ones_is_not():
    time = Time()
    with door(time, [reply()] * 50 + [httpx.ReadTimeout("slow")] * 9, took=50, retry_budget=120) as it:
        for _ in range(50):
            it.get("/clients")
        with pytest.raises(NetworkFailed, match="exceed"):
            it.get("/clients")
    assert it.requests == 53


def test_no_budget_means_no_second_attempt():
    time = Time()
    with door(time, forever(503), retry_budget=0) as it, pytest.raises(ServerUnavailable):
        it.get("/clients")
    assert it.requests == 1


@given(st.lists(st.floats(0, 100), max_size=30), st.floats(0, 300))
def test_a_budget_never_gives_more_than_it_has(wishes, seconds):
    time = Time()
    budget = Budget(seconds, time.clock)
    for wish in wishes:
        if budget.reserve(wish):
            time.sleep(wish)
    assert sum(time.waits) <= seconds * (1 + 1e-9) + 1e-9


def test_what_several_threads_wait_at_the_same_time_counts_once():
    time = Time()
    budget = Budget(100, time.clock)
    assert [budget.reserve(60) for _ in range(4)] == [True] * 4  # four connections meet one 429
    time.sleep(60)
    budget.spend(time.now - 60)
    assert not budget.reserve(41)
    assert budget.reserve(40)


def test_what_one_thread_spends_after_another_counts_twice():
    time = Time()
    budget = Budget(100, time.clock)
    for _ in range(2):
        began = time.now
        time.sleep(50)
        budget.spend(began)
    assert not budget.reserve(1)


def test_one_429_holds_back_every_other_request():
    time = Time()
    with door(time, [reply(429), reply()], attempts=1) as it:
        with pytest.raises(RateLimited):
            it.get("/clients")
        it.get("/clients")  # waits for the window, though it was not the one that was refused
    assert sum(time.waits) == 60


def test_the_allowance_of_the_server_slows_the_door_down():
    time = Time()
    headers = {"X_RateLimit_Limit": 800, "X_RateLimit_Remaining": 80}
    with door(time, [reply(**headers)] * 40 + [reply()] * 40, requests_per_second=5.0) as it:
        for _ in range(20):
            it.get("/clients")
        slow = time.now
        for _ in range(20):
            it.get("/clients")
        assert time.now - slow == pytest.approx(20 * 5 / 5)  # a tenth is left: a fifth of the pace
        for _ in range(10):
            it.get("/clients")
        fast = time.now
        for _ in range(20):
            it.get("/clients")
        assert time.now - fast == pytest.approx(20 / 5)


@pytest.mark.parametrize("value", ["", "many", "-1", "1e9", "\u0663", "9" * 400])
def test_junk_in_the_allowance_is_no_allowance(value):
    time = Time()
    headers = [("X-RateLimit-Limit", value.encode()), ("X-RateLimit-Remaining", b"0")]
    good = httpx.Response(200, content=json.dumps({}), headers=[("Content-Type", "application/json"), *headers])
    with door(time, [good] * 5) as it:
        for _ in range(5):
            it.get("/clients")
    assert sum(time.waits) < 1

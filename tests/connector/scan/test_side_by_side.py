"""Threads that read at once: in order, bounded, and gone when nobody reads any more."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import closing

import pytest
import trustme

from connector.door.door import Door, DoorSettings
from connector.door.halt import HALT, check_halt, interruptible, rest
from connector.door.secret import Secret
from connector.scan.side_by_side import AHEAD, side_by_side
from schemas.errors import NotAuthorised
from tests.connector.door.faulty_server import PAGE, FaultyServer, drip, silence

LONG = 60
"""Seconds that no test waits for: what would take so long has to be ended."""


def readers():
    return [thread for thread in threading.enumerate() if thread.name.startswith("ninja-sync-read")]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert readers() == []


def test_each_source_comes_whole_and_in_its_own_order():
    came = list(side_by_side([iter(range(place * 100, place * 100 + 50)) for place in range(7)], at_once=3))
    for place in range(7):
        assert [item for source, item in came if source == place] == list(range(place * 100, place * 100 + 50))


def test_as_many_sources_as_are_allowed_go_on_at_once():
    meeting = threading.Barrier(4, timeout=LONG)

    def source():
        meeting.wait()  # passes only where four threads are in it together
        yield "met"

    assert [item for _, item in side_by_side([source() for _ in range(4)], at_once=4)] == ["met"] * 4


def test_nothing_is_made_far_ahead_of_who_takes_it():
    made, taken, worst = [], 0, 0

    def source():
        for _ in range(50):
            made.append(1)
            yield None

    for _ in side_by_side([source() for _ in range(3)], at_once=3):
        worst = max(worst, len(made) - taken)
        taken += 1
    assert taken == 150
    assert worst <= 3 + AHEAD


@pytest.mark.parametrize("error", [NotAuthorised("no"), KeyboardInterrupt(), ValueError("x")])
def test_the_error_of_one_source_is_raised_and_ends_the_others(error):
    def endless():
        while True:
            yield 1

    def failing():
        yield 2
        raise error

    with pytest.raises(type(error)):
        for _ in side_by_side([endless(), failing(), endless()], at_once=3):
            pass


def test_closing_it_ends_what_waits_and_what_would_begin():
    waiting = threading.Event()

    def source():
        yield 1
        waiting.set()
        rest(LONG)
        check_halt()
        yield 2

    began = time.monotonic()
    with closing(side_by_side([source() for _ in range(5)], at_once=2)) as items:
        next(items)
        waiting.wait(LONG)
    assert time.monotonic() - began < LONG / 2


def test_closing_it_ends_a_read_that_nobody_answers():
    ours, theirs = socket.socketpair()
    reading, got = threading.Event(), []

    def source():
        yield 1
        with interruptible(ours):
            reading.set()
            got.append(ours.recv(1))
        yield 2

    with ours, theirs:
        with closing(side_by_side([source()], at_once=1)) as items:
            next(items)
            reading.wait(LONG)
        assert got == [b""]


def test_outside_of_such_threads_nothing_is_halted():
    assert HALT.get() is None
    check_halt()
    with interruptible(None):
        rest(0)


@pytest.mark.parametrize("encrypted", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("fault", [silence, drip(PAGE, pause=0.2)], ids=["silence", "drip"])
def test_a_request_that_hangs_is_ended_at_once_and_not_repeated(encrypted, fault, tmp_path):
    authority, asked = trustme.CA(), threading.Event()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def behave(connection):
        asked.set()
        return fault(connection)

    def source(door):
        yield "first"
        yield door.get("/clients")

    with FaultyServer(*[behave] * 8, tls=context if encrypted else None) as server:
        settings = DoorSettings(server.url, ca_file=tmp_path / "ca.pem")
        with Door(settings, Secret("token")) as door:
            began = time.monotonic()
            with closing(side_by_side([source(door)], at_once=1)) as items:
                next(items)
                asked.wait(LONG)
            assert time.monotonic() - began < LONG / 2
            assert door.requests == 1


def test_a_thread_that_waits_to_try_again_is_ended():
    told = threading.Event()
    settings = DoorSettings("http://127.0.0.1:1", attempts=8)  # nobody listens there

    def source(door):
        yield "first"
        yield door.get("/clients")

    def on_wait(_why, _seconds):
        told.set()

    with Door(settings, Secret("token"), on_wait=on_wait, random=lambda: 0.99) as door:
        with closing(side_by_side([source(door)], at_once=1)) as items:
            next(items)
            told.wait(LONG)
        assert door.requests < 8

"""Turns at a host on a real Postgres: shared by threads, processes and doors, and never a reason to fail.

What was given is read from the moments that the table had, not from how long anybody waited. The paces are so slow that
no test lasts as long as one interval.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise

import pytest

from tests.engines import name_of
from tests.postgres import PASSWORD
from warehouse.engine.place import PostgresUrl
from warehouse.locks import host_turns
from warehouse.locks.host_turns import LONGEST, MOST_WAITING, HostTurns
from warehouse.opened.open import open_place

HOST = "ninja.test:443"
INTERVAL = 10.0
BURST = 5
TAKE = """
import sys
from warehouse.host_turns import HostTurns
from warehouse.place import PostgresUrl
turns = HostTurns(PostgresUrl.of(sys.argv[1]), sys.argv[2], per_second=0.1, burst=5)
turns.take()
print("ready", flush=True)
sys.stdin.readline()
for _ in range(20):
    turns.take()
"""


@pytest.fixture
def place(postgres, migrated):
    """A database of this version that notes until when each request has put off the next one."""
    name = postgres.make_database(name_of(migrated))
    with postgres.admin(name) as admin:
        admin.execute("create table public.given (host text, due_at timestamptz)")
        admin.execute(
            "create function public.note() returns trigger language plpgsql as "
            "$$ begin insert into public.given values (new.host, new.due_at); return new; end $$"
        )
        admin.execute(
            "create trigger note after insert or update on control.host_turns for each row "
            "execute function public.note()"
        )
    yield postgres.place(name)
    postgres.drop_database(name)


@pytest.fixture
def turns(place):
    """Turns of one more door at a host, at one request in ten seconds unless told."""
    opened = []

    def new(host=HOST, per_second=1 / INTERVAL, at=place):
        opened.append(HostTurns(at, host, per_second=per_second, burst=BURST))
        return opened[-1]

    yield new
    for one in opened:
        one.close()


def asked(place, sql):
    with open_place(place) as warehouse:
        return warehouse.rows(sql)


def changed(place, sql):
    with open_place(place) as warehouse:
        warehouse.execute(sql)


def gaps(place):
    """The seconds between the moments that were given, in order."""
    moments = [moment for (moment,) in asked(place, "select due_at from public.given order by due_at")]
    return [(later - sooner).total_seconds() for sooner, later in pairwise(moments)]


def test_turns_of_threads_and_of_doors_are_an_interval_apart(turns, place):
    ours, theirs = turns(), turns()
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda number: (ours if number % 2 else theirs).take(), range(40)))
    found = gaps(place)
    assert len(found) == 39
    assert min(found) >= INTERVAL
    assert sum(wait == 0 for wait in waits) >= BURST
    assert max(waits) > INTERVAL


def test_turns_of_two_processes_are_an_interval_apart(place):
    command = [sys.executable, "-c", TAKE, place.url, HOST]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as one, subprocess.Popen(command, **pipes) as other:
        for process in (one, other):
            assert process.stdout.readline() == "ready\n"
        for process in (one, other):
            process.stdin.write("go\n")
            process.stdin.flush()
        assert (one.wait(60), other.wait(60)) == (0, 0)
    found = gaps(place)
    assert len(found) == 41
    assert min(found) >= INTERVAL


def test_a_host_that_has_rested_gives_a_burst_and_then_one_turn_after_the_other(turns, place):
    one = turns(per_second=0.01)
    assert [one.take() for _ in range(BURST)] == [0.0] * BURST
    sixth, seventh = one.take(), one.take()
    assert 0 < sixth <= 100 < seventh <= 200
    changed(place, "update control.host_turns set due_at = now() - interval '1 day'")
    assert [one.take() for _ in range(BURST)] == [0.0] * BURST
    assert 0 < one.take() <= 100


def test_each_request_puts_off_the_next_one_by_the_interval_of_its_own_source(turns, place):
    slow, fast = turns(per_second=0.01), turns(per_second=0.1)
    for _ in range(BURST + 1):
        slow.take()
    before = gaps(place)
    fast.take()
    slow.take()
    assert gaps(place) == [*before, 10.0, 100.0]


@pytest.mark.parametrize("known", [True, False], ids=["a host that was asked", "a new host"])
def test_a_pause_that_one_has_noted_is_obeyed_by_another_and_at_no_other_host(turns, place, known):
    one, other, elsewhere = turns(), turns(), turns("other.test:443")
    if known:
        assert other.take() == 0.0
    one.pause(100)
    ((until,),) = asked(place, "select paused_until from control.host_turns")
    assert other.paused()
    assert other.take() > 0
    ((due,),) = asked(place, "select due_at from control.host_turns")
    assert (due - until).total_seconds() == INTERVAL  # the turn came at the end of the pause, the next one after it
    assert not elsewhere.paused()
    assert elsewhere.take() == 0.0


def test_a_pause_is_never_shortened_and_ends(turns, place):
    one = turns()
    one.pause(100)
    before = asked(place, "select * from control.host_turns")
    one.pause(1)
    assert asked(place, "select * from control.host_turns") == before
    changed(place, "update control.host_turns set due_at = due_at - interval '1 h', paused_until = now()")
    assert not one.paused()
    assert one.take() == 0.0


def test_a_clock_that_was_set_back_stops_nobody(turns, place):
    one = turns()
    one.take()
    changed(place, f"update control.host_turns set due_at = now() + interval '{MOST_WAITING * INTERVAL + 60} s'")
    changed(place, "update control.host_turns set paused_until = due_at")
    assert not one.paused()
    assert one.take() == 0.0
    assert 0 < one.take() <= INTERVAL


def test_a_connection_that_is_killed_is_made_anew_each_time(turns, place, postgres):
    one = turns(per_second=0.01)
    for _ in range(3):
        one.take()
        one.take()
        with postgres.admin() as admin:
            killed = admin.execute(
                "select pg_terminate_backend(pid, 10000) from pg_stat_activity "
                "where application_name like 'ninja-sync%'"
            )
            assert killed.fetchall() == [(True,)]
    assert one.take() > 0
    assert len(gaps(place)) == 6


def test_without_the_table_or_the_database_a_door_keeps_to_its_own_pace(turns, place, database, postgres):
    not_yet = turns(at=database)
    assert (not_yet.take(), not_yet.paused()) == (0.0, False)
    not_yet.pause(100)
    assert not_yet._opened is None
    refused = turns(at=PostgresUrl.of(place.url.replace(PASSWORD.replace(" ", "%20"), "wrong")))
    assert refused.take() == 0.0
    gone = turns(per_second=0.001)
    assert gone.take() == 0.0
    postgres.drop_database(name_of(place))
    assert [gone.take() for _ in range(BURST + 1)] == [0.0] * (BURST + 1)
    assert gone._opened is None


def test_nobody_who_holds_the_row_keeps_a_door_waiting(turns, place, postgres, monkeypatch):
    monkeypatch.setitem(host_turns.QUICK, "statement_timeout", "50ms")
    one = turns(per_second=0.001)
    one.take()
    with closing(postgres.admin(place.url.rpartition("/")[2])) as admin:
        admin.execute("begin")
        admin.execute("select * from control.host_turns for update")
        assert [one.take() for _ in range(BURST)] == [0.0] * BURST
    assert len(gaps(place)) == 0


def test_once_closed_nothing_is_opened_any_more(turns, place):
    one = turns()
    one.take()
    one.close()
    one.close()
    assert one.take() == 0.0
    assert one._opened is None
    assert len(gaps(place)) == 0


def test_many_who_wait_at_a_slow_pace_keep_it(place, turns):
    slow = turns(per_second=0.01)
    far = [slow.take() for _ in range(BURST + 20)]
    assert far[:BURST] == pytest.approx([0.0] * BURST)
    assert far[-1] > LONGEST
    moments = [due for (due,) in asked(place, "select due_at from public.given order by due_at")]
    assert {round((b - a).total_seconds()) for a, b in pairwise(moments)} == {100}

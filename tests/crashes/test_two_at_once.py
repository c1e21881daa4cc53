"""Several pulls at once: of one source the others wait or say Busy; what is loaded is exact, nothing stands twice."""

from __future__ import annotations

import subprocess
import sys

import duckdb
import pytest

from schemas.errors import Busy
from tests.crashes.victim import stable
from tests.crashes.witness import as_published, found_in, leftovers, published, truth
from warehouse.engine.place import reader_of

HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.quick(where=lambda count: count == 2)
@pytest.mark.parametrize("count", [2, 8])
def test_of_pulls_of_one_source_that_start_at_once_each_has_its_turn(server, path, victims, count):
    ended = victims.send(count, wait=60)
    for victim in ended:
        victim.wait()
    assert [(victim.code, victim.text) for victim in ended] == [(0, "")] * count
    found = found_in(path)
    assert found.clients == truth(server.clients())
    assert leftovers(path) == []


def test_pulls_that_may_not_wait_say_busy_and_name_the_process_that_pulls(server, path, victims):
    server.switch(latency_ms=3000)
    ended = victims.send(6, wait=0)
    (done,) = [victim for victim in ended if victim.wait("looking")]  # the others are dead
    server.switch(latency_ms=0)
    done.wait()
    assert done.code == 0
    for victim in ended:
        if victim is not done:
            assert victim.code == Busy.exit_code
            assert f"process {done.pid}" in victim.text
    assert found_in(path).clients == truth(server.clients())


def test_a_pull_waits_for_one_that_is_killed_and_then_goes_on(server, path, victims):
    server.switch(latency_ms=100)
    first, second = victims.send(2, wait=60)
    holder = first if first.wait("looking") and not second.phases else second
    holder.kill(0.3)
    for victim in (first, second):
        victim.wait()
    other = second if holder is first else first
    assert (other.code, other.text) == (0, "")
    assert found_in(path).clients == truth(server.clients())


def test_two_sources_in_one_warehouse_are_pulled_at_once(server, path):
    sources = {"main": (server.box.url, server.box.token)}, {"other": (server.box.url, server.box.other_token)}
    with stable(path, sources[0]) as here, stable(path, sources[1]) as there:
        pulls = [*here.send(wait=60), *there.send(wait=60)]
        for victim in pulls:
            victim.wait()
        assert [(victim.code, victim.text) for victim in pulls] == [(0, "")] * 2
    assert found_in(path, "main").clients == truth(server.clients())
    others = server.call("GET", "/api/v1/clients?per_page=5000", token=server.box.other_token)["data"]
    assert found_in(path, "other").clients == truth({c["id"]: c for c in others})


def test_a_pull_publishes_while_a_reader_keeps_its_copy_open(server, path, victims):
    victims.pull()
    before = as_published(truth(server.clients()))
    names = "select id, name, balance from mart.clients"
    with duckdb.connect(str(reader_of(path)), read_only=True) as reader:
        server.edit(next(c for c in server.clients(status="active").values() if c["name"]), name="Renamed")
        assert victims.pull().code == 0
        assert {key: (name, owed) for key, name, owed in reader.execute(names).fetchall()} == before
    now = as_published(truth(server.clients()))
    assert published(path) == [now, now] != [before, before]


def test_a_warehouse_that_another_program_has_open_is_busy_by_name_and_pulled_when_it_closes(server, path, victims):
    victims.pull()
    server.edit(next(c for c in server.clients(status="active").values() if c["name"]), name="Renamed")
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        refused = victims.pull(wait=0.3)
        assert (refused.code, f"process {holder.pid}" in refused.text) == (Busy.exit_code, True)
        (waiting,) = victims.send(wait=60)
        waiting.wait("looking")
        holder.stdin.close()
        waiting.wait()
    assert (waiting.code, waiting.text) == (0, "")
    assert found_in(path).clients == truth(server.clients())

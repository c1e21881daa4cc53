"""SIGTERM, Ctrl-C, a closed terminal at any moment of `ninja-sync pull`: one line, an exit code, nothing half done."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.crashes import program
from tests.crashes.changes import chances
from tests.crashes.witness import found_in, leftovers, truth
from warehouse.locks.lock import one_run_at_a_time


@pytest.fixture
def start(server, path):
    """Start a pull as a process; what was asked before is forgotten."""

    def run(*before):
        server.call("DELETE", "/_sandbox/requests")
        return program.start(path, server.box, *before)

    return run


def asked(server, process):
    """Wait for the first request of a process."""
    while not any(r["path"].endswith("/clients") for r in server.call("GET", "/_sandbox/requests")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.005)


def assert_stopped(process, err, number):
    """One line and the exit code; or the signal came too late, and the pull was done."""
    assert "Traceback" not in err
    assert "Exception" not in err
    if process.returncode:
        assert process.returncode == 128 + number, err
        assert [line for line in err.splitlines() if line.startswith("ninja-sync:")] == [program.STOPPED]


def assert_old_or_new(server, path, old, victims):
    """Nothing half done, no lock held; the next pull is exact."""
    with one_run_at_a_time(path, "main", wait=0):
        assert found_in(path).clients in (old, truth(server.clients()))
    pulled = victims.pull(wait=0)
    assert (pulled.code, pulled.text) == (0, "")
    assert found_in(path).clients == truth(server.clients())
    assert leftovers(path) == []


@pytest.mark.slow
@pytest.mark.proof
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_pull_that_is_told_to_end_at_any_moment_leaves_the_old_state_or_the_new_one(
    server, path, victims, start, number
):
    rng = chances(int(number))
    old = {}
    for turn in range(3):
        server.switch(latency_ms=20)
        process = start()
        asked(server, process)
        time.sleep(rng.uniform(0, 0.9))
        os.killpg(process.pid, number)
        _, err = process.communicate(timeout=300)
        assert_stopped(process, err, number)
        server.switch(latency_ms=0)
        assert_old_or_new(server, path, old, victims)
        old = found_in(path).clients
        for client in list(server.clients(status="active").values())[:30]:
            server.edit(client, city=f"City {turn}")


@pytest.mark.quick(where=lambda number: number == signal.SIGTERM)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_pull_whose_requests_hang_ends_before_they_do(server, path, victims, start, number):
    server.switch(faults=[{"do": "hang", "on": "GET /clients", "nth": 2, "every": True}])
    process = start()
    asked(server, process)  # for the first look; requests that hang are in no log
    time.sleep(0.5)
    os.killpg(process.pid, number)
    _, err = process.communicate(timeout=50)  # a request may hang for a minute
    assert process.returncode == 128 + number
    assert err == program.STOPPED + "\n"
    server.switch(faults=[])
    assert_old_or_new(server, path, {}, victims)


@pytest.mark.quick(where=lambda seed: seed == 0)
@pytest.mark.parametrize("seed", range(3))
def test_a_second_and_a_third_ctrl_c_do_no_harm(server, path, victims, start, seed):
    rng = chances(seed)
    server.switch(latency_ms=20)
    process = start()
    asked(server, process)
    time.sleep(rng.uniform(0.1, 0.8))
    for _ in range(3):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(rng.choice([0, 0.001, 0.01, 0.05]))
    _, err = process.communicate(timeout=300)
    assert "Traceback" not in err
    assert process.returncode in (0, 130)
    assert_old_or_new(server, path, {}, victims)


def test_a_pull_under_nohup_outlives_its_terminal(server, path, start):
    server.switch(latency_ms=20)
    process = start("nohup")
    asked(server, process)
    os.killpg(process.pid, signal.SIGHUP)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert found_in(path).clients == truth(server.clients())

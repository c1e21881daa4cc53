"""One run at a time per source: the second waits, then says who holds it; a dead holder does not block."""

from __future__ import annotations

import subprocess
import sys

import pytest

from schemas.errors import Busy
from warehouse.locks.lock import one_run_at_a_time

HOLD = """
import sys
from pathlib import Path
from warehouse.locks.lock import one_run_at_a_time
with one_run_at_a_time(Path(sys.argv[1]), "main"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "warehouse.duckdb"


@pytest.fixture
def holder(path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_run_waits_and_then_names_the_process_of_the_first(holder, path):
    now = [0.0]

    def sleep(seconds):
        now[0] += seconds

    with (
        pytest.raises(Busy, match=f"process {holder.pid}"),
        one_run_at_a_time(path, "main", wait=2, clock=lambda: now[0], sleep=sleep),
    ):
        pass
    assert now[0] >= 2


def test_a_killed_run_does_not_block_the_next_one(holder, path):
    holder.kill()
    holder.wait()
    with one_run_at_a_time(path, "main", wait=0):
        pass


def test_sources_do_not_block_each_other(holder, path):
    with one_run_at_a_time(path, "other", wait=0):
        pass


def test_the_lock_is_given_back_after_an_error(path):
    with pytest.raises(ValueError, match="a failure"), one_run_at_a_time(path, "main", wait=0):
        raise ValueError("a failure")
    with one_run_at_a_time(path, "main", wait=0):
        pass


def test_a_lock_on_a_file_stays(path):
    with one_run_at_a_time(path, "main", wait=0) as still_held:
        assert still_held()

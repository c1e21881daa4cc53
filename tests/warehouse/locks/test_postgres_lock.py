"""One run at a time per source on Postgres, whatever machine it runs on."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from schemas.errors import Busy
from tests.records import client
from warehouse.control.state import State
from warehouse.locks.lock import one_run_at_a_time
from warehouse.opened.open import open_place

HOLD = """
import sys
from warehouse.locks.lock import one_run_at_a_time
from warehouse.engine.place import PostgresUrl
with one_run_at_a_time(PostgresUrl.of(sys.argv[1]), "main"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(database):
    command = [sys.executable, "-c", HOLD, database.url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_run_waits_and_then_names_the_session_of_the_first(holder, database):
    now = [0.0]

    def sleep(seconds):
        now[0] += seconds

    with (
        pytest.raises(Busy, match=f"ninja-sync {holder.pid}@.* session [0-9]+"),
        one_run_at_a_time(database, "main", wait=2, clock=lambda: now[0], sleep=sleep),
    ):
        pass
    assert now[0] >= 2


def test_a_killed_run_does_not_block_the_next_one(holder, database):
    holder.kill()
    holder.wait()
    with one_run_at_a_time(database, "main", wait=30):
        pass


def test_sources_and_warehouses_do_not_block_each_other(holder, database, postgres):
    with one_run_at_a_time(database, "other", wait=0):
        pass
    name = postgres.make_database()
    with one_run_at_a_time(postgres.place(name), "main", wait=0):
        pass
    postgres.drop_database(name)


def test_a_load_is_refused_where_another_run_has_loaded_since_the_scan_began(warehouse, load_records):
    load_records([client("a")], after=State())
    before = warehouse.rows("select * from control.runs")
    with pytest.raises(Busy, match="has loaded meanwhile"):
        load_records([client("b")], after=State())
    assert warehouse.rows("select * from control.runs") == before
    assert warehouse.rows("select id from ninja.clients") == [("a",)]


def test_a_held_lock_keeps_no_vacuum_waiting(holder, database):
    with open_place(database) as warehouse:
        found = warehouse.rows(
            "select state, backend_xmin, backend_xid from pg_stat_activity where application_name like $name",
            {"name": f"ninja-sync {holder.pid}@%"},
        )
    assert found == [("idle in transaction", None, None)]


def test_no_time_out_of_the_database_takes_the_lock_away(postgres, database):
    with postgres.admin() as admin:
        for name in ("idle_in_transaction_session_timeout", "idle_session_timeout"):
            admin.execute(f"alter database \"{database.url.rpartition('/')[2]}\" set {name} = '50ms'")
    with one_run_at_a_time(database, "main", wait=0):
        time.sleep(0.5)  # long past both
        with pytest.raises(Busy), one_run_at_a_time(database, "main", wait=0):
            pass

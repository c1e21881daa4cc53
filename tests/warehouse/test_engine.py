"""The door of the warehouse: who may open it, what a query may touch, what an error may say."""

from __future__ import annotations

import stat
import subprocess
import sys

import pytest

from schemas.errors import Busy, SettingsError, WarehouseError
from tests.records import MOMENT
from warehouse.duckdb_engine import exports_of, open_warehouse, remove_warehouse
from warehouse.migrations import migrate

HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(warehouse_path):
    """Another process that has the warehouse open."""
    with open_warehouse(warehouse_path) as opened:
        migrate(opened, now=MOMENT)
    command = [sys.executable, "-c", HOLD, str(warehouse_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.stdin.close()


def test_a_warehouse_in_use_is_busy_and_names_the_process_after_a_short_wait(holder, warehouse_path):
    now, waits = [0.0], []

    def sleep(seconds):
        waits.append(seconds)
        now[0] += seconds

    with pytest.raises(Busy, match=f"process {holder.pid}"):
        open_warehouse(warehouse_path, wait=3, clock=lambda: now[0], sleep=sleep)
    assert sum(waits) == pytest.approx(3, abs=0.2)


def test_a_warehouse_is_opened_as_soon_as_the_other_process_lets_go(holder, warehouse_path):
    def sleep(_seconds):
        holder.stdin.close()
        holder.wait()

    with open_warehouse(warehouse_path, wait=60, sleep=sleep) as opened:
        assert opened.rows("select 1") == [(1,)]


@pytest.mark.parametrize(
    "attempt",
    [
        "select * from read_text('/etc/passwd')",
        "copy (select 1) to '{outside}'",
        "attach '{outside}' as other",
        "install httpfs",
        "set enable_external_access = true",
        "set allowed_directories = ['/']",
        "select * from read_csv('https://example.com/x.csv')",
        "export database '{outside}'",
        "load '{outside}'",
    ],
)
def test_no_query_reaches_outside_of_the_published_folder(warehouse, tmp_path, attempt):
    with pytest.raises((WarehouseError, SettingsError)):
        warehouse.execute(attempt.format(outside=tmp_path / "outside"))
    assert not (tmp_path / "outside").exists()


def test_an_error_of_the_engine_does_not_show_the_values_of_rows(warehouse):
    warehouse.execute("create table control.probe (n integer)")
    with pytest.raises(WarehouseError) as caught:
        warehouse.execute("insert into control.probe values (cast($v as integer))", {"v": "ann@example.com"})
    chain = f"{caught.value} {caught.value.__cause__} {caught.value.__suppress_context__}"
    assert "ann@example.com" not in chain
    assert "ConversionException" in str(caught.value)


def test_a_query_that_a_person_typed_is_answered_in_the_engines_words(warehouse):
    with pytest.raises(SettingsError, match="nothing_like_this"):
        warehouse.ask("select * from nothing_like_this")


def test_file_and_folder_are_private(warehouse):
    assert stat.S_IMODE(warehouse.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(warehouse.path.parent.stat().st_mode) == 0o700


def test_a_file_that_is_no_warehouse_is_refused_and_left_as_it_is(tmp_path):
    file = tmp_path / "notes.duckdb"
    file.write_text("my notes, which are long enough to be no empty file " * 500)
    before = file.read_bytes()
    with pytest.raises(WarehouseError, match=r"notes\.duckdb"):
        open_warehouse(file, wait=0)
    assert file.read_bytes() == before


def test_a_folder_is_refused_with_a_name_to_take(tmp_path):
    with pytest.raises(SettingsError, match=r"warehouse\.duckdb"):
        open_warehouse(tmp_path, wait=0)


def test_reading_where_nothing_was_pulled_says_what_makes_it(tmp_path):
    with pytest.raises(WarehouseError, match="ninja-sync pull"):
        open_warehouse(tmp_path / "none.duckdb", read_only=True)


def test_a_transaction_is_undone_by_any_exception(warehouse):
    warehouse.execute("create table control.probe (n integer)")
    for problem in (KeyboardInterrupt, ValueError):
        with pytest.raises(problem):
            _insert_and_fail(warehouse, problem)
    assert warehouse.rows("select * from control.probe") == []


def _insert_and_fail(warehouse, problem):
    with warehouse.transaction():
        warehouse.execute("insert into control.probe values (1)")
        raise problem


def test_removing_a_warehouse_removes_all_that_belongs_to_it_and_nothing_else(tmp_path):
    path, other = tmp_path / "warehouse.duckdb", tmp_path / "other.duckdb"
    open_warehouse(path).__exit__()
    other.touch()
    exports_of(path).mkdir()
    remove_warehouse(path)
    assert list(tmp_path.iterdir()) == [other]

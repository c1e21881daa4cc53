"""The door of the warehouse: who may open it, what a query may touch, what an error may say."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import duckdb
import pytest

from schemas.clocks import Clocks
from schemas.errors import OUT_OF_MEMORY, Busy, SettingsError, WarehouseError
from tests.records import MOMENT
from tests.warehouse.conftest import KEY
from warehouse.engine.duckdb import open_warehouse
from warehouse.engine.duckdb_file import remove_warehouse
from warehouse.engine.place import exports_of
from warehouse.load.staging import Staging
from warehouse.locks.lock import one_run_at_a_time
from warehouse.opened.migrate import migrate

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
def test_no_query_reaches_outside_of_the_published_folder(duckdb_warehouse, tmp_path, attempt):
    with pytest.raises((WarehouseError, SettingsError)):
        duckdb_warehouse.execute(attempt.format(outside=tmp_path / "outside"))
    assert not (tmp_path / "outside").exists()


def test_an_error_of_the_engine_does_not_show_the_values_of_rows(warehouse):
    warehouse.execute("create table control.probe (n integer)")
    with pytest.raises(WarehouseError) as caught:
        warehouse.execute("insert into control.probe values (cast($v as integer))", {"v": "ann@example.com"})
    chain = f"{caught.value} {caught.value.__cause__} {caught.value.__suppress_context__}"
    assert "ann@example.com" not in chain
    assert re.search("ConversionException|InvalidTextRepresentation", str(caught.value))


def test_a_query_that_a_person_typed_is_answered_in_the_engines_words(warehouse):
    with pytest.raises(SettingsError, match="nothing_like_this"):
        warehouse.ask("select * from nothing_like_this")


def test_file_and_folder_are_private(duckdb_warehouse):
    assert stat.S_IMODE(duckdb_warehouse.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(duckdb_warehouse.path.parent.stat().st_mode) == 0o700


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


@pytest.fixture
def neighbours(tmp_path):
    """Two warehouses whose names differ behind the dot, and one whose name begins with the name of the first."""
    return [tmp_path / name for name in ("w[1].duckdb", "w[1].db", "w[1].duckdb.copy")]


def belongings(path):
    """Make a warehouse and all that runs put beside it."""
    before = set(path.parent.iterdir())
    open_warehouse(path).__exit__()
    with one_run_at_a_time(path, "main", wait=0):
        Staging.of(path, "main").begin(KEY, Clocks(1, None))
    exports_of(path).mkdir()
    return set(path.parent.iterdir()) - before


def test_warehouses_of_one_folder_share_nothing(neighbours):
    made = [belongings(path) for path in neighbours]
    assert [len(files) for files in made] == [4, 4, 4]
    with one_run_at_a_time(neighbours[0], "main", wait=0), one_run_at_a_time(neighbours[1], "main", wait=0):
        pass


def test_removing_a_warehouse_removes_all_that_belongs_to_it_and_nothing_else(neighbours):
    path, *others = neighbours
    left = {file for other in others for file in belongings(other)}
    belongings(path)
    remove_warehouse(path)
    assert set(path.parent.iterdir()) == left
    remove_warehouse(path)


def test_removing_a_warehouse_where_there_is_no_folder_does_nothing(tmp_path):
    remove_warehouse(tmp_path / "none" / "warehouse.duckdb")


def test_an_unread_result_does_not_keep_a_warehouse_open(warehouse_path):
    with open_warehouse(warehouse_path) as opened:
        unread = opened._connection.sql("select 1 as n")
    open_warehouse(warehouse_path, wait=0).__exit__()
    del unread


def settings_of(warehouse):
    asked = "select name, value from duckdb_settings() where name in ('memory_limit', 'threads')"
    return dict(warehouse.rows(asked))


def test_whoever_writes_has_little_memory_and_more_of_it_for_more_data(warehouse_path):
    with open_warehouse(warehouse_path) as opened:
        assert settings_of(opened) == {"memory_limit": "128.0 MiB", "threads": "1"}
    staged = warehouse_path.with_name(warehouse_path.name + ".staging") / "main" / "clients" / "000001.clients.arrow"
    staged.parent.mkdir(parents=True)
    with staged.open("wb") as file:
        file.truncate(120 * 1024 * 1024)
    with open_warehouse(warehouse_path) as opened:
        assert settings_of(opened)["memory_limit"] == "84.0 MiB"


def test_whoever_only_reads_has_what_the_machine_has(warehouse_path):
    open_warehouse(warehouse_path).__exit__()
    with open_warehouse(warehouse_path, read_only=True) as opened:
        assert settings_of(opened)["memory_limit"] != "128.0 MiB"


@pytest.mark.parametrize("read_only", [False, True])
def test_a_long_query_draws_no_bar_into_what_a_command_tells(warehouse_path, read_only):
    open_warehouse(warehouse_path).__exit__()
    with open_warehouse(warehouse_path, read_only=read_only) as opened:
        assert opened.rows("select current_setting('enable_progress_bar')") == [(False,)]


def test_what_does_not_fit_into_memory_is_spilled_beside_the_warehouse_and_removed(warehouse_path):
    with open_warehouse(warehouse_path) as opened:
        opened.execute("create temp table wide as select repeat(i::varchar, 40) as t, i from range(2000000) as r(i)")
        spilled = warehouse_path.with_name(warehouse_path.name + ".tmp")
        assert any(spilled.iterdir())
        assert {stat.S_IMODE(path.stat().st_mode) for path in spilled.iterdir()} == {0o600}
        assert opened.rows("select count(*) from wide") == [(2_000_000,)]
    assert not spilled.exists() or not any(spilled.iterdir())


VALUES = """
import importlib, sys
from pathlib import Path
if sys.argv[2] == "package":
    importlib.import_module("duckdb")
from warehouse.engine.duckdb import open_warehouse
asked = [
    "null, true, 1::tinyint, 1.5::float, 'nan'::double, 1::uhugeint, 1.5::decimal(38, 3), 99999999999999999999::bignum",
    "'ab'::blob, '0101'::bit, uuid '12345678-1234-1234-1234-123456789012', 'a'::enum('a', 'b'), '[1]'::json",
    "date '0001-01-01', date '290000-01-01', 'infinity'::date, time '10:11:12.5', interval 3 days",
    "now() > '-infinity'::timestamptz, timestamptz '2026-01-02 03:04:05+01', timestamp_ns '2026-01-02'",
    "1::variant, [1, null], [1, 2]::int[2], {'a': {'b': [1]}}, map {'a': 1}, union_value(k := 1), (1, 2)",
    "* from warehouse",
]
with open_warehouse(Path(sys.argv[1])) as warehouse:
    for query in asked:
        try:
            print(warehouse.ask("select " + query))
        except Exception as problem:
            print(type(problem), problem)
"""


def test_the_extension_alone_reads_every_value_as_the_whole_package_does(warehouse_path):
    def output(how):
        command = [sys.executable, "-c", VALUES, str(warehouse_path), how]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert output("extension") == output("package")
    assert output("package").count("SettingsError") == 1


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        ("Out of Memory Error: could not allocate block of size 256.0 KiB (148.8 MiB/149.0 MiB used)", OUT_OF_MEMORY),
        (
            "Out of Memory Error: failed to offload data block of size 256.0 KiB",
            "The disk is full: DuckDB cannot spill",
        ),
    ],
)
def test_an_error_while_rows_are_streamed_is_one_of_the_warehouse(warehouse_path, monkeypatch, problem, message):
    def broken(*_args, **_kwargs):
        raise OSError(problem)  # as pyarrow does

    with open_warehouse(warehouse_path) as warehouse:
        monkeypatch.setattr(warehouse, "_connection", SimpleNamespace(sql=broken))
        with pytest.raises(WarehouseError, match=re.escape(message)):
            list(warehouse.streamed("select 1"))


def test_several_readers_of_one_process_share_a_file_and_none_can_change_the_settings(duckdb_warehouse, warehouse_path):
    duckdb_warehouse.__exit__()
    with (
        open_warehouse(warehouse_path, read_only=True) as first,
        open_warehouse(warehouse_path, read_only=True) as second,
        ThreadPoolExecutor(4) as several,
    ):
        shown = "select current_setting('TimeZone'), current_setting('lock_configuration')"
        assert first.rows(shown) == second.rows(shown) == [("UTC", True)]
        with pytest.raises(SettingsError):
            second.ask("set timezone = 'Asia/Tokyo'")

        def count(_):
            with open_warehouse(warehouse_path, read_only=True) as opened:
                return opened.rows("select count(*) from control.runs")

        assert list(several.map(count, range(40))) == [[(0,)]] * 40


@pytest.mark.parametrize(("first", "second"), [(False, False), (False, True), (True, False)])
def test_whoever_writes_is_alone_in_its_process_too(duckdb_warehouse, warehouse_path, first, second):
    duckdb_warehouse.__exit__()
    opened = open_warehouse(warehouse_path, read_only=first)
    with pytest.raises(Busy, match="in this process"):
        open_warehouse(warehouse_path, read_only=second, wait=0)
    with open_warehouse(warehouse_path, read_only=second, sleep=lambda _seconds: opened.__exit__()) as later:
        assert later.rows("select count(*) from control.runs") == [(0,)]


@pytest.mark.parametrize("beside", ["attach '{}' as beside", "attach '{}' as beside (read_only)"])
def test_a_file_that_a_program_has_attached_is_busy_for_a_writer(duckdb_warehouse, warehouse_path, beside):
    duckdb_warehouse.__exit__()
    with duckdb.connect() as other:
        other.execute(beside.format(warehouse_path))
        with pytest.raises(Busy, match="in this process"):
            open_warehouse(warehouse_path, wait=0)

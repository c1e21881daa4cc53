"""Published copies: readable while a run holds the warehouse, whole or not there, private."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from datetime import timedelta

import duckdb
import pytest

from schemas.errors import WarehouseError
from tests.records import MOMENT, NOW, client, contact
from warehouse.control.state import Run, record_run
from warehouse.engine import private
from warehouse.engine.duckdb import open_warehouse
from warehouse.engine.place import exports_of, reader_of
from warehouse.publish import publish as published
from warehouse.publish.publish import CHEAP, EXPORTED, Postponed, publish, publish_findings, publish_if_due

READ = """
import sys, duckdb
print(duckdb.connect(sys.argv[1], read_only=True).execute("select display_name from mart.clients").fetchall())
"""


@pytest.fixture
def place(warehouse_path):
    """Copies are made of DuckDB's file; readers of Postgres need none."""
    return warehouse_path


def read_in_another_process(path):
    return subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=False)


def test_another_process_reads_the_copy_while_the_warehouse_is_open(warehouse, load_records):
    load_records([client("a")])
    publish(warehouse)
    assert read_in_another_process(warehouse.path).returncode != 0
    assert read_in_another_process(reader_of(warehouse.path)).stdout == "[('Client a',)]\n"


def test_a_reader_keeps_its_copy_while_a_new_one_is_published(warehouse, load_records):
    load_records([client("a")])
    publish(warehouse)
    with duckdb.connect(str(reader_of(warehouse.path)), read_only=True) as reader:
        load_records([client("a", display_name="Renamed", updated_at=NOW)])
        publish(warehouse)
        assert reader.execute("select display_name from mart.clients").fetchall() == [("Client a",)]
    assert read_in_another_process(reader_of(warehouse.path)).stdout == "[('Renamed',)]\n"


@pytest.mark.parametrize("view", EXPORTED)
def test_each_mart_is_a_parquet_file_equal_to_its_view(warehouse, load_records, view):
    load_records([client("a"), client("b", balance=-3)])
    folder = publish(warehouse)
    stored = duckdb.read_parquet(str(folder / f"{view}.parquet"))
    assert stored.fetchall() == warehouse.rows(f"select * from mart.{view}")


@pytest.mark.parametrize("view", ["clients", "contacts", "client_balances"])
def test_a_large_view_is_written_in_pieces_to_the_same_file(warehouse, load_records, monkeypatch, view):
    for source in ("one", "two"):  # an id may be in both
        load_records(
            [client(key, contacts=[contact(f"{key}{n}") for n in range(2)]) for key in "abcdefg'"], source=source
        )
    monkeypatch.setattr(published, "PIECE", 3)
    folder = publish(warehouse)
    stored = duckdb.read_parquet(str(folder / f"{view}.parquet"))
    assert sorted(stored.fetchall()) == sorted(warehouse.rows(f"select * from mart.{view}"))
    assert len(list(folder.iterdir())) == len(EXPORTED) + 1


def test_everything_published_is_private_and_nothing_half_written_stays(warehouse, load_records):
    load_records([client("a")])
    folder = publish(warehouse)
    assert folder == exports_of(warehouse.path)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert not list(folder.glob("*.part"))


def test_a_copy_is_a_whole_warehouse(warehouse, load_records, tmp_path):
    load_records([client("a")])
    publish(warehouse)
    with open_warehouse(reader_of(warehouse.path), read_only=True) as copy:
        for table in ("ninja.clients", "ninja.contacts", "control.runs", "control.watermarks"):
            assert copy.rows(f"select * from {table}") == warehouse.rows(f"select * from {table}")


def test_a_run_that_ended_before_it_published_is_made_up_for_once(warehouse, load_records):
    load_records([client("a")])
    assert publish_if_due(warehouse, now=MOMENT) == exports_of(warehouse.path)
    assert publish_if_due(warehouse, now=MOMENT) is None
    load_records([client("a", display_name="Renamed", updated_at=NOW)])
    assert publish_if_due(warehouse, now=MOMENT) is not None
    assert read_in_another_process(reader_of(warehouse.path)).stdout == "[('Renamed',)]\n"
    assert warehouse.rows("select run_id, published_at from control.published") == [("run-002", MOMENT)]


def test_duplicates_are_published_in_the_copy_alone(warehouse, load_records):
    load_records([client("a")])
    folder = publish(warehouse, now=MOMENT)
    files = {file.name: file.stat().st_ino for file in folder.iterdir()}
    warehouse.execute("insert into control.duplicate_clusters values ('main', 'a', 'a', now())")
    assert publish_findings(warehouse, now=MOMENT) == folder
    assert {file.name for file in folder.iterdir() if file.stat().st_ino != files[file.name]} == {"reader.duckdb"}
    with open_warehouse(reader_of(warehouse.path), read_only=True) as copy:
        assert copy.rows("select id from mart.duplicate_candidates") == [("a",)]
    assert publish_if_due(warehouse, now=MOMENT) is None


def test_duplicates_are_published_with_every_change_that_the_copies_lack(warehouse, load_records):
    load_records([client("a")])
    folder = publish(warehouse, now=MOMENT)
    files = {file.name: file.stat().st_ino for file in folder.iterdir()}
    load_records([client("a", display_name="Renamed", updated_at=NOW)])
    assert publish_findings(warehouse, now=MOMENT) == folder
    assert not [file.name for file in folder.iterdir() if file.stat().st_ino == files[file.name]]


def test_duplicates_that_are_not_published_are_due(warehouse, load_records, monkeypatch):
    load_records([client("a")])
    publish(warehouse, now=MOMENT)
    assert publish_findings(warehouse, now=MOMENT, write=False) is None
    assert publish_if_due(warehouse, now=MOMENT) is not None

    def killed(file, beside):
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(published, "_copy", killed)
        with pytest.raises(KeyboardInterrupt):
            publish_findings(warehouse, now=MOMENT)
    assert publish_if_due(warehouse, now=MOMENT) is not None


def test_a_run_that_changed_nothing_is_not_published(warehouse, load_records):
    load_records([client("a")])
    publish(warehouse)
    load_records([client("a")])
    assert publish_if_due(warehouse, now=MOMENT) is None


def test_a_change_is_published_though_the_clock_went_back(warehouse, load_records):
    load_records([client("a")])
    publish(warehouse)
    earlier = MOMENT - timedelta(days=1)
    record_run(warehouse, Run("run-before", "main", "pull", earlier, earlier, 1.0, 3, changed=True))
    assert publish_if_due(warehouse, now=MOMENT) is not None


@pytest.fixture
def published_slowly(warehouse, load_records):
    """A publication that took eight seconds, and a change since."""
    load_records([client("a")])
    readings = iter([100.0, 108.0])
    publish(warehouse, now=MOMENT, clock=lambda: next(readings))
    load_records([client("a", display_name="Renamed", updated_at=NOW)])


def test_a_dear_publication_is_not_repeated_before_ten_times_as_long_has_passed(warehouse, published_slowly):
    until = MOMENT + timedelta(seconds=80)
    for seconds in (0, 79):
        assert publish_if_due(warehouse, now=MOMENT + timedelta(seconds=seconds)) == Postponed(until)
    assert read_in_another_process(reader_of(warehouse.path)).stdout == "[('Client a',)]\n"
    assert publish_if_due(warehouse, now=until) == exports_of(warehouse.path)
    assert read_in_another_process(reader_of(warehouse.path)).stdout == "[('Renamed',)]\n"


def test_what_is_postponed_is_told_with_the_time_and_the_way_to_have_it_now():
    assert re.search(r"after 2026-11-22 \d\d:\d\d:\d\d UTC .*`ninja-sync publish`", str(Postponed(MOMENT)))


def test_whoever_asks_for_a_publication_gets_it_however_dear_the_last_one_was(warehouse, published_slowly):
    publish(warehouse, now=MOMENT)
    assert read_in_another_process(reader_of(warehouse.path)).stdout == "[('Renamed',)]\n"


def test_a_clock_that_went_back_postpones_nothing(warehouse, published_slowly):
    assert publish_if_due(warehouse, now=MOMENT - timedelta(seconds=1)) == exports_of(warehouse.path)


def test_a_missing_file_is_not_postponed(warehouse, published_slowly):
    reader_of(warehouse.path).unlink()
    assert publish_if_due(warehouse, now=MOMENT) == exports_of(warehouse.path)


def test_a_cheap_publication_follows_each_change(warehouse, load_records):
    load_records([client("a")])
    readings = iter([100.0, 100.0 + CHEAP])
    publish(warehouse, now=MOMENT, clock=lambda: next(readings))
    load_records([client("a", display_name="Renamed", updated_at=NOW)])
    assert publish_if_due(warehouse, now=MOMENT) == exports_of(warehouse.path)


@pytest.mark.parametrize("name", ["reader.duckdb", *(f"{view}.parquet" for view in EXPORTED)])
def test_a_published_file_that_is_missing_is_made_again(warehouse, load_records, name):
    load_records([client("a")])
    folder = publish(warehouse)
    (folder / name).unlink()
    assert publish_if_due(warehouse, now=MOMENT) == folder
    assert (folder / name).exists()


@pytest.mark.parametrize("failing", ["_copy", "rename_into_place"])
@pytest.mark.parametrize("problem", [KeyboardInterrupt, OSError])
def test_a_publication_that_was_cut_short_is_due_again_and_leaves_nothing_half_written(
    warehouse, load_records, monkeypatch, failing, problem
):
    load_records([client("a")])
    publish(warehouse)
    load_records([client("a", display_name="Renamed", updated_at=NOW)])

    def cut(*_):
        raise problem

    monkeypatch.setattr(published if failing == "_copy" else private, failing, cut)
    with pytest.raises(WarehouseError if problem is OSError else problem):
        publish_if_due(warehouse, now=MOMENT)
    assert not list(exports_of(warehouse.path).glob("*.part"))
    monkeypatch.undo()
    assert publish_if_due(warehouse, now=MOMENT) is not None
    assert read_in_another_process(reader_of(warehouse.path)).stdout == "[('Renamed',)]\n"

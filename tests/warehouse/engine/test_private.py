"""Whatever a process leaves when it dies is its owner's alone, though its umask would let everybody read."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from threading import Thread

import pytest

from schemas.errors import WarehouseError
from warehouse.engine.duckdb import open_warehouse
from warehouse.engine.private import make_whole, only_private_files

DYING = """
import os, sys
from datetime import datetime, UTC
from pathlib import Path
import _duckdb as duckdb
from warehouse.engine import private
from warehouse.publish import publish
from warehouse.opened.migrate import open_migrated

os.umask(0o022)
connect, place, path = duckdb.connect, sys.argv[1], Path(sys.argv[2])

def small(*args, config=None, **named):
    if config is None:
        return connect(*args)  # the empty file, before it has its name
    connection = connect(*args, config={**config, "memory_limit": "60MB", "threads": 1}, **named)
    if place == "connected":
        os._exit(9)
    return connection

duckdb.connect = small
if place == "publishing":
    private.rename_into_place = lambda *_: os._exit(9)
if place == "copied":
    publish.EXPORTED = ()
    private.rename_into_place = lambda *_: os._exit(9)
with open_migrated(path, now=datetime(2026, 1, 1, tzinfo=UTC)) as warehouse:
    if place in ("publishing", "copied"):
        publish.publish(warehouse)
    warehouse.checkpoint()
    warehouse.execute("create table control.probe as select range as n from range(10)")
    if place == "spilled":
        warehouse.execute("create temp table big as select range as n, repeat('x', 100) as x from range(1000000)")
    with warehouse.transaction():
        warehouse.execute("insert into control.probe values (11)")
        os._exit(9)
"""

LEFT = {
    "connected": "w.duckdb",
    "in a transaction": "w.duckdb.wal",
    "spilled": "w.duckdb.tmp",
    "publishing": "clients.parquet.part",
    "copied": "reader.duckdb.part",
}


@pytest.mark.parametrize("place", LEFT)
def test_a_process_that_dies_leaves_nothing_that_others_can_read(tmp_path, place):
    tmp_path.chmod(0o755)
    path = tmp_path / "w.duckdb"
    assert subprocess.run([sys.executable, "-c", DYING, place, str(path)], check=False).returncode == 9
    left = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.rglob("*")}
    assert LEFT[place] in left
    assert {name: oct(mode) for name, mode in left.items() if mode & 0o077} == {}


@pytest.fixture
def umask():
    """The umask of a program that uses the library; a function tells the present one."""
    before = os.umask(0o022)

    def present():
        found = os.umask(0o022)
        os.umask(found)
        return found

    yield present
    os.umask(before)


def test_the_umask_is_put_back_by_whoever_closes_last(umask, tmp_path):
    first, second = open_warehouse(tmp_path / "a.duckdb"), open_warehouse(tmp_path / "b.duckdb")
    assert umask() == 0o077
    first.__exit__()
    assert umask() == 0o077
    second.__exit__()
    second.__exit__()
    assert umask() == 0o022


def test_the_umask_is_put_back_where_nothing_could_be_opened(umask, tmp_path):
    (tmp_path / "notes.duckdb").write_text("my notes" * 5000)
    with pytest.raises(WarehouseError, match=r"notes\.duckdb"):
        open_warehouse(tmp_path / "notes.duckdb", wait=0)
    assert umask() == 0o022


def test_many_threads_put_the_umask_back(umask):
    def often():
        for _ in range(300):
            with only_private_files():
                pass

    threads = [Thread(target=often) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert umask() == 0o022


def test_a_umask_that_somebody_else_has_set_meanwhile_stays(umask):
    with only_private_files():
        os.umask(0o027)
    assert umask() == 0o027


def test_a_warehouse_whose_making_is_cut_short_is_made_anew(tmp_path, monkeypatch):
    path = tmp_path / "w.duckdb"
    with monkeypatch.context() as dying:
        dying.setattr(shutil, "rmtree", lambda *_, **__: None)  # a process that is killed removes nothing
        with pytest.raises(OSError, match="killed"):
            make_whole(path, lambda beside: (beside.write_bytes(b"half"), _die()))
    assert not path.exists()
    (left,) = tmp_path.iterdir()
    assert (left / "w.duckdb.part").read_bytes() == b"half"
    (tmp_path / "w.duckdb.1.part").touch()  # left by version 0.1.0
    (tmp_path / "w.duckdb.notes.part").touch()
    with open_warehouse(path) as warehouse:
        assert warehouse.rows("select 1") == [(1,)]
    assert {file.name for file in tmp_path.iterdir()} == {"w.duckdb", "w.duckdb.notes.part"}


def test_what_was_left_beside_a_warehouse_that_was_made_is_removed_when_it_is_opened_next(tmp_path):
    path = tmp_path / "w.duckdb"
    open_warehouse(path).__exit__()
    os.link(path, tmp_path / "w.duckdb.1.part")  # the process was killed before it could give up the other name
    open_warehouse(path).__exit__()
    assert [file.name for file in tmp_path.iterdir()] == ["w.duckdb"]


def test_a_file_that_another_process_made_first_stays(tmp_path):
    path = tmp_path / "w.duckdb"
    make_whole(path, lambda beside: (beside.write_text("ours"), path.write_text("theirs")))
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("w.duckdb", "theirs")]


def _die():
    raise OSError("killed")

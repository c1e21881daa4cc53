"""A warehouse put back from last week, a log cut short, staged pages edited, a file of a newer version: what then."""

from __future__ import annotations

import shutil

import pytest

from tests.crashes import program
from tests.crashes.changes import chances, change
from tests.crashes.victim import KILLED, stable
from tests.crashes.watch import Watch
from tests.crashes.witness import found_in, truth
from warehouse.engine.duckdb import open_warehouse

pytestmark = pytest.mark.slow

CUTS = 5
EDITS = 4


def copied(folder, kept):
    """Put one folder in the place of another."""
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(folder, kept)


@pytest.mark.quick(where=lambda whole: not whole)
@pytest.mark.parametrize("whole", [True, False])
def test_a_warehouse_that_was_restored_from_last_week_becomes_exact_and_its_ledger_shows_the_gap(
    server, path, victims, tmp_path, whole
):
    rng, gone = chances(7), set()
    victims.pull()
    kept = tmp_path / "kept"
    copied(path.parent, kept)
    lost = set()
    for _ in range(3):
        change(server, rng, gone)
        assert victims.pull().code == 0
        lost |= found_in(path).runs
        gone.clear()
    if whole:
        copied(kept, path.parent)
    else:
        shutil.copy(kept / path.name, path)  # the file alone: its copies for readers are newer
    before = found_in(path)
    watch = Watch(server, path, victims)
    watch.gone = set(before.clients) - set(server.clients())
    watch.pull()
    assert len(lost - found_in(path).runs) == 3


@pytest.mark.proof
def test_of_a_log_that_is_cut_anywhere_a_whole_beginning_is_left_and_the_next_pull_is_exact(
    server, path, victims, tmp_path
):
    victims.pull()
    change(server, chances(8), gone := set())
    watch = Watch(server, path, victims)
    watch.gone = gone
    (victim,) = victims.send(plant="tell commits", die_at="committed")
    victim.wait()
    assert victim.status == KILLED
    kept, old = tmp_path / "kept", watch.before
    copied(path.parent, kept)
    size = (kept / f"{path.name}.wal").stat().st_size
    seen = set()
    for cut in sorted({0, 1, size - 1, size, *range(0, size, max(1, size // CUTS))}):
        copied(kept, path.parent)
        with (path.parent / f"{path.name}.wal").open("r+b") as log:
            log.truncate(cut)
        watch = Watch(server, path, victims)
        watch.gone, watch.before = set(gone), old
        watch.check(exact=False)
        seen.add(watch.before == old)
        watch.pull()
    assert seen == {True, False}  # cut short, the load is not there; whole, it is


@pytest.mark.proof
def test_staged_pages_that_were_edited_are_read_from_the_server_again(server, path, victims, tmp_path):
    victims.pull()
    for client in list(server.clients(status="active").values())[:60]:
        server.edit(client, city="Right")
    (victim,) = victims.send(die_at="loading")
    victim.wait()
    kept, staged = tmp_path / "kept", path.with_name(f"{path.name}.staging") / "main" / "clients"
    copied(path.parent, kept)
    rng, names = chances(9), sorted(file.name for file in staged.iterdir())
    assert len(names) > 3
    for number in range(EDITS):
        copied(kept, path.parent)
        name = "manifest.jsonl" if number % 2 else rng.choice(names)
        content = bytearray((staged / name).read_bytes())
        place = rng.randrange(len(content))
        content[place] ^= 1 << rng.randrange(8)
        (staged / name).write_bytes(content[:place] if number % 3 == 2 else content)
        Watch(server, path, victims).pull()


def newer_tables(path):
    with open_warehouse(path) as warehouse:
        warehouse.execute("update control.mirror set version = version + 1")


def newer_migration(path):
    with open_warehouse(path) as warehouse:
        warehouse.execute(
            "insert into control.migrations select max(number) + 1, 'later', '', now() from control.migrations"
        )


def newer_engine(path):
    """The version of DuckDB's storage stands behind its magic word, 12 bytes into the file (duckdb.org, Storage)."""
    content = bytearray(path.read_bytes())
    assert content[8:12] == b"DUCK"
    content[12] = 250
    path.write_bytes(content)


@pytest.mark.parametrize("newer", [newer_tables, newer_migration, newer_engine])
def test_a_warehouse_that_something_newer_has_written_is_refused_and_left_to_the_byte(server, path, victims, newer):
    victims.pull()
    newer(path)
    server.edit(next(iter(server.clients(status="active").values())), city="Elsewhere")
    before = path.read_bytes()
    process = program.start(path, server.box)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 6, err
    assert err.startswith("ninja-sync: ")
    assert err.count("\n") == 1
    assert path.read_bytes() == before


def test_what_the_server_tells_is_what_the_witness_compares(server, path, victims):
    victims.pull()
    assert len(found_in(path).clients) == 120
    server.edit(next(iter(server.clients(status="active").values())), city="Elsewhere")
    assert found_in(path).clients != truth(server.clients())


@pytest.mark.proof
def test_a_postgres_warehouse_that_was_restored_from_last_week_becomes_exact(server, databases, migrated, tmp_path):
    place = databases.copy(migrated)
    with stable(place, {"main": (server.box.url, server.box.token)}) as victims:
        rng, gone = chances(7), set()
        victims.pull()
        kept, lost = databases.copy(place, tmp_path), set()
        for _ in range(3):
            change(server, rng, gone)
            assert victims.pull().code == 0
            lost |= found_in(place).runs
        databases.put_back(kept, place)
        watch = Watch(server, place, victims)
        watch.gone = set(watch.before.clients) - set(server.clients())
        watch.pull()
        assert len(lost - found_in(place).runs) == 3
    databases.drop(kept)
    databases.drop(place)

"""A backup has everything, decisions and journal too, and can be restored into either engine."""

from __future__ import annotations

import json
import stat
import zipfile
from datetime import datetime

import msgspec
import pyarrow as pa
import pytest

from flows.configuration.load import place_of
from flows.merge.plan import plan_merges
from flows.plans.approvals import approve_digest
from flows.push.apply import apply_plan
from flows.push.plan import plan_push
from flows.push.wishes import WishedRow
from flows.session.api import open_api
from flows.upkeep.backup import back_up, restore
from flows.upkeep.erase import erase_client
from schemas.errors import SettingsError, WarehouseError
from tests.crashes.witness import found_in, truth
from tests.engines import address
from tests.records import MOMENT
from warehouse.control.dedupe import FoundPair, choose_survivor, decide, decisions_of, store_found
from warehouse.engine.place import PostgresUrl, reader_of
from warehouse.engine.sql import named, statement
from warehouse.opened.backup import MADE_AGAIN, MANIFEST
from warehouse.opened.migrate import _digest
from warehouse.opened.open import open_place
from warehouse.schema.mirror import remember_mirror
from warehouse.schema.public import SCHEMAS
from warehouse.schema.tables import create_mirror
from warehouse.schema.views import drop_views

TABLES = (
    "select table_schema || '.' || table_name from information_schema.tables "
    "where table_schema in ('control', 'ninja') and table_type = 'BASE TABLE' order by 1"
)


@pytest.fixture
def told(settings, place):
    return msgspec.structs.replace(settings, warehouse=address(place))


@pytest.fixture
def lived_in(told, server, pulls, monkeypatch):
    """A warehouse in which everything has been done that only it knows of."""
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    made = {"settings": {"currency_id": "1"}}
    a, b, c, d = (server.call("POST", "/api/v1/clients", {"name": name, **made})["data"]["id"] for name in "abcd")
    pulls(using=told)
    with open_api(settings=told) as api:
        done = plan_push(told, "main", api.door, [WishedRow("row 1", "id", a, {"city": "Ulm"})]).plan
        assert apply_plan(told, api.door, done.plan_id, done.digest).as_planned
        plan_push(told, "main", api.door, [WishedRow("row 1", "id", b, {"city": "Köln"})])
        approve_digest(told, plan_merges(told, "main", api.door, [(c, d)]).plan.digest)
    with open_place(place_of(told)) as warehouse:
        decide(warehouse, "main", [(a, b)], "never_merge", author="ann", reason="sisters", now=MOMENT)
        choose_survivor(warehouse, "main", c, author="ann", reason="older", now=MOMENT)
        store_found(warehouse, "main", [FoundPair(c, d, 0.75, ("mail",), ('"quoted"\r\n',))], [[c, d]], MOMENT)
        warehouse.execute(
            "insert into control.outbox (source, id, field, value, reason) values ('main', $id, 'city', '', null)",
            {"id": a},
        )
    return told


def content(settings):
    """All rows of all tables that are backed up, as texts."""
    with open_place(place_of(settings)) as warehouse:
        names = [str(name) for (name,) in warehouse.rows(TABLES)]
        return {
            name: sorted(repr([_plain(value) for value in row]) for row in warehouse.rows(f"select * from {name}"))
            for name in names
            if name not in MADE_AGAIN
        }


def _plain(value):
    """A moment as a text: the engines give different objects for UTC."""
    return value.isoformat() if isinstance(value, datetime) else value


@pytest.fixture(params=["DuckDB", "Postgres"])
def empty(told, request, tmp_path):
    """Settings of a warehouse that is not there yet, on each engine."""
    place = tmp_path / "restored" / "w.duckdb" if request.param == "DuckDB" else request.getfixturevalue("database")
    return msgspec.structs.replace(told, warehouse=address(place))


@pytest.fixture
def moved(told, tmp_path, database):
    """Settings of a warehouse of the other engine that is not there yet."""
    place = tmp_path / "moved" / "w.duckdb" if isinstance(place_of(told), PostgresUrl) else database
    return msgspec.structs.replace(told, warehouse=address(place))


@pytest.mark.slow
@pytest.mark.quick(where=lambda empty, **_: empty == "Postgres")
def test_what_is_restored_is_all_that_was_backed_up_on_either_engine(lived_in, empty, server, pulls, tmp_path):
    file = tmp_path / "backup.zip"
    made = back_up(lived_in, file)
    assert made.sources == ["main"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as archive:
        arrow = [name for name in archive.namelist() if name != MANIFEST]
        held = str([pa.ipc.open_stream(archive.open(name)).read_all().to_pylist() for name in arrow])
    assert "Köln" in held
    assert [secret for secret in (server.box.token, server.box.password, "only for tests") if secret in held] == []
    before = content(lived_in)
    assert restore(empty, file).erased == 0
    after = content(empty)
    assert after.keys() == before.keys()
    assert {name for name in before if before[name] != after[name]} == set()
    with open_place(place_of(empty)) as warehouse:
        assert warehouse.rows("select count(*) from control.journal") != [(0,)]
        assert set(decisions_of(warehouse, "main").values()) == {"never_merge"}
        assert warehouse.rows("select count(*) from mart.clients") == [(124,)]
    edited = next(iter(server.clients(status="active").values()))
    server.edit(edited, city="After the backup")
    assert pulls(using=empty).run.kind == "pull"
    assert found_in(place_of(empty)).clients == truth(server.clients())
    for name in (
        "plans",
        "plan_cells",
        "outcomes",
        "merge_steps",
        "approvals",
        "outbox",
        "journal_edits",
    ):
        assert before[f"control.{name}"], name


def test_what_cannot_be_restored_is_refused_and_nothing_is_changed(told, pulls, tmp_path, monkeypatch):
    pulls(using=told)
    file = tmp_path / "backup.zip"
    back_up(told, file)
    before = content(told)
    with pytest.raises(SettingsError, match=r"already|is not empty"):
        restore(told, file)
    assert content(told) == before
    other = msgspec.structs.replace(told, warehouse=str(tmp_path / "other" / "w.duckdb"))
    damaged, words, newer, forged = (tmp_path / name for name in ("damaged", "words", "newer", "forged"))
    whole = file.read_bytes()
    damaged.write_bytes(whole[:2000] + b"\0" * 50 + whole[2050:])
    words.write_text("no backup")

    def changed(target, **more):
        with zipfile.ZipFile(file) as old, zipfile.ZipFile(target, "w") as new:
            manifest = json.loads(old.read(MANIFEST))
            new.writestr(MANIFEST, json.dumps(manifest | {k: change(manifest[k]) for k, change in more.items()}))
            for name in set(old.namelist()) - {MANIFEST}:
                new.writestr(name, old.read(name))
            new.writestr("control.x;drop.arrow", b"")

    changed(newer, migrations=lambda known: [*known, ["9999_of_tomorrow", "x"]])
    changed(forged, tables=lambda known: known | {"control.x;drop": {"rows": 0, "as_text": {}}})
    for wrong, why in (
        (damaged, "damaged"), (words, "not a backup"), (newer, "newer version"), (forged, "not a backup"),
        (tmp_path / "none", "no file"), (tmp_path, "not a backup"),
    ):  # fmt: skip
        with pytest.raises((SettingsError, WarehouseError), match=why):
            restore(other, wrong)
    assert not list((tmp_path / "other").glob("*"))
    with pytest.raises(SettingsError, match="not a backup"):
        back_up(told, words)
    back_up(told, file)  # an earlier backup is replaced
    (tmp_path / "w.duckdb.wal").touch()
    with pytest.raises(SettingsError, match=r"\.wal"):
        restore(msgspec.structs.replace(told, warehouse=str(tmp_path / "w.duckdb")), file)


@pytest.mark.proof
def test_a_restoration_that_dies_leaves_nothing_and_can_be_done_again(told, moved, pulls, tmp_path, monkeypatch):
    pulls(using=told)
    file = tmp_path / "backup.zip"
    back_up(told, file)

    def die(*_args, **_named):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("warehouse.schema.tables.create_mirror", die)
        with pytest.raises(KeyboardInterrupt):
            restore(moved, file)
    place = place_of(moved)
    if not isinstance(place, PostgresUrl):
        assert list(place.parent.iterdir()) == []
    restore(moved, file)
    assert content(moved) == content(told)


@pytest.mark.proof
def test_a_client_that_was_erased_after_the_backup_does_not_come_back_with_it(told, server, pulls, tmp_path, postgres):
    pulls(using=told)
    erased, later = sorted(server.clients())[:2]
    file, place = tmp_path / "backup.zip", place_of(told)
    erase_client(told, "main", later, reason="before the backup")
    back_up(told, file)
    erase_client(told, "main", erased, reason="after the backup")
    if isinstance(place, PostgresUrl):
        with open_place(place) as warehouse:
            for schema in reversed(SCHEMAS):
                warehouse.execute(f"drop schema {schema} cascade")
    else:
        place.unlink()
    assert restore(told, file).erased == 1
    with open_place(place) as warehouse:
        assert warehouse.rows("select count(*) from ninja.clients") == [(118,)]
        reasons = "select reason, finished_at is not null from control.erasures order by reason"
        assert warehouse.rows(reasons) == [("after the backup", True), ("before the backup", True)]
    assert pulls(using=told).run.mirrored == 118
    assert pulls(using=told, full=True).run.mirrored == 118


@pytest.mark.proof
def test_the_commands_say_what_they_did(command, tmp_path):
    assert command("pull")[0] == 0
    assert command("backup", "backup.zip")[0] == 0
    code, out, err = command("restore", "backup.zip", "--json", environ={"NINJA_SYNC_WAREHOUSE": "new/w.duckdb"})
    assert (code, json.loads(out)["sources"], err) == (0, ["main"], "")
    code, _, err = command("restore", "backup.zip")
    assert (code, "already" in err) == (2, True)
    code, _, err = command("backup", "none/backup.zip")
    assert (code, "No such file" in err) == (2, True)


@pytest.mark.proof
def test_a_backup_of_an_older_mirror_is_brought_to_this_version(told, moved, pulls, tmp_path, monkeypatch):
    """Its tables are made as they were, then built again from the records, as an upgrade does."""
    pulls(using=told)
    with open_place(place_of(told)) as warehouse:
        warehouse.execute("update control.mirror set version = 1, fingerprint = 'old'")
        drop_views(warehouse)
        warehouse.execute("alter table ninja.clients drop column city")
    file = tmp_path / "backup.zip"
    back_up(told, file)
    restore(moved, file)
    with open_place(place_of(moved)) as warehouse:
        assert warehouse.rows("select count(city) > 0, count(*) from ninja.clients") == [(True, 120)]


@pytest.mark.proof
@pytest.mark.publishes
def test_a_decision_is_in_the_published_copy_after_a_pull_with_nothing_to_do(settings, pulls, server):
    pulls()
    a, b = sorted(server.clients())[:2]
    with open_place(place_of(settings)) as warehouse:
        decide(warehouse, "main", [(a, b)], "never_merge", author="ann", reason="sisters", now=MOMENT)
    done = pulls()
    assert (done.run.kind, done.published is not None) == ("idle", True)
    with open_place(reader_of(place_of(settings)), read_only=True) as copy:
        assert decisions_of(copy, "main") == {(a, b): "never_merge"}
    assert pulls().published is None


@pytest.mark.proof
def test_a_backup_of_an_older_version_gets_the_migrations_that_it_lacks(settings, database, tmp_path):
    """Its tables are made with the columns that they had, and filled, before the later migrations change them."""
    older = msgspec.structs.replace(settings, warehouse=address(database))
    known = named("control")[:30]
    with open_place(place_of(older)) as warehouse:
        for schema in ("control", "ninja"):
            warehouse.execute(f"create schema {schema}")
        warehouse.execute(statement("load/migrations"))
        for number, name in enumerate(known, start=1):
            warehouse.execute(statement(f"control/{name}"))
            values = {"number": number, "name": name, "digest": _digest(name), "now": MOMENT}
            warehouse.execute("insert into control.migrations values ($number, $name, $digest, $now)", values)
        create_mirror(warehouse)
        remember_mirror(warehouse)
        decide(warehouse, "main", [("a", "b")], "never_merge", author="ann", reason="sisters", now=MOMENT)
    file = tmp_path / "backup.zip"
    assert len(back_up(older, file).migrations) == len(known)
    other = msgspec.structs.replace(settings, warehouse=str(tmp_path / "other" / "w.duckdb"))
    restore(other, file)
    with open_place(place_of(other)) as warehouse:
        assert warehouse.rows("select count(*) from control.migrations") == [(len(named("control")),)]
        assert decisions_of(warehouse, "main") == {("a", "b"): "never_merge"}
        assert warehouse.rows("select count(*) from mart.clients") == [(0,)]

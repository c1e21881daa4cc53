"""Erasing a client: nothing of it is left in any file, now or after a kill, and nobody loads it again."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from flows.configuration.load import place_of
from flows.configuration.values import Erasure, Retention
from flows.upkeep.erase import erase_client, find_client
from schemas.errors import SettingsError
from tests.engines import address
from warehouse.engine.place import PostgresUrl, staging_of
from warehouse.opened.open import open_place

pytestmark = pytest.mark.slow

CANARIES = ("Canarini", "canary-mail@example.com", "Canary Street 7", "canary-note", "Canary Moved")


@pytest.fixture
def told(settings, place):
    return msgspec.structs.replace(settings, warehouse=address(place))


@pytest.fixture
def victim(server, told, pulls):
    """A client that was pulled, changed, pulled again, and published; a page of it is staged besides."""
    client = server.call(
        "POST", "/api/v1/clients",
        {"name": "Canarini", "address1": "Canary Street 7", "private_notes": "canary-note",
         "contacts": [{"first_name": "Ann", "email": "canary-mail@example.com"}]},
    )["data"]  # fmt: skip
    pulls(using=told)
    server.edit(server.clients()[client["id"]], name="Canary Moved", address1="Canary Street 7")
    pulls(using=told)
    staged = staging_of(place_of(told)) / "main"
    staged.mkdir(parents=True, exist_ok=True)
    (staged / "000001.clients.arrow").write_text("canary-note of a run that was killed")
    return client["id"]


def canaries(settings, postgres):
    """The canaries that stand in any file of the warehouse."""
    place = place_of(settings)
    files = [file for file in staging_of(place).rglob("*") if file.is_file()]
    if isinstance(place, PostgresUrl):
        with postgres.admin(place.url.rpartition("/")[2]) as connection:
            connection.execute("checkpoint")
            ((oid,),) = connection.execute("select oid from pg_database where datname = current_database()").fetchall()
        files += [file for file in (postgres.folder / "data" / "base" / str(oid)).iterdir() if file.is_file()]
    else:
        files += [file for file in place.parent.rglob("*") if file.is_file()]
    content = b"".join(file.read_bytes() for file in files)
    return {word for word in CANARIES if word.encode() in content}


def rows(settings, query):
    with open_place(place_of(settings)) as warehouse:
        return warehouse.rows(query)


def test_nothing_of_an_erased_client_is_left_and_there_is_a_proof(told, victim, postgres):
    assert canaries(told, postgres) >= {"Canary Moved", "canary-note"}
    assert find_client(told, "main", victim).name == "Canary Moved"
    done = erase_client(told, "main", victim, reason="asked for")
    assert canaries(told, postgres) == set()
    assert done.removed >= 4
    ((reason, finished, listed, removed),) = rows(
        told, "select reason, finished_at, listed, removed from control.erasures"
    )
    assert (reason, finished is not None, listed, removed) == ("asked for", True, True, done.removed)
    assert victim not in str(rows(told, "select * from control.erasures"))
    assert rows(told, f"select count(*) from mart.client_history where id = '{victim}'") == [(0,)]
    with pytest.raises(SettingsError, match="no data of a client"):
        find_client(told, "main", victim)


def test_the_next_pulls_leave_an_erased_client_out_and_read_no_more_than_they_must(
    told, victim, pulls, server, postgres
):
    erase_client(told, "main", victim, reason="asked for")
    assert pulls(using=told).run.kind == "pull"
    for full in (False, True, False):
        done = pulls(using=told, full=full)
        assert (done.left, done.run.mirrored) == (0, 120)
        assert done.run.kind == ("full" if full else "pull")
    other = next(
        c for c in server.clients().values() if c["id"] != victim and not c["is_deleted"] and not c["archived_at"]
    )
    server.edit(other, city="Ulm")
    pulls(using=told)
    for client in server.clients():
        server.stamp(client, 1_700_000_000 + (client == other["id"]))
    pulls(using=told, full=True)
    assert pulls(using=told).run.kind == "idle"
    assert canaries(told, postgres) == set()
    server.purge(victim)
    done = pulls(using=told)
    assert (done.left, done.run.mirrored, done.departed) == (0, 120, [])
    assert rows(told, "select listed from control.erasures") == [(False,)]


@pytest.mark.publishes
@pytest.mark.parametrize("step", ["clear", "rewrite", "vacuum", "note_finished", "publish"])
def test_an_erasure_that_is_killed_is_finished_by_the_next_pull(told, victim, pulls, postgres, monkeypatch, step):
    def die(*_args, **_named):
        raise KeyboardInterrupt

    target = {"clear": "warehouse.load.staging.Staging.clear_source", "rewrite": "warehouse.publish.rewrite._swap"}
    if step == "rewrite" and isinstance(place_of(told), PostgresUrl):
        pytest.skip("DuckDB's alone")
    if step == "publish" and isinstance(place_of(told), PostgresUrl):
        pytest.skip("DuckDB's alone")
    with monkeypatch.context() as patched:
        patched.setattr(target.get(step, f"flows.upkeep.erase.{step}"), die)
        with pytest.raises(KeyboardInterrupt):
            erase_client(told, "main", victim, reason="asked for")
    pulls(using=told)
    assert canaries(told, postgres) == set()
    assert rows(told, "select count(*), count(finished_at) from control.erasures") == [(1, 1)]


def test_figures_stay_under_a_pseudonym_where_books_are_kept(told, victim, server, postgres, pulls):
    server.call("POST", f"/_sandbox/clients/{victim}/balances", {"balance": "12.345678"})
    pulls(using=told, full=True)
    kept = msgspec.structs.replace(told, erasure=Erasure(keep_balances=True))
    sums = "select sum(balance) from mart.client_history where valid_to is not null or is_current"
    before = rows(told, sums)
    assert erase_client(kept, "main", victim, reason="asked for").kept_balances
    assert rows(told, sums) == before
    assert canaries(told, postgres) == set()
    (balances,) = zip(*rows(told, "select balance from mart.client_history where ended_by = 'erased'"), strict=True)
    assert balances == (Decimal("12.345678"),)


def test_history_is_kept_as_long_as_the_settings_say(told, victim, pulls, server):
    month = msgspec.structs.replace(told, retention=Retention(history_days=30, record_days=10))
    version = "select * from control.client_versions where id = $victim"
    with open_place(place_of(told)) as warehouse:
        for days in (40, 20, 5):
            warehouse.execute(f"create temp table aged as {version}", {"victim": victim})
            warehouse.execute(f"update aged set id = 'v{days}', valid_to = now() - interval '{days} days'")
            warehouse.execute("insert into control.client_versions select * from aged")
            warehouse.execute("drop table aged")
    server.edit(server.clients()[victim], name="Canary Moved", address1="Elsewhere")
    pulls(using=month)
    left = dict(rows(told, "select id, min(length(cast(record as varchar))) from control.client_versions group by id"))
    assert "v40" not in left
    assert left["v20"] == 2 < left["v5"]
    assert rows(told, f"select count(*) from mart.clients where id = '{victim}'") == [(1,)]


def test_the_command_asks_for_the_name_and_tells_what_was_done(command, server, tmp_path):
    client = next(iter(server.clients().values()))
    assert command("pull")[0] == 0
    code, _, err = command("erase", "--client", "nobody")
    assert (code, "no data of a client" in err) == (2, True)
    code, out, err = command("erase", "--client", client["id"])
    assert code != 0  # nobody typed the name
    code, out, err = command("erase", "--client", client["id"], "--yes", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["removed_rows"] > 0
    published = tmp_path / "cli" / "warehouse.duckdb.published" / "reader.duckdb"
    assert client["display_name"].encode() not in Path(published).read_bytes()
    assert command("pull")[0] == 0
    code, out, _ = command("sql", "--json", f"select count(*) as n from mart.clients where id = '{client['id']}'")
    assert json.loads(out) == [{"n": 0}]

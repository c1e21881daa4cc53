"""The main job into Postgres, as a person runs it: pull, pull again, ask, lose the connection, be two at once."""

from __future__ import annotations

import json

import msgspec
import pytest

from connector.door.door import Door, DoorSettings
from connector.door.secret import Secret
from flows.pull.job import Job
from flows.pull.pull import pull
from schemas.errors import ConnectionLost, WarehouseError
from tests.crashes.witness import found_in, truth
from tests.cut_wire import AFTER, BEFORE, COMMIT, wired
from tests.engines import address
from warehouse.opened.open import open_place


@pytest.fixture
def settings(settings, database):
    return msgspec.structs.replace(settings, warehouse=address(database))


@pytest.fixture
def ninja(command, database, tmp_path):
    """The command line with this database as its warehouse."""

    def run(*args, **environ):
        return command(
            *args, environ={"NINJA_SYNC_WAREHOUSE": database.url, "XDG_STATE_HOME": str(tmp_path), **environ}
        )

    return run


def test_the_command_line_does_on_postgres_what_it_does_on_duckdb(ninja, server, database):
    code, out, err = ninja("pull", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["main"]["run"]["inserted"] == 120
    client = next(c for c in server.clients().values() if not c["is_deleted"] and not c["archived_at"])
    server.edit(client, city="Zürich")
    assert json.loads(ninja("pull", "--json")[1])["main"]["changes"][0]["id"] == client["id"]
    assert found_in(database).clients == truth(server.clients())
    code, out, _ = ninja("sql", "--json", f"select city, balance from mart.clients where id = '{client['id']}'")
    assert json.loads(out)[0]["city"] == "Zürich"
    for words in (["status"], ["balances"], ["balances", "--at", "2099-12-31"], ["doctor"]):
        code, out, err = ninja(*words)
        assert (code, "rror" in err) == (0, False), words
    assert ninja("doctor")[1].count(str(database)) == 1
    assert ninja("publish")[0] == 2


def test_no_password_of_the_warehouse_is_told_by_any_command(ninja, database):
    secret = "only%20for%20tests"
    assert secret in database.url
    for words in (["pull"], ["status", "--json"], ["doctor", "--json"], ["sql", "nonsense"], ["source", "list"]):
        _, out, err = ninja(*words)
        assert "only" not in out + err
    wrong = database.url.replace(secret, "canary-7731")
    for words in (["pull"], ["doctor"], ["status"]):
        code, out, err = ninja(*words, NINJA_SYNC_WAREHOUSE=wrong)
        assert code == 6
        assert "canary-7731" not in out + err


def test_a_password_in_a_configuration_file_is_refused(ninja, database, tmp_path):
    file = tmp_path / "ninja-sync.toml"
    file.write_text(f'warehouse = "{database.url}"\n')
    code, _, err = ninja("status", "--config", file)
    assert code == 2
    assert "pgpass" in err
    assert "only" not in err


def test_grant_lets_a_role_read_and_says_what(ninja, database):
    assert ninja("grant", "--role", f"analysts_of_{database.url[-5:]}")[0] == 0
    code, out, _ = ninja("grant", "--role", f"analysts_of_{database.url[-5:]}", "--json", "--wishes")
    assert (code, json.loads(out)["kind"]) == (0, "writer")
    assert ninja("grant", "--role", f"analysts_of_{database.url[-5:]}", "--revoke")[0] == 0
    assert ninja("grant", "--role", "x", "--revoke", "--wishes")[0] == 2


def test_two_sources_on_one_host_share_its_turns(command, server, database, postgres, tmp_path):
    file = tmp_path / "ninja-sync.toml"
    source = '[sources.{0}]\nurl = "{1}"\ntoken_env = "{0}"\nrequests_per_second = 1000.0\n'
    file.write_text("".join(source.format(name, server.box.url) for name in ("OURS", "THEIRS")).lower())
    environ = {
        "NINJA_SYNC_WAREHOUSE": database.url, "NINJA_SYNC_URL": "", "NINJA_SYNC_TOKEN": "",
        "XDG_STATE_HOME": str(tmp_path), "ours": server.box.token, "theirs": server.box.other_token,
    }  # fmt: skip
    assert command("pull", "--config", file, environ=environ)[0] == 0  # the first door finds no table of turns yet
    with postgres.admin(database.url.rpartition("/")[2]) as admin:
        admin.execute("create table public.given (due_at timestamptz)")
        admin.execute(
            "create function public.note() returns trigger language plpgsql as "
            "$$ begin insert into public.given values (new.due_at); return new; end $$"
        )
        admin.execute(
            "create trigger note after update on control.host_turns for each row execute function public.note()"
        )
    server.requests()
    assert command("pull", "--full", "--config", file, environ=environ)[0] == 0
    with open_place(database) as warehouse:
        assert warehouse.rows("select host from control.host_turns") == [(server.box.url.removeprefix("http://"),)]
        assert warehouse.rows("select count(*) from public.given") == [(len(server.requests()),)]


def pulled(settings, server, place):
    told = msgspec.structs.replace(settings, warehouse=address(place))
    door = DoorSettings(server.box.url, requests_per_second=10_000)
    with Door(door, Secret(server.box.token), sleep=lambda _: None) as opened:
        return pull(Job(told, "main", opened))


@pytest.mark.parametrize(("word", "how"), [(COMMIT, AFTER), (COMMIT, BEFORE), (b"insert into ninja.", BEFORE)])
def test_a_load_whose_connection_is_lost_is_done_once(pulls, settings, server, database, word, how):
    pulls(using=settings)
    client = next(c for c in server.clients().values() if not c["is_deleted"] and not c["archived_at"])
    server.edit(client, city="Zürich")
    with wired(database, word=word, how=how) as (far, wire):
        done = pulled(settings, server, far)
    assert wire.cuts == 1
    assert done.run.updated == 1
    assert found_in(database).clients == truth(server.clients())
    assert len(found_in(database).runs) == 2


@pytest.mark.proof
@pytest.mark.slow
@pytest.mark.parametrize("how", [BEFORE, AFTER])
def test_wherever_the_connection_is_cut_the_next_pull_is_exact(pulls, settings, server, database, how):
    pulls(using=settings)
    counted = {}
    client = next(c for c in server.clients().values() if not c["is_deleted"] and not c["archived_at"])
    for number in [None, *range(2, 200, 13)]:
        server.edit(client, city=f"Zürich {number}")
        old, new = found_in(database).clients, truth(server.clients())
        with wired(database, word=b"\0", nth=number or 10**9, how=how) as (far, wire):
            try:
                pulled(settings, server, far)
            except WarehouseError as problem:
                counted[type(problem)] = counted.get(type(problem), 0) + 1
                assert found_in(database).clients in (old, new)
            else:
                counted["done"] = counted.get("done", 0) + 1
                assert found_in(database).clients == new
        if number and not wire.cuts:
            break
        pulls(using=settings)
        assert found_in(database).clients == new
    assert counted.get("done", 0) > 1
    assert counted.get(ConnectionLost, 0) > 1
    with open_place(database) as warehouse:
        assert warehouse.rows("select count(*) from control.redirects") == [(0,)]

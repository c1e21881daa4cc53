"""`ninja-sync clients archive`, `delete`, `bulk-update`, `purge` ...: told client by client, asked first."""

from __future__ import annotations

import json
import stat

import pytest
from typer.testing import CliRunner

from flows.cli.app import app
from sandbox.server import running
from schemas.errors import NotVerified, PasswordRequired, SettingsError
from tests.flows.conftest import Server


@pytest.fixture(scope="module")
def server():
    with running(clients=20, seed=5) as box:
        yield Server(box)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The folder of these tests, with the one warehouse of them all."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def call(server, home, monkeypatch):
    """Run a command in this process: its output (with --json, what is no message); raises what it raises."""
    for name, value in {
        "NINJA_SYNC_URL": server.box.url, "NINJA_SYNC_TOKEN": server.box.token, "HOME": str(home),
        "NINJA_SYNC_WAREHOUSE": str(home / "w.duckdb"), "NINJA_SYNC_PASSWORD": server.box.password,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(home)

    def run(*args, stdin="", failing=None):
        done = CliRunner().invoke(app, list(map(str, args)), input=stdin)
        if failing is None and done.exception:
            raise done.exception
        assert failing is None or isinstance(done.exception, failing), (done.exception, done.output)
        return done.stdout if "--json" in args else done.output

    return run


@pytest.fixture
def backups(home):
    """The backups that were written since this test began."""
    folder = home / "w.duckdb.backups"
    before = set(folder.glob("*"))
    return lambda: sorted(set(folder.glob("*")) - before)


@pytest.fixture
def make(server):
    """New clients of these names; their ids."""

    def made(*names, balance=None, **more):
        ids = [server.call("POST", "/api/v1/clients", {"name": name, **more})["data"]["id"] for name in names]
        for one in ids if balance else ():
            server.call("POST", f"/_sandbox/clients/{one}/balances", {"balance": balance})
        return ids

    return made


def show(server, client_id):
    return server.call("GET", f"/api/v1/clients/{client_id}")["data"]


def posts(server):
    return [one for one in server.requests() if not one.startswith("GET") and "companies/current" not in one]


def test_what_became_of_each_client_is_told_and_the_exit_code_is_4_where_one_is_not_as_wanted(call, server, make):
    a, b = make("ACME", "Bolt")
    told = json.loads(call("clients", "archive", a, b, a, "--yes", "--json"))
    assert told["counts"] == {"applied": 2}
    assert [(one["client_id"], one["name"], one["outcome"]) for one in told["clients"]] == [
        (a, "ACME", "applied"), (b, "Bolt", "applied"),
    ]  # fmt: skip
    shown = call("clients", "archive", a, "WrongIdxxx", "--yes", failing=NotVerified)
    assert all(word in shown for word in ("as it was already", "not on the server", "ACME"))
    assert NotVerified.exit_code == 4


def test_restore_delete_assign_group_and_bulk_update(call, server, make, tmp_path):
    a, b = make("A", "B")
    group = server.call("GET", "/api/v1/group_settings")["data"][0]["id"]
    file = tmp_path / "ids.txt"
    file.write_text(f"# those of the list\n{b}\n\n")
    for args, value in (
        (["assign-group", group], group), (["bulk-update", "--set", "custom_value1=gold = good"], "gold = good"),
        (["bulk-update", "--empty", "custom_value1"], ""),
    ):  # fmt: skip
        call("clients", *args, a, "--ids-from", file, "--yes")
        field = "group_settings_id" if args[0] == "assign-group" else "custom_value1"
        assert [show(server, one)[field] for one in (a, b)] == [value] * 2
    server.requests()
    call("clients", "delete", a, "--yes")
    call("clients", "delete", "--ids-from", "-", "--yes", stdin=f"{a}\n{b}\n")
    assert [one.split("?")[0] for one in posts(server)] == [
        f"DELETE /api/v1/clients/{a}", "POST /api/v1/clients/bulk",
    ]  # fmt: skip
    call("clients", "restore", a, b, "--yes")
    assert not any(show(server, one)["is_deleted"] for one in (a, b))


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["archive", "--yes"], "Name the clients"),
        (["archive", "--ids-from", "nowhere.txt"], "cannot be read"),
        (["archive", "x"], "Add --yes"),
        (["archive", "x", "--json"], "Add --yes"),
        (["bulk-update", "x", "--yes"], "--set FIELD=VALUE, or --empty FIELD"),
        (["bulk-update", "x", "--set", "city", "--yes"], "--set FIELD=VALUE"),
        (["bulk-update", "x", "--set", "size_id=3", "--empty", "size_id", "--yes"], "Name one field"),
        (["bulk-update", "x", "--set", "city=Bern", "--yes"], "update writes other columns"),
        (["bulk-update", "x", "--set", "country_id=Germani", "--yes"], "did you mean Germany"),
        (["bulk-update", "x", "--set", "custom_value1=", "--yes"], "To empty it"),
        (["assign-group", "WrongIdxxx", "x", "--yes"], "not one of the server's groups"),
    ],
)
def test_a_wrong_call_says_what_is_right_and_sends_nothing(call, server, args, words):
    server.requests()
    call("clients", *args, failing=SettingsError)
    with pytest.raises(SettingsError, match=words):
        call("clients", *args)
    assert posts(server) == []


def test_a_purge_is_asked_for_by_name_backed_up_and_erased_where_that_is_wanted(call, server, make, backups):
    (one,) = make("Purged & Co", balance="12.5", contacts=[{"first_name": "Ann", "email": "ann@purged.test"}])
    call("pull")
    for confirm in ("Another", "", "purged & co"):
        with pytest.raises(SettingsError):
            call("clients", "purge", one, stdin=f"{confirm}\n")
    assert show(server, one)["name"] == "Purged & Co"
    shown = call("clients", "purge", one, "--erase", stdin=" Purged &  Co \n")
    assert all(word in shown for word in ("12.50", "ann@purged.test", "read back", "Erased from the warehouse"))
    assert ("Its backup was removed too" in shown, backups()) == (True, [])
    assert server.call("GET", f"/api/v1/clients?client_id={one}")["data"] == []
    assert json.loads(call("sql", "select count(*) as n from ninja.clients where name like 'Purged%'", "--json")) == [
        {"n": 0}
    ]
    assert json.loads(call("journal", "--json"))["calls"][0]["verb"] == "purge"


def test_a_script_names_the_client_and_gets_json(call, server, make, backups):
    (one,) = make("Scripted")
    with pytest.raises(SettingsError, match="--confirm"):
        call("clients", "purge", one, "--json")
    told = json.loads(call("clients", "purge", one, "--confirm", "Scripted", "--json"))
    assert told == {"client_id": one, "purged": True, "backup": str(backups()[0]), "erased_rows": None}


@pytest.mark.proof
def test_the_backup_of_a_purge_is_for_its_owner_alone_and_has_the_contacts(call, make, backups):
    (one,) = make("Purged only", contacts=[{"first_name": "Ann", "email": "ann@purged.test"}])
    call("clients", "purge", one, "--no-erase", stdin="Purged only\n")
    (file,) = backups()
    assert f"-purge-{one}-" in file.name
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)) == (0o600, 0o700)
    assert json.loads(file.read_bytes())["clients"][0]["contacts"][0]["email"] == "ann@purged.test"


@pytest.mark.proof
def test_a_backup_in_a_place_of_ones_own_outlives_the_erasure_and_is_named(call, make, home):
    (one,) = make("Kept elsewhere")
    call("pull")
    file = home / "elsewhere.json"
    shown = call("clients", "purge", one, "--erase", "--backup", file, stdin="Kept elsewhere\n")
    assert ("still holds the client" in shown, file.exists()) == (True, True)


@pytest.mark.proof
def test_a_wrong_password_purges_nothing(call, server, make, tmp_path, monkeypatch):
    (one,) = make("Kept")
    (tmp_path / "password").write_text("wrong")
    (tmp_path / "password").chmod(0o600)
    more = ["--password-file", tmp_path / "password"]
    call("clients", "purge", one, "--confirm", "Kept", *more, failing=PasswordRequired)
    assert show(server, one)["name"] == "Kept"
    monkeypatch.delenv("NINJA_SYNC_PASSWORD")
    call("clients", "purge", one, "--confirm", "Kept", failing=SettingsError)
    assert show(server, one)["name"] == "Kept"


@pytest.mark.proof
def test_no_name_of_a_client_steers_the_terminal(call, make):
    (one,) = make("\x1b[31mred\x1b[0m")
    shown = call("clients", "purge", one, failing=SettingsError) + call("clients", "archive", one, "--yes")
    assert "\x1b[31m" not in shown
    assert "\\x1b[31mred" in shown

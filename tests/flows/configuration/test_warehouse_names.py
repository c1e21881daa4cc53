"""How a warehouse may be named: one file is one warehouse under all its names, and what is no warehouse is refused."""

from __future__ import annotations

import json
import os
import socket

import msgspec
import pytest

from flows.configuration.load import load_settings, place_of
from flows.configuration.values import Settings
from flows.session.backups import backup_file
from flows.setup.doctor import examine
from schemas.clocks import Clocks
from schemas.errors import Busy, SettingsError, WarehouseError
from tests.engines import address
from tests.records import MOMENT
from tests.warehouse.conftest import KEY
from warehouse.engine.place import PostgresUrl, place_from
from warehouse.load.staging import Staging
from warehouse.locks.lock import one_run_at_a_time
from warehouse.opened.migrate import open_migrated
from warehouse.publish.publish import publish


@pytest.fixture
def named(call, monkeypatch):
    """Run a command on a warehouse by one of its names."""

    def run(name, *words, cwd="."):
        monkeypatch.setenv("NINJA_SYNC_WAREHOUSE", str(name))
        monkeypatch.chdir(cwd)
        code, out = call(*words, "--json")
        assert code == 0
        return json.loads(out)

    return run


def test_one_file_under_several_names_is_one_warehouse(named, server, tmp_path):
    """What is pulled through one name is read through every other one, and nothing stands beside the other names."""
    home, links = tmp_path / "home", tmp_path / "links"
    home.mkdir()
    links.mkdir()
    file, link, folder = home / "w.duckdb", links / "w.duckdb", links / "folder"
    named(file, "pull")
    link.symlink_to(file)
    folder.symlink_to(home)
    client = next(iter(server.clients(status="active")))
    ask = ("sql", f"select city from mart.clients where id = '{client}'")
    names = [(link, "."), (file, "."), ("../links/w.duckdb", home), ("w.duckdb", folder)]
    for number, (name, cwd) in enumerate(names):
        if number % 2 == 0:
            server.edit(server.clients()[client], city=f"Ulm {number}")
            named(name, "pull", cwd=cwd)
        else:
            assert named(name, *ask, cwd=cwd)[0]["city"] == f"Ulm {number - 1}"
    assert sorted(one.name for one in links.iterdir()) == ["folder", "w.duckdb"]


def test_a_run_through_one_name_keeps_off_those_through_another(tmp_path):
    link = tmp_path / "link.duckdb"
    link.symlink_to(tmp_path / "w.duckdb")
    places = [place_from(str(name)) for name in (tmp_path / "w.duckdb", link)]
    for held, other in (places, places[::-1]):
        with (
            one_run_at_a_time(held, "main"),
            pytest.raises(Busy, match=f"process {os.getpid()}"),
            one_run_at_a_time(other, "main", wait=0),
        ):
            pass


NO_WAREHOUSE = [
    "host=db.example.com password=canary-7731 dbname=books",
    " password = 'canary-7731' host = db",
    "gssencmode=disable password=canary-7731",
    "md:canary-7731",
    ":memory:",
    "postgres:password=canary-7731",
    "sqlite:canary-7731.db",
    "ann:canary-7731@db/books",
    "host=db password=canary-7731://x",
    "mysql://ann:canary-7731@db/books",
    "postgresql://ann:canary-7731@db:port/books",
    "   ",
]


@pytest.mark.parametrize("name", NO_WAREHOUSE)
def test_what_is_neither_a_path_nor_a_url_of_postgres_is_refused_and_not_shown(name, tmp_path):
    """A password in it is in no message, and no file of that name is made."""
    with pytest.raises(SettingsError) as refused:
        place_of(load_settings(environ={"NINJA_SYNC_WAREHOUSE": name, "HOME": str(tmp_path)}, folder=tmp_path))
    assert "canary" not in str(refused.value)
    file = tmp_path / "ninja-sync.toml"
    file.write_text(f"warehouse = {json.dumps(name)}\n")
    with pytest.raises(SettingsError) as refused:
        place_of(load_settings(file, environ={"HOME": str(tmp_path)}))
    assert "canary" not in str(refused.value)


def test_a_list_of_keywords_is_refused_by_commands_before_a_file_is_made(command, tmp_path):
    for words in (["pull"], ["doctor"]):
        code, out, err = command(*words, environ={"NINJA_SYNC_WAREHOUSE": "host=127.0.0.1 password=canary-7731"})
        assert (code, "canary" in out + err) == (2, False), words
    code, out, err = command("init", "--url", "https://x.example.com", "--warehouse", "host=db password=canary-7731")
    assert (code, "canary" in out + err) == (2, False)
    assert [file for file in tmp_path.rglob("*") if "canary" in file.name or file.suffix == ".toml"] == []


@pytest.mark.parametrize("name", ["w.duckdb", "./a:b.duckdb", "year=2026/w.duckdb", "my books.duckdb", "a@b/w.duckdb"])
def test_unusual_paths_are_paths(name, tmp_path):
    place = place_of(load_settings(environ={"NINJA_SYNC_WAREHOUSE": str(tmp_path / name)}, folder=tmp_path))
    assert place == tmp_path / name
    assert place_from(name).name == name.rpartition("/")[2]


def test_links_in_a_circle_are_refused(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.symlink_to(two)
    two.symlink_to(one)
    with pytest.raises(SettingsError, match="circle"):
        place_from(str(one))


def test_of_several_hosts_the_one_that_answers_is_used(command, database, tmp_path):
    with socket.socket() as nobody:  # a port on which nobody listens, as long as it is held
        nobody.bind(("127.0.0.1", 0))
        url = address(database).replace("@", f"@127.0.0.1:{nobody.getsockname()[1]},")
        place = place_from(url)
        assert isinstance(place, PostgresUrl)
        assert "only" not in str(place)
        code, _, err = command("pull", environ={"NINJA_SYNC_WAREHOUSE": url, "XDG_STATE_HOME": str(tmp_path)})
        assert (code, "120 new" in err) == (0, True), err


@pytest.mark.parametrize("name", ["/proc/w.duckdb", "/proc/none/w.duckdb", "/dev/null/w.duckdb", "/dev/null", "/"])
def test_doctor_does_not_call_a_warehouse_good_that_cannot_be_made(settings, monkeypatch, server, name):
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    check = examine(msgspec.structs.replace(settings, warehouse=name), "main")[0]
    assert (check.name, check.state, check.exit_code != 0) == ("warehouse", "bad", True)


STRANGER = 65534


@pytest.mark.parametrize("ending", ["", ".wal", ".tmp", ".staging", ".published", ".backups", ".main.lock"])
@pytest.mark.parametrize("what", ["link", "folder", "fifo"])
def test_names_that_another_user_has_prepared_beside_a_warehouse_are_refused(shared, tmp_path, ending, what):
    path, bait = shared / f"w.duckdb{ending}", tmp_path / "bait"
    bait.mkdir()
    {"link": lambda: path.symlink_to(bait), "folder": path.mkdir, "fifo": lambda: os.mkfifo(path)}[what]()
    os.chown(path, STRANGER, STRANGER, follow_symlinks=False)
    with pytest.raises(WarehouseError, match="another user"):  # noqa: PT012 - one of these steps meets it
        place = place_from(str(shared / "w.duckdb"))
        with one_run_at_a_time(place, "main", wait=0), open_migrated(place, now=MOMENT, wait=0) as warehouse:
            Staging.of(place, "main").resume(KEY, 1)
            Staging.of(place, "main").begin(KEY, Clocks(1, 1))
            backup_file(Settings(warehouse=str(place)), "main", "purge", ["a"], MOMENT)
            publish(warehouse)
    assert list(bait.iterdir()) == []

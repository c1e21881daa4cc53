"""A stand-in server on loopback for tests of the flows, changed by HTTP as its users would, and pulls from it."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.request
from contextlib import closing
from decimal import Decimal

import pytest

from connector.door.door import Door, DoorSettings
from connector.door.secret import Secret
from flows.configuration.load import place_of
from flows.configuration.values import Settings, Source
from flows.pull.job import Job
from flows.pull.pull import pull
from flows.session.clock import SYSTEM_CLOCK
from sandbox.server import running
from tests.engines import Files
from tests.forked import COMMAND, Commands
from warehouse.engine.duckdb import open_warehouse


class Server:
    """A running sandbox, and what its users do to it."""

    def __init__(self, box):
        self.box = box

    def call(self, method, path, body=None, *, token=None, password=""):
        headers = {
            "X-API-TOKEN": token or self.box.token, "X-Requested-With": "XMLHttpRequest",
            "Content-Type": "application/json", "X-API-PASSWORD": password,
        }  # fmt: skip
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - our own server
            self.box.url + path.replace("|", "%7C"), data, headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
                return json.loads(answer.read(), parse_float=Decimal)
        except urllib.error.HTTPError as problem:
            raise AssertionError(f"{method} {path}: {problem.code} {problem.read()[:300]}") from None

    def clients(self, **params):
        """All clients, whole, by id."""
        query = "&".join(f"{k}={v}" for k, v in {"per_page": 5000, "sort": "id|asc", **params}.items())
        return {c["id"]: c for c in self.call("GET", f"/api/v1/clients?{query}")["data"]}

    def edit(self, client, **fields):
        return self.call("PUT", f"/api/v1/clients/{client['id']}", {"settings": client["settings"], **fields})["data"]

    def merge(self, survivor, other):
        return self.call("POST", f"/api/v1/clients/{survivor}/{other}/merge", password=self.box.password)["data"]

    def purge(self, *ids):
        for one in ids:
            self.call("POST", f"/api/v1/clients/{one}/purge", password=self.box.password)

    def bulk(self, action, *ids, **more):
        return self.call("POST", "/api/v1/clients/bulk", {"action": action, "ids": list(ids), **more})

    def switch(self, **switches):
        return self.call("POST", "/_sandbox/switches", switches)

    def stamp(self, client_id, seconds):
        self.call("POST", f"/_sandbox/clients/{client_id}/stamp", {"updated_at": seconds})

    def requests(self):
        """What was asked since the last call of this."""
        found = self.call("GET", "/_sandbox/requests")
        self.call("DELETE", "/_sandbox/requests")
        return [f"{r['method']} {r['path']}?{r['query']}" for r in found if "/_sandbox/" not in r["path"]]


@pytest.fixture
def shared(tmp_path):
    """A folder in which everybody may write, as /tmp is, and in which another user can prepare names."""
    if os.geteuid() != 0:
        pytest.skip("only root can be another user too")
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


@pytest.fixture
def server():
    """A sandbox of its own for one test, with 120 clients."""
    with running(clients=120, seed=5) as box:
        yield Server(box)


@pytest.fixture
def settings(server, tmp_path, migrated_file, request):
    """Settings of one source, that server; a small page, so that there are several. Its warehouse holds nothing yet.

    Copies for readers take a fifth of each pull: they are for the tests that are marked so.
    """
    source = Source(url=server.box.url, page_size=50, requests_per_second=10_000, look_back=0, entities=("clients",))
    place = Files().copy(migrated_file, tmp_path / "state")
    publish = request.node.get_closest_marker("publishes") is not None
    return Settings(warehouse=str(place), publish=publish, sources={"main": source})


def pull_from(server, using, name="main", *, token=None, full=False, at_most=None, transport=None, clock=SYSTEM_CLOCK):
    """One pull, whose waits take no time."""
    door = DoorSettings(using.sources[name].url, requests_per_second=10_000, retry_budget=300)
    with Door(door, Secret(token or server.box.token), transport=transport, sleep=lambda _: None) as opened:
        return pull(Job(using, name, opened, full=full, at_most=at_most, clock=clock))


@pytest.fixture
def pulls(settings, server):
    """Pull once; the token, the door's transport and `full` may be given."""

    def run(*, using=settings, name="main", **more):
        return pull_from(server, using, name, **more)

    return run


@pytest.fixture(scope="session")
def pulled_once(tmp_path_factory, migrated_file):
    """The files of a sandbox with 120 clients, and of a warehouse that a first pull has filled: copied, not used."""
    folder = tmp_path_factory.mktemp("pulled-once")
    database, place = folder / "server.sqlite", Files().copy(migrated_file, folder)
    with running(clients=120, seed=5, database=database) as box:
        source = Source(url=box.url, page_size=50, requests_per_second=10_000, look_back=0, entities=("clients",))
        pull_from(Server(box), Settings(warehouse=str(place), publish=False, sources={"main": source}))
    return database, place


@pytest.fixture
def query(settings):
    """The rows of a query on the warehouse."""

    def run(sql, **params):
        with open_warehouse(place_of(settings)) as warehouse:
            return warehouse.rows(sql, params)

    return run


@pytest.fixture
def call(server, tmp_path, monkeypatch, migrated_file):
    """Run `ninja-sync` in this process: (exit code, standard output); raises the errors that `main` would tell.

    Its warehouse holds nothing yet.
    """
    place = Files().copy(migrated_file, tmp_path / "called")
    for name, value in {
        "NINJA_SYNC_URL": server.box.url, "NINJA_SYNC_TOKEN": server.box.token,
        "NINJA_SYNC_WAREHOUSE": str(place), "HOME": str(tmp_path), "NINJA_SYNC_ENTITIES": "clients",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def run(*args, stdin=""):
        from typer.testing import CliRunner  # noqa: PLC0415 - with the whole command line

        from flows.cli.app import app  # noqa: PLC0415

        done = CliRunner().invoke(app, [*map(str, args)], input=stdin)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout

    return run


@pytest.fixture(scope="session")
def commands():
    """Commands as processes that start at once."""
    with closing(Commands()) as opened:
        yield opened


@pytest.fixture
def environment(tmp_path, server):
    """What a command finds in its environment."""
    return {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "NINJA_SYNC_URL": server.box.url,
        "NINJA_SYNC_TOKEN": server.box.token, "NINJA_SYNC_WAREHOUSE": str(tmp_path / "cli" / "warehouse.duckdb"),
        "NINJA_SYNC_ENTITIES": "clients",
    }  # fmt: skip


@pytest.fixture
def command(tmp_path, environment, commands):
    """Run `ninja-sync` as a process, as a person does: (exit code, standard output, standard error)."""

    def run(*args, environ=None, cwd=None):
        return commands.run([*map(str, args)], {**environment, **(environ or {})}, cwd or tmp_path)

    return run


@pytest.fixture
def program(tmp_path, environment):
    """Run `ninja-sync` as `command` does, from its file and with a Python of its own."""

    def run(*args, environ=None):
        done = subprocess.run(
            [COMMAND, *args], env={**environment, **(environ or {})}, cwd=tmp_path, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    return run

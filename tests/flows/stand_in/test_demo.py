"""The demo and the sandbox command, run as processes: what a newcomer sees first."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import duckdb
import pytest

from flows.stand_in.demo import remove_earlier_demo, run_demo
from schemas.errors import SettingsError
from tests.forked import COMMAND
from warehouse.engine.duckdb import open_warehouse
from warehouse.engine.place import reader_of


@pytest.fixture
def environ(tmp_path):
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}


def test_the_demo_goes_through_everything_and_leaves_nothing_running(tmp_path, environ):
    for _ in range(2):  # a second demo starts anew
        done = subprocess.run(
            [str(COMMAND), "demo", "--clients", "300"], cwd=tmp_path, env=environ, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told = done.stdout + done.stderr
        assert "300 new" in told
        assert "4 changed" in told
        for title in ("Balances by currency", "Balances by country", "Top debtors", "What changed"):
            assert title in told
        assert "paid_to_date" in told
        assert "3 gone" in told
        assert told.count("was merged into") == 2
        assert told.count("ledger note") == 2
        assert "the server no longer knows it" in told
        assert "nothing has changed" in told
        url = re.search(r"http://127\.0\.0\.1:\d+", told)[0]
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(url, timeout=5)  # noqa: S310 - our own server
    with duckdb.connect(str(tmp_path / "demo" / "warehouse.duckdb"), read_only=True) as warehouse:
        assert warehouse.execute("select count(*) from ninja.clients").fetchall() == [(297,)]
    queries = re.findall(r'ninja-sync sql "([^"]*)"', told)
    environ["NINJA_SYNC_WAREHOUSE"] = "demo/warehouse.duckdb"
    for query in queries:
        asked = subprocess.run(
            [str(COMMAND), "sql", query], cwd=tmp_path, env=environ, capture_output=True, check=False
        )
        assert asked.returncode == 0
    assert len(queries) == 2


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_command_tells_programs_how_to_reach_it_and_stops_cleanly(tmp_path, environ, how):
    with subprocess.Popen(
        [str(COMMAND), "sandbox", "--clients", "20", "--invoiced", "0", "--port", "0", "--seed", "4", "--json"],
        cwd=tmp_path, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        told = json.loads(process.stdout.readline())
        assert set(told) == {"url", "token", "viewer_token", "none_token", "other_token", "password"}
        for kind, total in (("clients", 20), ("invoices", 0)):
            request = urllib.request.Request(  # noqa: S310 - our own server
                f"{told['url']}/api/v1/{kind}?per_page=1",
                headers={"X-API-TOKEN": told["token"], "X-Requested-With": "XMLHttpRequest"},
            )
            with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 - as above
                assert json.load(answer)["meta"]["pagination"]["total"] == total
        process.send_signal(how)
        assert process.wait(timeout=120) in (0, 130, 143)
        assert "Traceback" not in process.stderr.read()


def test_the_sandbox_command_tells_people_what_to_type(tmp_path, environ):
    with subprocess.Popen(
        [str(COMMAND), "sandbox", "--clients", "5", "--port", "0"], cwd=tmp_path, env=environ, stderr=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        lines = ""
        while "ninja-sync pull" not in lines:
            line = process.stderr.readline()
            assert line, lines
            lines += line
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
    assert rest.strip() == "Stopped. Its clients are gone."
    assert "export NINJA_SYNC_URL=http://127.0.0.1:" in lines


def warehouse_of(path, *sources, shape="source varchar, base_url varchar"):
    """A warehouse that knows these sources, and a published copy of it."""
    with open_warehouse(path) as warehouse:
        warehouse.execute("create schema control")
        warehouse.execute(f"create table control.sources ({shape})")
        for name, url in sources:
            warehouse.execute("insert into control.sources values ($name, $url)", {"name": name, "url": url})
        warehouse.checkpoint()
    copy = reader_of(path)
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    return path


@pytest.mark.proof
@pytest.mark.parametrize("sources", [[], [("demo", "http://127.0.0.1:4711")]])
def test_the_warehouse_of_an_earlier_demo_is_made_anew(tmp_path, sources):
    path = warehouse_of(tmp_path / "warehouse.duckdb", *sources)
    remove_earlier_demo(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.proof
@pytest.mark.parametrize(
    "sources",
    [
        [("main", "https://ninja.example")],
        [("main", "http://127.0.0.1:4711")],
        [("demo", "https://ninja.example")],
        [("demo", "http://127.0.0.1:4711"), ("main", "https://ninja.example")],
    ],
)
def test_the_demo_never_removes_a_warehouse_of_yours(tmp_path, sources):
    path = warehouse_of(tmp_path / "warehouse.duckdb", *sources)
    before = path.read_bytes()
    with pytest.raises(SettingsError, match="--folder"):
        run_demo(tmp_path, clients=1)
    assert path.read_bytes() == before
    path.unlink()
    with pytest.raises(SettingsError, match="--folder"):  # its published copy is yours too
        run_demo(tmp_path, clients=1)
    assert reader_of(path).exists()


@pytest.mark.proof
@pytest.mark.parametrize("content", [b"", b"a file of another kind", b"long enough to be a database " * 1000])
def test_the_demo_never_removes_a_file_that_is_no_warehouse(tmp_path, content):
    path = tmp_path / "warehouse.duckdb"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="--folder"):
        run_demo(tmp_path, clients=1)
    assert path.read_bytes() == content


@pytest.mark.proof
def test_the_demo_never_removes_a_database_of_another_program_or_one_in_use(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    duckdb.connect(str(path)).close()
    with pytest.raises(SettingsError, match="--folder"):
        run_demo(tmp_path, clients=1)
    path.unlink()
    warehouse_of(path, ("demo", "http://127.0.0.1:4711"))
    code = f"import duckdb; c = duckdb.connect({str(path)!r}); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        with pytest.raises(SettingsError, match=f"process {holder.pid}"):
            run_demo(tmp_path, clients=1)
        holder.communicate(b"\n")
    assert path.exists()


@pytest.mark.proof
def test_the_sandbox_says_what_to_do_where_it_cannot_start(tmp_path, environ):
    def run(*args):
        done = subprocess.run(
            [str(COMMAND), "sandbox", *args], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        return done.returncode, done.stderr

    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, err = run("--port", str(taken.getsockname()[1]), "--clients", "0")
    assert (code, "Address already in use. Name another --port" in err) == (2, True), err
    code, err = run("--port", "0", "--database", "nowhere/sandbox.sqlite")
    assert (code, "nowhere" in err, "This is a bug" in err) == (2, True, False), err

"""The demo and the sandbox command, run as processes: what a newcomer sees first."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request

import duckdb
import pytest

from tests.flows.conftest import COMMAND


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
        assert "nothing has changed" in told
        url = re.search(r"http://127\.0\.0\.1:\d+", told)[0]
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(url, timeout=5)  # noqa: S310 - our own server
    with duckdb.connect(str(tmp_path / "demo" / "warehouse.duckdb"), read_only=True) as warehouse:
        assert warehouse.execute("select count(*) from ninja.clients").fetchall() == [(300,)]
    (query,) = re.findall(r'ninja-sync sql "([^"]*)"', told)
    environ["NINJA_SYNC_WAREHOUSE"] = "demo/warehouse.duckdb"
    asked = subprocess.run([str(COMMAND), "sql", query], cwd=tmp_path, env=environ, capture_output=True, check=False)
    assert asked.returncode == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_command_tells_programs_how_to_reach_it_and_stops_cleanly(tmp_path, environ, how):
    with subprocess.Popen(
        [str(COMMAND), "sandbox", "--clients", "20", "--port", "0", "--seed", "4", "--json"], cwd=tmp_path, env=environ,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        told = json.loads(process.stdout.readline())
        assert set(told) == {"url", "token", "viewer_token", "other_token", "password"}
        request = urllib.request.Request(  # noqa: S310 - our own server
            told["url"] + "/api/v1/clients?per_page=1",
            headers={"X-API-TOKEN": told["token"], "X-Requested-With": "XMLHttpRequest"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            assert json.load(answer)["meta"]["pagination"]["total"] == 20
        process.send_signal(how)
        assert process.wait(timeout=30) in (0, 130, 143)
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
    assert "export NINJA_SYNC_URL=http://127.0.0.1:" in lines

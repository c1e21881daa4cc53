"""The bench itself, on very few clients: that it runs, and that what it compares with is the truth."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from decimal import Decimal
from pathlib import Path

import pytest

from tests.bench.crowd import made
from tests.bench.fast_server import Answers, Gate, Shelf, Throttle, change, serving

ROOT = Path(__file__).parents[2]
CLIENTS = 300


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files of a few clients."""
    folder = tmp_path_factory.mktemp("crowd")
    made(folder, CLIENTS)
    return folder


def listed(url, **asked):
    query = "&".join(f"{name}={value}" for name, value in asked.items()).replace("|", "%7C")
    with urllib.request.urlopen(f"{url}/api/v1/clients?{query}") as answer:  # noqa: S310 - our own server
        return json.loads(answer.read(), parse_float=Decimal)


def test_the_same_seed_makes_the_same_clients_and_the_truth_is_theirs(files, tmp_path):
    truth = made(tmp_path, CLIENTS)
    assert (tmp_path / "records.bin").read_bytes() == (files / "records.bin").read_bytes()
    clients = json.loads(b"[" + (files / "records.bin").read_bytes()[:-1] + b"]", parse_float=Decimal)
    assert len({client["id"] for client in clients}) == truth.clients == CLIENTS
    assert len({contact["id"] for client in clients for contact in client["contacts"]}) == truth.contacts
    assert sum(Decimal(client["balance"]) for client in clients) == truth.money
    assert [client["updated_at"] for client in clients] == sorted(client["updated_at"] for client in clients)


def test_the_fast_server_pages_filters_and_changes_as_a_pull_expects_it(files):
    with serving(files) as url:
        whole = listed(url, sort="updated_at|asc", per_page=5000)["data"]
        assert len(whole) == CLIENTS
        page = listed(url, sort="updated_at|asc", per_page=7, page=3)
        assert (page["data"], page["meta"]["pagination"]["total"]) == (whole[14:21], CLIENTS)
        assert listed(url, sort="updated_at|desc", per_page=2)["data"] == whole[:-3:-1]
        since = whole[100]["updated_at"]
        found = listed(url, sort="updated_at|asc", updated_at=since, per_page=5000)["data"]
        assert found == [client for client in whole if client["updated_at"] >= since]
        assert listed(url, client_id=whole[5]["id"])["data"] == [whole[5]]
        assert listed(url, page=10**9, per_page=1)["data"] == []
        truth = change(url, 4)
        after = listed(url, sort="updated_at|asc", per_page=5000)["data"]
        assert {client["id"] for client in after} == {client["id"] for client in whole}
        assert sum(Decimal(client["balance"]) for client in after) == truth.money
        assert sum(client not in whole for client in after) == 4


@pytest.mark.parametrize("path", ["/clients/no-such-client", "/clients/VolejRejNm/more"])
def test_a_client_that_is_not_there_is_answered_as_by_the_real_server(files, path):
    assert Answers(Shelf(files)).to("GET", f"/api/v1{path}")[0] == 400


@pytest.mark.parametrize(("connections", "seconds"), [(1, 4 / 1.8), (4, 4 / 3.7)])
def test_a_throttled_server_is_as_slow_as_the_real_one_on_one_connection_and_on_four(connections, seconds):
    now, due = [0.0], [0.0] * connections
    gate = Gate(Throttle(1800, 3700))
    for _ in range(4 // connections):
        due = [gate.ready(1000, max(now[0], at)) for at in due]
    assert max(due) == pytest.approx(seconds)


@pytest.mark.slow
@pytest.mark.proof
def test_every_round_of_the_bench_runs_and_finds_the_truth_in_the_databases(tmp_path):
    asked = ["--clients", "60", "120", "--throttled", "60", "--peers", "none", "--folder", str(tmp_path), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", *asked], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode in (0, 1), done.stderr) == (True, "")
    figures = json.loads(done.stdout)
    assert [(f["clients"], f["name"]) for f in figures if f["name"].startswith("all: ninja-sync")] == [
        (60, "all: ninja-sync pull"),
        (120, "all: ninja-sync pull"),
        (60, "all: ninja-sync pull, real speed"),
    ]
    assert {f["clients"] for f in figures if f["name"].startswith("growth: ")} == {120}

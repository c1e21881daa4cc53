"""The bench itself, on very few clients: that it runs, and that what it compares with is the truth."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.entities import PULLED
from schemas.normalise import normalise
from tests.bench import documents, programs
from tests.bench.crowd import Truth, made
from tests.bench.documents import CREDITS, EACH, INVOICES, PAYMENTS
from tests.bench.fast_server import Answers, Gate, Shelf, Throttle, change, change_documents, serving
from tests.bench.figures import FAST, REAL, Figure, targets_of
from tests.bench.measured import Measured, cpu_of, measured
from tests.bench.page import HOW, INTRO, MEANING, Report, json_of, machine_of, page_of
from tests.bench.programs import DUCKDB, ENGINES, POSTGRES, Site, check, new_store

ROOT = Path(__file__).parents[2]
CLIENTS = 300


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files of a few clients."""
    folder = tmp_path_factory.mktemp("crowd")
    made(folder, CLIENTS)
    return folder


def listed(url, kind="clients", **asked):
    query = "&".join(f"{name}={value}" for name, value in asked.items()).replace("|", "%7C")
    with urllib.request.urlopen(f"{url}/api/v1/{kind}?{query}") as answer:  # noqa: S310 - our own server
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


@pytest.fixture(scope="module")
def papers(files):
    """The same files, with documents, and their truth."""
    return files, documents.made(files, CLIENTS)


def records_of(folder, kind):
    return json.loads(b"[" + (folder / kind / "records.bin").read_bytes()[:-1] + b"]", parse_float=Decimal)


def test_documents_are_believable_and_the_truth_is_theirs(papers):
    folder, truth = papers
    found = {kind: {record["id"]: record for record in records_of(folder, kind)} for kind in EACH}
    clients = {client["id"] for client in json.loads(b"[" + (folder / "records.bin").read_bytes()[:-1] + b"]")}
    for kind, each in EACH.items():
        records = list(found[kind].values())
        assert len(records) == truth[kind].rows == CLIENTS * each
        assert {record["client_id"] for record in records} <= clients
        child, amount = ("paymentables", "amount") if kind == PAYMENTS else ("line_items", "balance")
        assert sum(len(record[child]) for record in records) == truth[kind].children
        assert sum(Decimal(record[amount]) for record in records) == truth[kind].money
        assert normalise(PULLED[kind], records).quarantined == []
    paid = Counter()
    for payment in found[PAYMENTS].values():
        for use in payment["paymentables"]:
            kind = INVOICES if "invoice_id" in use else CREDITS
            of = found[kind][use["invoice_id" if kind == INVOICES else "credit_id"]]
            assert of["client_id"] == payment["client_id"]
            paid[kind, of["id"]] += use["amount"]
    assert all(
        found[kind][key]["paid_to_date"] == paid[kind, key] for kind in (INVOICES, CREDITS) for key in found[kind]
    )
    for record in (*found[INVOICES].values(), *found[CREDITS].values()):
        assert record["balance"] + record["paid_to_date"] == record["amount"]
    assert len({frozenset(line) for invoice in found[INVOICES].values() for line in invoice["line_items"]}) == 2


def test_the_fast_server_lists_filters_and_changes_documents(papers):
    folder, truth = papers
    with serving(folder) as url, pytest.raises(urllib.error.HTTPError, match="404"):
        listed(url, INVOICES)
    with serving(folder, documents=True) as url:
        whole = listed(url, INVOICES, sort="updated_at|asc", per_page=5000)
        assert whole["meta"]["pagination"]["total"] == truth[INVOICES].rows
        assert whole["data"] == records_of(folder, INVOICES)
        client = whole["data"][7]["client_id"]
        of_client = [invoice for invoice in whole["data"] if invoice["client_id"] == client]
        assert listed(url, INVOICES, client_id=client, per_page=5000)["data"] == of_client
        assert listed(url, INVOICES, client_id=client, sort="updated_at|desc", per_page=2)["data"] == of_client[:-3:-1]
        assert listed(url, INVOICES, client_id="nobody")["data"] == []
        after = change_documents(url, 3, INVOICES)
        changed = listed(url, INVOICES, sort="updated_at|desc", per_page=5000)["data"]
        assert sum(Decimal(invoice["balance"]) for invoice in changed) == after.money
        assert sum(invoice not in whole["data"] for invoice in changed) == 3


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


TRUTH = Truth(clients=2, contacts=3, balance=1_500_000)
TOTALS = {"rows": 2, "ids": 2, "children": 3, "money": "1.50"}


@pytest.mark.parametrize("wrong", [{"rows": 3}, {"ids": 1}, {"children": 2}, {"money": "1.500001"}])
def test_totals_that_differ_from_the_truth_end_the_bench(wrong):
    check(TOTALS, TRUTH)
    with pytest.raises(RuntimeError, match="should hold"):
        check(TOTALS | wrong, TRUTH)


@pytest.mark.slow
@pytest.mark.proof
@pytest.mark.parametrize("engine", ENGINES)
def test_a_pull_or_a_view_without_the_right_contents_is_no_figure(engine, files, tmp_path, postgres):
    with serving(files) as url, new_store(engine, tmp_path, postgres) as store:
        right = Site(url, made(files, CLIENTS), 100)
        for truth in (replace(right.truth, balance=right.truth.balance + 1), replace(right.truth, contacts=1)):
            with pytest.raises(RuntimeError, match="should hold"):
                programs.pull(replace(right, truth=truth), store)
        with pytest.raises(RuntimeError, match=f"read {CLIENTS} of 5 records"):
            programs.fetch(replace(right, truth=replace(right.truth, clients=5)), tmp_path, 4)
        programs.pull(right, store)
        if engine == POSTGRES:
            with pytest.raises(RuntimeError, match="by day"):
                programs.thirty_days(replace(right, truth=replace(right.truth, balance=0)), store, 1)
            assert len(programs.thirty_days(right, store, 2)) == 2


def test_a_process_is_measured_with_its_files_and_the_work_of_a_server(tmp_path):
    watched = tmp_path / "watched"
    program = """if True:
        import pathlib, sys, time
        folder = pathlib.Path(sys.argv[1])
        folder.mkdir()
        (folder / "page").write_bytes(bytes(3_000_000))
        time.sleep(1)
        (folder / "page").unlink()
    """
    done = measured([sys.executable, "-c", program, str(watched)], folder=tmp_path, watched=watched)
    assert (done.disk_mb, done.server_cpu) == (3.0, 0.0)
    assert cpu_of(os.getpid()) > cpu_of(None) == 0
    with pytest.raises(RuntimeError, match="too bad"):
        measured([sys.executable, "-c", "raise SystemExit('too bad')"], folder=tmp_path)


def figure(speed, clients, name, engine, *runs):
    """A figure of runs of so many seconds, CPU seconds and MB."""
    return Figure(speed, clients, name, engine, tuple(Measured(*run, "", server_cpu=1.0, disk_mb=7.0) for run in runs))


FIGURES = (
    figure(FAST, 100, "floor", "", (1, 1, 50), (2, 2, 50), (1, 1, 50)),
    figure(FAST, 100, "pull", DUCKDB, (2, 3, 301), (4, 6, 200), (9, 9, 100)),
    figure(FAST, 100, "pull", POSTGRES, (3, 4, 300)),
    figure(FAST, 100, "dlt", DUCKDB, (20, 9, 100)),
    figure(FAST, 1000, "pull", DUCKDB, (44, 3, 200)),
    figure(FAST, 100, "changed", DUCKDB, (9, 1, 200)),
    figure(FAST, 1000, "changed", DUCKDB, (9, 4, 200)),
    figure(REAL, 100, "fetch", "", (2, 2, 50)),
    figure(REAL, 100, "pull", DUCKDB, (2.2, 3, 200)),
)


def test_targets_are_judged_by_the_median_of_pairs_or_the_ratio_of_medians():
    judged = {(t.name, t.engine, t.clients): (round(t.value, 2), t.kept) for t in targets_of(FIGURES)}
    assert judged["full pull: CPU ÷ bare fetch's", DUCKDB, 100] == (3, True)  # 3, 3 and 9 in pairs
    assert judged["full pull: CPU ÷ bare fetch's", POSTGRES, 100] == (4, False)  # one run against the median of three
    assert judged["dlt's time ÷ full pull's", DUCKDB, 100] == (5, False)
    assert judged["peak memory of any pull", DUCKDB, 100] == (301, False)
    assert judged["peak memory of any pull", POSTGRES, 100] == (300, True)
    assert judged["full pull: staged pages on disk", POSTGRES, 100] == (7, None)
    assert judged["full pull: time ÷ that of 100", DUCKDB, 1000] == (11, True)
    assert judged["pull of 100 changes: CPU ÷ that of 100", DUCKDB, 1000] == (
        2.5,
        False,
    )  # the server's CPU is part of it
    assert judged["full pull at real speed: time ÷ bare fetch's", DUCKDB, 100] == (1.1, True)


def test_the_page_is_made_of_the_figures_and_no_line_of_a_table_is_too_wide():
    report = Report(datetime(2026, 1, 2, tzinfo=UTC), {"memory": "1 GiB"}, 12.3, FIGURES, ("Without dlt.",))
    page = page_of(report)
    assert "2026-01-02, 12 minutes." in page
    assert "4 of 8 targets are reached." in page
    lines = [re.sub(" +", " ", line) for line in page.splitlines()]
    assert "| dlt's time ÷ full pull's | DuckDB | 100 | 5.00 × | ≥ 8 | **missed** |" in lines
    assert "| Ninja Sync into DuckDB | 3 | 4.00 s | 2.00 × | 6.00 s | 3.00 × | 1.00 s | 200 MB |" in lines
    assert max(len(line) for line in page.splitlines()) <= 120
    assert [t["kept"] for t in json.loads(json_of(report))["targets"]] == [t.kept for t in report.targets]
    assert report.missed == 4


def test_the_committed_page_says_what_the_bench_would_say():
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert all(text in page for text in (INTRO, MEANING, HOW))


def test_the_machine_is_named_without_its_host_and_paths():
    machine = " ".join(machine_of(None, None).values())
    assert "duckdb" in machine
    assert platform.node() not in machine
    assert str(ROOT) not in machine


@pytest.mark.slow
@pytest.mark.proof
def test_every_round_of_the_bench_runs_and_finds_the_truth_in_the_databases(tmp_path):
    sizes = ["--clients", "60", "120", "--throttled", "60", "--mass", "120", "--documents", "60"]
    asked = [*sizes, "--repeats", "1", "--pairs", "1", "--peers", "none", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", *asked, "--folder", tmp_path, "--write", tmp_path / "page.md"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    assert "make peers" in done.stderr.splitlines()[0]
    report = json.loads(done.stdout)
    rounds = {(f["speed"], f["clients"]) for f in report["figures"]}
    assert rounds == {("fast", 60), ("fast", 120), ("real", 60), ("mass", 120), ("documents", 60)}
    goals = {(t["name"].partition(":")[0], t["engine"]) for t in report["targets"]}
    assert {engine for _, engine in goals} == {"DuckDB", "Postgres"}
    assert ("thirty days of balances, summed", "Postgres") in goals
    assert "Without dlt and airbyte-cdk" in (tmp_path / "page.md").read_text()

"""The commands for files and the odd operations: what they tell people and programs, and how they end."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.app import app
from sandbox.server import running
from schemas.errors import (
    Invalid,
    NotAuthorised,
    NotFound,
    NotVerified,
    ServerUnavailable,
    SettingsError,
    SyncError,
)
from tests.connector.clients.conftest import Box

PDF = b"%PDF-1.4\n%%EOF"


@pytest.fixture(scope="module")
def box():
    with running(clients=12, seed=5) as sandbox:
        yield Box(sandbox)


@pytest.fixture(scope="module")
def one(box):
    made = box.make("Commanded")
    box.balances(made, balance="12.5")
    return made["id"]


@pytest.fixture
def run(box, tmp_path, monkeypatch):
    """A command's standard output, with what it is asked answered by "n"; the error that it ends with is raised."""
    for name, value in {
        "NINJA_SYNC_URL": box.sandbox.url, "NINJA_SYNC_TOKEN": box.sandbox.token,
        "NINJA_SYNC_WAREHOUSE": str(tmp_path / "w.duckdb"), "HOME": str(tmp_path),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def invoked(*args, fails=None):
        done = CliRunner().invoke(app, ["clients", *args])
        if done.exception and not isinstance(done.exception, (SystemExit, SyncError)):
            raise done.exception
        assert type(done.exception) is (fails or type(None)), (done.exception, done.output)
        return json.loads(done.stdout) if "--json" in args and done.stdout else done.stdout + done.stderr

    return invoked


def test_upload_tells_what_is_there_now(run, one, tmp_path):
    (tmp_path / "a.pdf").write_bytes(PDF)
    (tmp_path / "b.txt").write_text("some text")
    assert "a.pdf" in run("upload", one, "a.pdf")
    told = run("upload", one, "a.pdf", "b.txt", "--private", "--json")
    assert told["client_id"] == one
    assert sorted((d["name"], d["is_public"], d["size"]) for d in told["documents"]) == [
        ("a.pdf", False, len(PDF)), ("b.txt", False, 9),
    ]  # fmt: skip
    assert not {"hash", "url", "preview", "link"} & set(told["documents"][0])
    run("upload", one, "a.exe", fails=SettingsError)


def test_statement_fetches_once_and_again_where_it_is_told_to(run, one):
    days = ("--start", "2026-01-01", "--end", "2026-12-31")
    assert "fetched" in run("statement", one, *days, "--no-aging")
    assert "fetched" in run("statement", one, *days)  # it shows something else
    assert "was there" in run("statement", one, *days)
    assert "fetched" in run("statement", one, *days, "--again")
    told = run("statement", one, "zzzzzzzzzz", *days, "--json", fails=NotVerified)
    assert [(it["client_id"], it["did"], bool(it["problem"])) for it in told] == [
        ("zzzzzzzzzz", None, True), (one, "was there", False),
    ]  # fmt: skip
    assert Path(told[1]["file"]).read_bytes().startswith(b"%PDF-")


def test_statement_of_all_with_a_balance(run, one):
    told = run("statement", "--all-with-balance", "--to", "all", "--json")
    assert one in [it["client_id"] for it in told]
    assert len(list(Path("all").iterdir())) == len(told) > 3


def test_statement_of_debtors_only_and_of_a_least_amount(run, box):
    creditor = box.make("Creditor")
    box.balances(creditor, balance="-900")
    listed = run("list", "--status", "active,archived", "--limit", "0", "--json")["clients"]
    everybody = {c["id"]: Decimal(c["balance"]) for c in listed}
    owed = {id_: balance for id_, balance in everybody.items() if balance > 0}
    assert len(owed) < sum(balance != 0 for balance in everybody.values())
    least = sorted(owed.values())[len(owed) // 2]
    found = {it["client_id"] for it in run("statement", "--debtors", "--to", "debtors", "--json")}
    assert found == set(owed)
    more = ("--at-least", f"{least:f}", "--to", "debtors", "--json")
    found = {it["client_id"] for it in run("statement", "--debtors", *more)}
    assert found == {id_ for id_, balance in owed.items() if balance >= least}
    box.balances(creditor, balance="0")


def test_a_run_that_is_ended_tells_what_it_has_done(run, box, one):
    box.switch(faults=[{"on": "POST /client_statement", "do": "status", "status": 403, "nth": 2, "times": 9}])
    told = run("statement", "--all-with-balance", "--to", "all", "--json", fails=NotAuthorised)
    box.switch(faults=[])
    assert [it["did"] for it in told] == ["fetched"]


def test_mails_are_sent_only_where_somebody_says_yes(run, box, one):
    box.requests()
    run("statement", one, "--email", fails=SettingsError)
    run("statement", "--all-with-balance", "--email", "--json", fails=SettingsError)
    assert not [r for r in box.requests() if "client_statement" in r]
    assert "does not report" in run("statement", one, "--email", "--yes")
    assert not Path("statements").exists()


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["statement"], SettingsError),
        (["statement", "ONE", "--all-with-balance"], SettingsError),
        (["statement", "--debtors", "--all-with-balance"], SettingsError),
        (["statement", "--debtors", "--at-least", "1,50"], SettingsError),
        (["statement", "ONE", "--at-least", "1"], SettingsError),
        (["statement", "ONE", "--start", "1.1.2026"], SettingsError),
        (["statement", "ONE", "--start", "2026-02-01", "--end", "2026-01-01"], SettingsError),
        (["statement", "ONE", "--status", "late"], SettingsError),
        (["statement", "ONE", "--to", "w.txt"], SettingsError),
        (["reactivate-email", "1"], Invalid),
        (["reactivate-email", "../x"], SettingsError),
        (["update-tax-data", "zzzzzzzzzz"], SettingsError),
        (["template", "zzz", "ONE"], ServerUnavailable),
        (["upload", "zzzzzzzzzz", "w.pdf"], NotFound),
    ],
)
def test_what_is_wrong_is_an_error_with_its_name(run, one, tmp_path, args, error):
    (tmp_path / "w.txt").write_text("no folder")
    (tmp_path / "w.pdf").write_bytes(PDF)
    run(*[one if arg == "ONE" else arg for arg in args], fails=error)


def test_designs_are_told(run, box, one):
    design = box.call("POST", "/_sandbox/designs", {"name": "Letter"})["id"]
    assert "The server says" in run("template", design, one)
    assert run("template", design, one, "--email", "--yes", "--json") == {
        "template_id": design, "message": "email sent",
    }  # fmt: skip
    run("template", design, one, "--email", fails=SettingsError)


def test_tax_data_is_told_and_what_came_before_an_error_too(run, box, one):
    """Three calls in all: a fourth would wait for a minute of this machine's clock."""
    assert run("update-tax-data", one, one, "--json") == [{"client_id": one, "tax_info": {}}]
    other = box.make("Other")["id"]
    box.switch(faults=[{"on": f"POST /clients/{other}/updateTaxData", "do": "status", "status": 401, "times": 9}])
    told = run("update-tax-data", one, other, fails=NotAuthorised)
    box.switch(faults=[])
    assert "Commanded" in told
    assert "1 of 2 clients" in told

"""Figures against documents, end to end: a merge that dies on the server is found, named and explained."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from schemas.errors import LOADED_WITH_FINDINGS

HALF = "a merge that stopped half way"


@pytest.fixture
def run(call, monkeypatch):
    """Run commands with all documents."""
    monkeypatch.setenv("NINJA_SYNC_ENTITIES", "clients,invoices,payments,credits")
    return call


def two_with_balances(server):
    """Two clients of one currency who owe something and have paid something."""
    found = [
        one for one in server.clients(status="active").values()
        if one["balance"] > 0 and one["paid_to_date"] > 0 and one["settings"].get("currency_id") == "1"
    ]  # fmt: skip
    return found[0], found[1]


def test_the_figures_of_a_new_sandbox_agree_with_its_documents(run):
    assert run("pull")[0] == 0
    code, out = run("reconciliation", "--json")
    answer = json.loads(out)
    assert (code, answer["differences"]) == (0, [])
    assert answer["sources"] == [{"source": "main", "clients": 120, "differing": 0}]


@pytest.mark.parametrize("after", [1, 2])
def test_a_merge_that_dies_before_documents_move_is_named_with_the_other_client(run, server, after):
    kept, other = two_with_balances(server)
    run("pull")
    server.switch(merge_dies={"after": after, "do": "500"})
    with pytest.raises(AssertionError, match="500"):
        server.merge(kept["id"], other["id"])
    run("pull")
    code, out = run("reconciliation", "--json")
    found = {(row["client_id"], row["figure"]): row for row in json.loads(out)["differences"]}
    assert code == LOADED_WITH_FINDINGS
    row = found[kept["id"], "balance"]
    assert Decimal(row["of_client"]) == kept["balance"] + other["balance"]
    assert (row["reason"], row["other_id"]) == (HALF, other["id"])


def test_a_merge_that_dies_after_documents_moved_leaves_a_client_with_figures_alone(run, server):
    kept, other = two_with_balances(server)
    run("pull")
    server.switch(merge_dies={"after": 3, "do": "500"})
    with pytest.raises(AssertionError, match="500"):
        server.merge(kept["id"], other["id"])
    run("pull")
    rows = json.loads(run("reconciliation", "--json")[1])["differences"]
    found = {row["figure"]: row for row in rows if row["client_id"] == other["id"]}
    assert kept["id"] not in {row["client_id"] for row in rows if row["figure"] == "balance"}
    assert Decimal(found["balance"]["difference"]) == other["balance"]
    assert found["balance"]["reason"].startswith("no documents")


def test_the_ledger_of_a_client_that_differs_is_read_on_request(run, server):
    kept, other = two_with_balances(server)
    server.switch(merge_dies={"after": 1, "do": "500"})
    with pytest.raises(AssertionError, match="500"):
        server.merge(kept["id"], other["id"])
    run("pull")
    (row,) = [
        row for row in json.loads(run("reconciliation", "--ledger", "--json")[1])["differences"]
        if (row["client_id"], row["figure"]) == (kept["id"], "balance")
    ]  # fmt: skip
    newest = server.call("GET", f"/api/v1/clients/{kept['id']}?include=ledger")["data"]["ledger"][0]
    assert Decimal(row["ledger"]) == newest["balance"]


def test_the_list_is_a_file_too(run, server, tmp_path):
    kept, other = two_with_balances(server)
    server.switch(merge_dies={"after": 1, "do": "500"})
    with pytest.raises(AssertionError, match="500"):
        server.merge(kept["id"], other["id"])
    run("pull")
    assert run("reconciliation", "--csv", tmp_path / "list.csv", "--xlsx", tmp_path / "list.xlsx")[0] == 7
    assert HALF in (tmp_path / "list.csv").read_text(encoding="utf-8-sig")
    assert (tmp_path / "list.xlsx").read_bytes().startswith(b"PK")


def test_a_plan_of_a_merge_names_figures_that_do_not_agree(run, server, tmp_path):
    kept, other = two_with_balances(server)
    server.switch(merge_dies={"after": 1, "do": "500"})
    with pytest.raises(AssertionError, match="500"):
        server.merge(kept["id"], other["id"])
    run("pull")
    out = json.loads(run("merge", "plan", f"{kept['id']}:{other['id']}", "--json")[1])
    (note,) = [note for note in out["notes"] if kept["display_name"] in note and ": balance" in note]
    assert HALF in note
    assert "look before you merge" in note

"""`ninja-sync clients get`, `list`, `documents` and `blank`: for people as tables, for programs as exact JSON."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from typer.testing import CliRunner

from connector.clients.filters import NAMES
from flows.cli.app import app
from flows.cli.lazy import load_command
from sandbox.server import running
from schemas.errors import NotAuthorised, NotFound, SettingsError
from tests.flows.conftest import Server


@pytest.fixture(scope="module")
def server():
    with running(clients=60, seed=5) as box:
        yield Server(box)


@pytest.fixture
def call(server, tmp_path, monkeypatch):
    """Run a command in this process: its standard output; raises what it raises."""
    for name, value in {
        "NINJA_SYNC_URL": server.box.url, "NINJA_SYNC_TOKEN": server.box.token,
        "NINJA_SYNC_WAREHOUSE": str(tmp_path / "w.duckdb"), "HOME": str(tmp_path),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def run(*args):
        return CliRunner().invoke(app, ["clients", *args], catch_exceptions=False).output

    yield run
    assert not (tmp_path / "w.duckdb").exists()  # to read, no warehouse is needed


@pytest.fixture
def everybody(server):
    return server.clients()


def test_a_client_is_shown_with_its_contacts_and_no_way_into_its_portal(call, server):
    made = server.call(
        "POST",
        "/api/v1/clients",
        {"name": "Zürich [b]AG\u202e", "contacts": [{"first_name": "Ann", "email": "ann@get.test"}]},
    )["data"]
    server.call("POST", f"/_sandbox/clients/{made['id']}/balances", {"balance": "12345678.100001"})
    told = call("get", made["id"])
    assert all(word in told for word in ("Zürich [b]AG\\u202e", "12,345,678.100001", "ann@get.test", "active"))
    secrets = [made["client_hash"], made["contacts"][0]["contact_key"], made["contacts"][0]["link"]]
    whole = call("get", made["id"], "--json")
    assert json.loads(whole)["client"]["balance"] == "12345678.100001"
    assert json.loads(whole)["client"]["contacts"][0]["email"] == "ann@get.test"
    assert [secret for secret in secrets if secret in told + whole] == []


def test_what_stands_behind_a_client_is_shown_where_it_is_asked_for(call, server):
    group = server.call("GET", "/api/v1/group_settings?per_page=1")["data"][0]
    made = server.call("POST", "/api/v1/clients", {"name": "Behind", "group_settings_id": group["id"]})["data"]
    server.call("POST", f"/_sandbox/clients/{made['id']}/balances", {"balance": "7.5", "documents": True})
    server.call(
        "POST", f"/_sandbox/clients/{made['id']}/system_logs", {"log": {"to": "ann@log.test", "token": "canary"}}
    )
    asked = "activities, ledger,system_logs,group_settings"
    told = call("get", made["id"], "--include", asked)
    assert all(word in told for word in ("created", "7.50", "invoice", "400", group["name"]))
    assert "ann@log.test" not in told
    whole = json.loads(call("get", made["id"], "--include", asked, "--json"))
    assert list(whole) == ["client", "activities", "ledger", "system_logs", "group_settings"]
    assert (whole["ledger"][0]["adjustment"], whole["group_settings"]["name"]) == ("7.500000", group["name"])
    assert whole["system_logs"][0]["log"] == {"to": "ann@log.test"}
    alone = json.loads(call("get", made["id"], "--include", "ledger", "--json"))
    assert list(alone) == ["client", "ledger"]


def test_what_is_not_there_is_said_and_a_client_without_a_group_has_none(call, server):
    made = server.call("POST", "/api/v1/clients", {"name": "Bare"})["data"]
    told = call("get", made["id"], "--include", "ledger,group_settings")
    assert "Ledger: none." in told
    assert "in no group" in told
    assert json.loads(call("get", made["id"], "--include", "group_settings", "--json"))["group_settings"] is None
    with pytest.raises(NotFound):
        call("get", "zzzzzzzzzz")


def test_a_client_that_may_be_seen_and_not_changed_is_refused_with_editable(call, server, everybody, monkeypatch):
    first = next(iter(everybody))
    assert json.loads(call("get", first, "--editable", "--json"))["client"]["id"] == first
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.viewer_token)
    assert first in call("get", first)
    with pytest.raises(NotAuthorised):
        call("get", first, "--editable")


def test_a_list_is_filtered_sorted_and_cut_and_says_how_many_more_there_are(call, everybody):
    active = [one for one in everybody.values() if not one["archived_at"]]
    told = json.loads(call("list", "--status", "active", "--sort", "balance|desc", "--limit", "5", "--json"))
    wanted = sorted((Decimal(one["balance"]) for one in active), reverse=True)
    assert [Decimal(one["balance"]) for one in told["clients"]] == wanted[:5]
    assert told["more"] == len(active) - 5
    whole = json.loads(call("list", "--status", "active", "--limit", "0", "--json"))
    assert (len(whole["clients"]), whole["more"]) == (len(active), 0)
    shown = call("list", "--without-trashed", "--limit", "3")
    present = sum(not one["is_deleted"] for one in everybody.values())
    assert f"3 of {present} clients shown: --limit 0 shows all" in " ".join(shown.split())
    assert json.loads(call("list", "--json"))["more"] == len(everybody) - 50


@pytest.mark.parametrize("width", [30, 80, 140])
def test_a_list_shows_as_many_clients_as_its_limit_says_in_any_terminal(call, everybody, monkeypatch, width):
    monkeypatch.setattr("flows.show.show.WIDTH_OF_FILES", width)
    for limit, count in (("0", len(everybody)), ("30", 30)):
        shown = call("list", "--limit", limit)
        assert sum(client_id in shown for client_id in everybody) == count
        assert "more" not in shown.splitlines()[-1]


def test_each_filter_has_an_option_and_is_found_by_its_name_too(call, everybody):
    told = load_command("clients", "list")
    options = {option for param in told.params for option in param.opts}
    assert {f"--{name.replace('_', '-')}" for name in NAMES} <= options
    one = next(one for one in everybody.values() if one["name"] and one["contacts"][0]["email"].strip())
    since = str(one["updated_at"])
    for asked in (
        ["--client-id", one["id"], "--created-at", str(one["created_at"]), "--with-trashed"],
        ["--name", one["name"], "--number", one["number"], "--is-deleted" if one["is_deleted"] else "--is-not-deleted"],
        ["--email", one["contacts"][0]["email"], "--updated-at", since, "--filter", one["name"]],
        ["--number", one["number"], "--balance-gte", str(one["balance"]), "--balance-lte", str(one["balance"])],
        ["--number", one["number"], "--balance-eq", str(one["balance"]), "--balance-gt", "-9999999"],
        ["--number", one["number"], "--balance-lt", "9999999", "--between-balance", "-9999999:9999999"],
        ["--where", f"number={one['number']}", "--where", f"between_balance={one['balance']}:{one['balance']}"],
    ):  # fmt: skip
        assert one["id"] in [found["id"] for found in json.loads(call("list", *asked, "--json"))["clients"]], asked
    assert json.loads(call("list", "--group", "zzzzzzzzzz", "--id-number", "none", "--json")) == {
        "clients": [],
        "more": 0,
    }
    assert "No client" in call("list", "--number", "none")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["list", "--name", "Bob*"], "beginning"),
        (["list", "--where", "balance=gt:1000"], "balance_gt"),
        (["list", "--where", "filter_deleted_clients=true"], "breaks the server"),
        (["list", "--where", "vendor_id=x"], "does nothing"),
        (["list", "--where", "update_at=1"], "would send all clients"),
        (["list", "--where", "name"], "NAME=VALUE"),
        (["list", "--name", "a", "--where", "name=b"], "twice"),
        (["list", "--status", "activ"], "has no activ"),
        (["list", "--updated-at", "yesterday"], "2026-12-31"),
        (["list", "--balance-gt", "1,000"], "amount"),
        (["list", "--sort", "shoe_size|asc"], "shoe_size"),
        (["list", "--sort", "name"], "direction"),
        (["get", "x", "--include", "invoices"], "invoices"),
    ],
)  # fmt: skip
def test_a_wrong_call_says_what_is_right_and_sends_nothing(call, server, args, words):
    server.requests()
    with pytest.raises(SettingsError) as refusal:
        call(*args)
    assert words in str(refusal.value)
    assert server.requests() == []


def test_documents_are_listed_without_a_way_to_them(call, server, everybody):
    filed = next(one for one in everybody.values() if one["documents"])
    told = call("documents", filed["id"])
    whole = json.loads(call("documents", filed["id"], "--json"))
    assert filed["documents"][0]["name"] in told
    assert {one["id"] for one in whole["documents"]} == {one["id"] for one in filed["documents"]}
    assert not {"hash", "url", "link", "preview"} & set(whole["documents"][0])
    bare = next(one["id"] for one in everybody.values() if not one["documents"])
    assert "no documents" in call("documents", bare)
    assert json.loads(call("documents", bare, "--json"))["documents"] == []


def test_a_blank_client_is_shown_and_none_is_made(call, server):
    before = len(server.clients())
    told = json.loads(call("blank", "--json"))
    assert (told["balance"], told["name"], "id" in told) == ("0.000000", None, False)
    assert "No Contact Set" in call("blank")
    assert len(server.clients()) == before

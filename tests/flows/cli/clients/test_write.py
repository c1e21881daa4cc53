"""`ninja-sync clients create` and `update`: what would change is shown, asked for, sent, and read back."""

from __future__ import annotations

import json

import pytest

from sandbox.server import running
from schemas.errors import SettingsError
from tests.flows.conftest import Server


@pytest.fixture(scope="module")
def server():
    with running(clients=20, seed=5) as box:
        yield Server(box)


@pytest.fixture
def clients(call):
    """What `ninja-sync clients` with these words writes to standard output."""
    return lambda *args, **more: call("clients", *args, **more)[1]


def made(clients, *more):
    answer = json.loads(
        clients("create", "--set", "name=One", "--contact", "email=ann@one.test", *more, "--yes", "--json")
    )
    return answer["client"]


def test_a_client_is_made_and_changed_and_each_call_is_in_the_journal(clients, server, tmp_path):
    client = made(clients, "--set", "number=W-1")
    shown = clients("update", client["id"], "--set", "city=Zürich", "--set", "payment_terms=30", "--yes")
    assert "Zürich" in shown
    after = server.call("GET", f"/api/v1/clients/{client['id']}")["data"]
    assert (after["city"], after["settings"]["payment_terms"]) == ("Zürich", "30")
    told = json.loads(clients("update", client["id"], "--set", "city=Zürich", "--json"))
    assert (told["changes"], told["sent"]) == ([], False)


def test_a_contact_is_changed_added_and_removed(clients, server):
    client = made(clients)
    (ann,) = client["contacts"]
    clients("update", client["id"], "--contact", f"{ann['id']}.phone=+41 1", "--add-contact", "first_name=Bob", "--yes")
    after = server.call("GET", f"/api/v1/clients/{client['id']}")["data"]["contacts"]
    assert {(c["first_name"], c["phone"]) for c in after} == {("", "+41 1"), ("Bob", "")}
    bob = next(c["id"] for c in after if c["first_name"] == "Bob")
    clients("update", client["id"], "--remove-contact", bob, "--yes")
    assert [c["id"] for c in server.call("GET", f"/api/v1/clients/{client['id']}")["data"]["contacts"]] == [ann["id"]]


def test_a_dry_run_and_an_unanswered_question_send_nothing(clients, server):
    client = made(clients)
    server.requests()
    assert "Bern" in clients("update", client["id"], "--set", "city=Bern", "--dry-run")
    assert json.loads(clients("create", "--set", "name=Two", "--dry-run", "--json"))["sent"] is False
    for args in (["update", client["id"], "--set", "city=Bern"], ["create", "--set", "name=Two", "--json"]):
        with pytest.raises(SettingsError, match="--yes"):
            clients(*args)
    assert not any(one.startswith(("PUT", "POST /api/v1/clients")) for one in server.requests())


def test_a_file_holds_the_same(clients, tmp_path):
    file = tmp_path / "client.json"
    file.write_text('{"name": "Filed", "country_id": 756, "contacts": [{"first_name": "Ann"}, {"first_name": "Bob"}]}')
    client = json.loads(clients("create", "--file", str(file), "--yes", "--json"))["client"]
    assert (client["name"], client["country_id"], len(client["contacts"])) == ("Filed", "756", 2)
    told = '{"city": "Bern"}'
    assert (
        json.loads(clients("update", client["id"], "--file", "-", "--yes", "--json", stdin=told))["client"]["city"]
        == "Bern"
    )


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["update", "x"], "Name the change"),
        (["update", "x", "--set", "city"], "FIELD=VALUE"),
        (["update", "x", "--set", "city=a", "--set", "city=b"], "twice"),
        (["update", "x", "--contact", "phone=1"], "ID.FIELD=VALUE"),
        (["create", "--set", "country_id=Germani", "--set", "name=x"], "did you mean Germany"),
        (["create"], "needs a name"),
    ],
)
def test_a_wrong_call_says_what_is_right(clients, args, words):
    with pytest.raises(SettingsError) as refusal:
        clients(*args)
    assert words in str(refusal.value)


def test_another_companys_token_may_not_write_into_a_bound_source(call, clients, server, monkeypatch):
    call("pull")
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.other_token)
    with pytest.raises(SettingsError, match="bound to company"):
        clients("create", "--set", "name=Stray", "--yes")

"""`ninja-sync merge` as a person uses it: plan, look, apply with the password, the sheet; what a wrong call says."""

from __future__ import annotations

import json

import pytest

from sandbox.server import running
from schemas.errors import PasswordRequired, SettingsError, WrongDigest
from tests.flows.conftest import Server


@pytest.fixture(scope="module")
def server():
    with running(clients=20, seed=5) as box:
        yield Server(box)


@pytest.fixture
def pair(server):
    made = {"settings": {"currency_id": "1"}}
    one, other = (
        server.call("POST", "/api/v1/clients", {"name": name, "contacts": [{"email": mail}], **made})["data"]["id"]
        for name, mail in (("Kept Ltd", "kept@m.test"), ("Twin Ltd", "twin@m.test"))
    )
    for client, owed in ((one, "10.50"), (other, "5.25")):
        server.call("POST", f"/_sandbox/clients/{client}/balances", {"balance": owed})
    return one, other


def test_from_a_plan_to_the_sheet(call, server, pair, monkeypatch, tmp_path):
    call("pull")
    one, other = pair
    code, out = call("merge", "plan", f"{one}:{other}")
    assert (code, "15.75" in out, "twin@m.test" in out) == (0, True, True)
    _, out = call("merge", "list", "--json")
    plan_id = json.loads(out)[0]["plan_id"]
    _, out = call("merge", "show", plan_id, "--json")
    digest = json.loads(out)["digest"]
    with pytest.raises(WrongDigest):
        call("merge", "apply", plan_id, "--digest", "0123456789abcdef")
    with pytest.raises(SettingsError, match="NINJA_SYNC_PASSWORD"):
        call("merge", "apply", plan_id, "--digest", digest)
    monkeypatch.setenv("OTHER", "wrong")
    with pytest.raises(PasswordRequired):
        call("merge", "apply", plan_id, "--digest", digest, "--password-env", "OTHER")
    (tmp_path / "password").write_text(server.box.password)
    (tmp_path / "password").chmod(0o600)
    code, out = call("merge", "show", plan_id)  # a wrong password has begun nothing
    assert all(text in out for text in ("Kept Ltd", "Twin Ltd", "10.50", "planned"))
    code, out = call("merge", "apply", plan_id, "--digest", digest, "--password-file", "password", "--json")
    (merged,) = json.loads(out)["merges"]
    assert (code, merged["state"], json.loads(out)["done"]) == (0, "done", 1)
    code, out = call("merge", "sheet", merged["backup"])
    assert (code, "Twin Ltd" in out, "twin@m.test" in out) == (0, True, True)
    _, out = call("sql", "select id, kind, into_id from mart.client_redirects", "--json")
    assert json.loads(out) == [{"id": other, "kind": "merged", "into_id": one}]
    _, out = call("journal", "--json")
    assert server.box.password not in out


def test_what_is_refused_is_told_with_exit_code_7(call, server, pair, tmp_path):
    one, other = pair
    (tmp_path / "pairs.csv").write_text(f"survivor_id,mergeable_id\n{one},{other}\n{one},nobody\n")
    code, out = call("merge", "plan", "--file", "pairs.csv", "--json")
    told = json.loads(out)
    assert (code, len(told["plan"]["merges"])) == (7, 1)
    assert "not readable" in told["refused"][0]["reason"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["plan"], "Say whom to merge"),
        (["plan", "abc"], "SURVIVOR:MERGED"),
        (["plan", "a:b", "--allow", "everything"], "--allow takes currency"),
        (["show", "merge-nothing"], "no plan of merges"),
        (["sheet", "nothing.json"], "no backup"),
    ],
)
def test_a_wrong_call_says_what_is_right(call, args, words):
    with pytest.raises(SettingsError) as refusal:
        call("merge", *args)
    assert words in str(refusal.value)

"""`ninja-sync merge` as a person uses it: plan, look, apply with the password, the sheet; what a wrong call says."""

from __future__ import annotations

import json

import pytest

from sandbox.server import running
from schemas.errors import PasswordRequired, RescueMissing, SettingsError, StalePlan, WrongDigest
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


def number_of(server, client_id):
    return server.clients()[client_id]["number"]


def test_clients_are_named_by_their_numbers_and_a_plan_is_written_into_a_file(call, server, pair, tmp_path):
    one, other = pair
    numbers = [number_of(server, client_id) for client_id in pair]
    code, out = call("merge", "plan", ":".join(numbers), "--to", "plan.json")
    assert (code, f"{numbers[1]} Twin Ltd ({other}) into {numbers[0]} Kept Ltd ({one})" in out) == (0, True)
    assert "(USD)" in out
    (step,) = json.loads((tmp_path / "plan.json").read_text())["plan"]["merges"]
    assert (step["survivor_id"], step["mergeable_id"], step["currencies"]) == (one, other, ["USD", "USD"])
    assert (tmp_path / "plan.json").stat().st_mode & 0o777 == 0o600
    code, out = call("merge", "plan", f"{numbers[0]}:nobody9", "--json")
    assert (code, "nobody9 is not on the server" in json.loads(out)["refused"][0]["reason"]) == (7, True)


def test_a_key_that_means_two_clients_is_refused_with_both_readings(call, server, pair):
    one, other = pair
    clients = server.clients()
    server.edit(clients[other], number=one)
    with pytest.raises(SettingsError) as refusal:
        call("merge", "plan", f"{one}:{other}")
    told = str(refusal.value)
    assert f"the number of {one} Twin Ltd ({other})" in told
    assert f"the id of {clients[one]['number']} Kept Ltd ({one})" in told


@pytest.mark.proof
def test_public_notes_are_appended_only_when_asked_for_and_every_final_text_is_shown(call, server, pair):
    one, other = pair
    for client_id, notes in ((one, "ours"), (other, "zahlt spät")):
        server.edit(server.clients()[client_id], public_notes=f"public {notes}", private_notes=f"private {notes}")
    code, out = call("merge", "plan", f"{one}:{other}", "--json")
    (preview,) = json.loads(out)["previews"]
    assert (code, list(preview["rescued_before"]["columns"])) == (0, ["private_notes"])
    _, out = call("merge", "plan", f"{one}:{other}")
    assert "public zahlt spät" in out  # among what is lost
    assert "--public-notes" in out
    assert "private ours" in out
    assert "private zahlt spät" in out
    _, out = call("merge", "plan", f"{one}:{other}", "--public-notes", "--json")
    columns = json.loads(out)["previews"][0]["rescued_before"]["columns"]
    assert columns["public_notes"] == "public ours\n\npublic zahlt spät"


@pytest.mark.proof
def test_different_currencies_are_a_heading_and_no_sum_is_without_one(call, server, pair):
    one, other = pair
    server.edit({**server.clients()[other], "settings": {"currency_id": "2"}}, city="Bath")
    code, out = call("merge", "plan", f"{one}:{other}")
    assert (code, "USD and GBP" in out) == (7, True)
    _, out = call("merge", "plan", f"{one}:{other}", "--allow", "currency")
    for words in ("DIFFERENT CURRENCIES: USD and GBP", "client kept (USD)", "merged in (GBP)", "afterwards (USD)"):
        assert words in out
    assert "settings.currency" not in out
    _, out = call("merge", "list", "--json")
    _, out = call("merge", "show", json.loads(out)[0]["plan_id"])
    assert ("10.50 USD" in out, "5.25 GBP" in out) == (True, True)


@pytest.mark.proof
def test_a_merge_that_is_done_without_its_rescue_says_so_and_its_plan_is_finished_or_closed(
    call, server, pair, monkeypatch
):
    monkeypatch.setenv("NINJA_SYNC_PASSWORD", server.box.password)
    one, other = pair
    server.edit(server.clients()[other], id_number=f"G-{other}")
    twin = server.call("POST", "/api/v1/clients", {"name": "Third", "settings": {"currency_id": "1"}})["data"]["id"]
    number = number_of(server, one)
    plans = [json.loads(call("merge", "plan", f"{one}:{gone}", "--json")[1])["plan"] for gone in (other, twin)]
    server.switch(faults=[{"on": "PUT /clients/*", "do": "status", "status": 422, "times": 500}])
    first, second = plans
    with pytest.raises(RescueMissing) as stopped:
        call("merge", "apply", first["plan_id"], "--digest", first["digest"])
    assert f"Twin Ltd ({other}) is merged into {number} Kept Ltd ({one}): that is done" in str(stopped.value)
    _, out = call("merge", "list", "--json")
    assert [one["done"] for one in json.loads(out) if one["plan_id"] == first["plan_id"]] == [1]
    with pytest.raises(StalePlan, match="merge close"):
        call("merge", "apply", second["plan_id"], "--digest", second["digest"])
    monkeypatch.delenv("NINJA_SYNC_PASSWORD")  # nothing is merged any more, so nobody is asked for it
    code, out = call("merge", "resume", first["plan_id"], "--without-rescue", "--json")
    assert (code, json.loads(out)["state"], json.loads(out)["done"]) == (0, "applied", 1)
    code, out = call("merge", "close", second["plan_id"], "--json")
    assert (code, json.loads(out)["state"], json.loads(out)["done"]) == (0, "ended", 0)
    server.switch(faults=[])


@pytest.mark.proof
def test_what_is_refused_is_told_with_exit_code_7(call, server, pair, tmp_path):
    one, other = pair
    (tmp_path / "pairs.csv").write_text(f"survivor_id,mergeable_id\n{one},{other}\n{one},nobody\n")
    code, out = call("merge", "plan", "--file", "pairs.csv", "--json")
    told = json.loads(out)
    assert (code, len(told["plan"]["merges"])) == (7, 1)
    assert "not readable" in told["refused"][0]["reason"]


@pytest.mark.proof
@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["plan"], "Name the clients to merge"),
        (["plan", "abc"], "KEPT:MERGED"),
        (["plan", "a:b:c"], "write the pair into a file"),
        (["close", "merge-nothing"], "no plan of merges"),
        (["plan", "a:b", "--allow", "everything"], "--allow takes currency"),
        (["show", "merge-nothing"], "no plan of merges"),
        (["sheet", "nothing.json"], "is not on this machine"),
    ],
)
def test_a_wrong_call_says_what_is_right(call, args, words):
    with pytest.raises(SettingsError) as refusal:
        call("merge", *args)
    assert words in str(refusal.value)

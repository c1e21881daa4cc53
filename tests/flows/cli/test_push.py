"""`ninja-sync push` as a person uses it: wish, plan, look, apply, undo; and what a wrong call says."""

from __future__ import annotations

import json
import stat

import pytest

from sandbox.server import running
from schemas.errors import NotVerified, SettingsError, StalePlan, WrongDigest
from tests.flows.conftest import Server


@pytest.fixture(scope="module")
def server():
    with running(clients=40, seed=5) as box:
        yield Server(box)


QUERY = "select id, 'VIP' as custom_value1 from mart.clients where status = 'active' order by balance desc limit 5"


def test_from_a_query_to_an_undo(call, server, tmp_path):
    call("pull")
    code, out = call("push", "plan", "--query", QUERY, "--reason", "the best", "--to", "plan.json", "--json")
    plan = json.loads(out)["plan"]
    assert (code, plan["reason"], [c["verb"] for c in plan["calls"]]) == (0, "the best", ["bulk_update"])
    kept = json.loads((tmp_path / "plan.json").read_text())
    assert (kept["digest"], len(kept["cells"])) == (plan["digest"], 5)
    assert stat.S_IMODE((tmp_path / "plan.json").stat().st_mode) == 0o600
    code, out = call("push", "show", plan["plan_id"])
    assert (code, "custom_value1" in out, "VIP" in out) == (0, True, True)
    assert plan["cells"][0]["id"] not in out  # clients are told by their names
    with pytest.raises(WrongDigest):
        call("push", "apply", plan["plan_id"], "--digest", "0123456789abcdef")
    code, out = call("push", "apply", plan["plan_id"], "--digest", plan["digest"], "--json")
    assert (code, json.loads(out)["counts"]) == (0, {"applied": 5})
    assert [c["custom_value1"] for c in server.clients().values()].count("VIP") == 5
    _, out = call("sql", "select count(*) as n from mart.clients where custom_value1 = 'VIP'", "--json")
    assert json.loads(out) == [{"n": 5}]
    code, out = call("push", "plan", "--query", QUERY, "--json")
    nothing = {"plan": None, "refused": [], "unchanged": 5, "blank_settings": {}, "understood": []}
    assert (code, json.loads(out)) == (0, nothing)
    _, out = call("push", "undo", plan["plan_id"], "--json")
    back = json.loads(out)["plan"]
    call("push", "apply", back["plan_id"], "--digest", back["digest"])
    assert [c["custom_value1"] for c in server.clients().values()].count("VIP") == 0
    _, out = call("push", "list", "--json")
    assert [(p["state"], p["applied"], p["undoes"]) for p in json.loads(out)] == [
        ("applied", 5, plan["plan_id"]), ("applied", 5, None),
    ]  # fmt: skip


def test_the_outbox_and_files(call, server, tmp_path):
    call("pull")
    first, second = list(server.clients(status="active"))[:2]
    call("push", "add", first, "custom_value3=wished", "--reason", "by mail")
    _, out = call("push", "plan", "--outbox", "--json")
    assert [(c["id"], c["after"]) for c in json.loads(out)["plan"]["cells"]] == [(first, "wished")]
    (tmp_path / "wishes.csv").write_text(f"id,custom_value3,country_id\n{second},filed,nowhere\n")
    code, out = call("push", "plan", "--file", "wishes.csv", "--json")
    told = json.loads(out)
    assert (code, [c["field"] for c in told["plan"]["cells"]]) == (7, ["custom_value3"])
    assert [(r["column"], r["place"]) for r in told["refused"]] == [("country_id", "line 2")]


def test_a_spreadsheet_as_european_excel_writes_it(call, server, tmp_path):
    whole = [
        c for c in server.clients(status="active").values() if c["country_id"] and c["settings"].get("currency_id")
    ]
    one, other = (c["id"] for c in whole[:2])
    numbers = [c["number"] for c in whole[:2]]
    assert all(number.startswith("0") for number in numbers)
    for client in (one, other):
        call("clients", "update", client, "--set", "postal_code=01234", "--yes")
    call("pull")
    short = [number.lstrip("0") for number in numbers]
    (tmp_path / "sheet.csv").write_bytes(
        "Number;City;Country;Postal Code;payment_terms\r\n"
        f"{short[0]};Z\xfcrich;Switzerland;1234;30\r\n{short[1]};NULL;Nowhere;1235;30,5\r\n".encode("cp1252")
    )
    code, out = call("push", "plan", "--file", "sheet.csv", "--json")
    told = json.loads(out)
    assert code == 7
    assert {(c["id"], c["field"]): c["after"] for c in told["plan"]["cells"]} == {
        (one, "city"): "Zürich", (one, "country_id"): "756", (one, "payment_terms"): "30",
        (other, "postal_code"): "1235",
    }  # fmt: skip
    assert {(r["place"], r["column"]): r["reason"].split(":")[0] for r in told["refused"]} == {
        ("line 2", "postal_code"): "lacks only the leading zeros of the present value, which spreadsheets drop",
        ("line 3", "city"): "says 'NULL'", ("line 3", "country_id"): "is not one of the server's countries",
        ("line 3", "payment_terms"): "is not a whole number",
    }  # fmt: skip
    assert {"The separator is a semicolon.", f"The number {short[0]} is read as {numbers[0]}."} <= set(
        told["understood"]
    )


def test_a_queued_change_is_listed_refused_alone_and_withdrawn(call, server):
    call("pull")
    one = next(iter(server.clients(status="active")))
    call("push", "add", one, "custom_value3=queued")
    code, out = call("push", "queue", "--json")
    (waiting,) = json.loads(out)
    assert (code, waiting["state"], waiting["column"], waiting["value"]) == (0, "waiting", "custom_value3", "queued")
    code, out = call("push", "queue")
    assert (code, waiting["change_id"][:8] in out) == (0, True)
    call("push", "withdraw", waiting["change_id"][:8])
    _, out = call("push", "queue", "--json")
    assert json.loads(out) == []


@pytest.mark.proof
def test_a_plan_that_nobody_wants_is_closed(call, server):
    call("pull")
    one = next(iter(server.clients(status="active")))
    _, out = call("push", "plan", "--query", f"select '{one}' as id, 'unwanted' as custom_value4", "--json")
    plan = json.loads(out)["plan"]
    code, out = call("push", "close", plan["plan_id"], "--json")
    assert (code, json.loads(out)["counts"]) == (0, {"not sent": 1})
    with pytest.raises(StalePlan, match="is ended"):
        call("push", "apply", plan["plan_id"], "--digest", plan["digest"])


@pytest.mark.proof
def test_a_plan_says_once_that_a_put_empties_blank_settings_and_an_undo_leaves_none_behind(call, server):
    call("pull")
    new = {"name": "Blank", "settings": {"currency_id": "1"}}
    path = f"/api/v1/clients/{server.call('POST', '/api/v1/clients', new)['data']['id']}"
    made = server.call("GET", path)["data"]
    assert made["settings"]["industry_id"] == ""
    query = f"select '{made['id']}' as id, 30 as payment_terms, 'Zug' as city"
    _, out = call("push", "plan", "--query", query, "--json")
    told = json.loads(out)
    assert told["blank_settings"] == {"industry_id": 1, "size_id": 1}
    plan = told["plan"]
    assert call("push", "apply", plan["plan_id"], "--digest", plan["digest"])[0] == 0
    _, out = call("push", "undo", plan["plan_id"], "--json")
    told = json.loads(out)
    assert told["blank_settings"] == {}
    call("push", "apply", told["plan"]["plan_id"], "--digest", told["plan"]["digest"])
    assert server.call("GET", path)["data"]["settings"] == {**made["settings"], "industry_id": None, "size_id": None}


@pytest.mark.proof
def test_what_is_not_as_planned_ends_with_code_4_and_is_shown(call, server):
    call("pull")
    one = next(iter(server.clients(status="active")))
    _, out = call("push", "plan", "--query", f"select '{one}' as id, 'mine' as custom_value4", "--json")
    plan = json.loads(out)["plan"]
    server.bulk("bulk_update", one, column="custom_value4", new_value="theirs")
    with pytest.raises(NotVerified, match=plan["plan_id"]):
        call("push", "apply", plan["plan_id"], "--digest", plan["digest"])
    assert NotVerified.exit_code == 4
    _, out = call("push", "show", plan["plan_id"])
    assert "conflict" in out
    assert "somebody has changed it" in out


@pytest.mark.proof
@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["plan"], "one of --query, --file and --outbox"),
        (["plan", "--query", "select 1 as id", "--outbox"], "one of --query"),
        (["plan", "--query", "select id, balance from mart.clients"], "balance cannot be written"),
        (["plan", "--query", "select id, city from mart.clients where false"], "There are no changes"),
        (["apply", "push-nothing", "--digest", "x"], "no plan 'push-nothing'"),
        (["add", "abc", "city"], "FIELD=VALUE"),
    ],
)
def test_a_wrong_call_says_what_is_right(call, args, words):
    if any("mart." in arg for arg in args):
        call("pull")
    with pytest.raises(SettingsError) as refusal:
        call("push", *args)
    assert words in str(refusal.value)

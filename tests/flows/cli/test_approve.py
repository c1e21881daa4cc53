"""`ninja-sync approve` as a person uses it: what waits, the plan, yes, what comes next; and what a wrong call says."""

from __future__ import annotations

import json
import os
import pty
import subprocess

import pytest

from flows.configuration.load import load_settings
from flows.session.ready import open_ready
from sandbox.server import running
from schemas.errors import SettingsError, StalePlan, TooMuchChange
from tests.flows.conftest import Server
from tests.forked import COMMAND
from tests.records import MOMENT
from warehouse.control.approvals import ask

RUN = "0190f0a2-7a5b-7c3d-8e4f-1a2b3c4d5e6f"


@pytest.fixture(scope="module")
def server():
    with running(clients=40, seed=5) as box:
        yield Server(box)


@pytest.fixture
def push(call):
    """Plan to write a value into so many clients; the plan."""

    def run(value, clients=2):
        of = "from mart.clients where status = 'active' order by id"
        query = f"select id, '{value}' as custom_value1 {of} limit {clients}"
        return json.loads(call("push", "plan", "--query", query, "--json")[1])["plan"]

    call("pull")
    return run


@pytest.fixture
def at_terminal(server, tmp_path):
    """Run the command with somebody at the terminal who types this: (exit code, standard output, standard error)."""

    def run(typed, *args):
        master, terminal = pty.openpty()
        os.write(master, typed)
        done = subprocess.run(
            [COMMAND, *args], stdin=terminal, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False
        )
        os.close(master)
        os.close(terminal)
        return done.returncode, done.stdout, done.stderr

    return run


def waiting(call, *args):
    return {one["plan_id"]: one for one in json.loads(call("approve", *args, "--json")[1])}


def test_from_a_plan_to_its_approval_and_application(call, push):
    plan = push("first")
    listed = waiting(call, "--source", "main")[plan["plan_id"]]
    assert (listed["kind"], listed["clients"], listed["digest"], listed["asked_by"]) == (
        "push",
        2,
        plan["digest"],
        None,
    )
    assert plan["digest"] in call("approve")[1]
    with pytest.raises(SettingsError, match="Add --yes"):
        call("approve", plan["digest"])
    assert plan["plan_id"] in waiting(call)
    code, out = call("approve", plan["digest"], "--yes", "--json")
    told = json.loads(out)
    assert (code, told["already"], told["brake"]) == (0, False, None)
    assert plan["plan_id"] not in waiting(call)
    again = json.loads(call("approve", plan["digest"], "--json")[1])
    assert again == {**told, "already": True}
    assert told["next"] == f"ninja-sync push apply {plan['plan_id']} --digest {plan['digest']}"
    assert call(*told["next"].split()[1:])[0] == 0
    with pytest.raises(StalePlan, match="is applied"):
        call("approve", plan["digest"], "--yes")


@pytest.mark.proof
def test_a_person_looks_at_the_plan_and_types_yes_and_the_run_goes_on(call, push, at_terminal):
    plan = push("second")
    with open_ready(load_settings(None)) as warehouse:
        ask(warehouse, "main", plan["plan_id"], plan["digest"], RUN, MOMENT)
    assert waiting(call)[plan["plan_id"]]["asked_by"] == RUN
    code, out, err = at_terminal(b"no\n", "approve", plan["digest"])
    assert (code, "second" in out, "Approved" in err) == (1, True, False)
    assert f"push show {plan['plan_id']} --json" in err
    assert plan["plan_id"] in waiting(call)
    code, out, err = at_terminal(b"yes\n", "approve", plan["digest"])
    assert (code, "second" in out, "Approved by" in err) == (0, True, True)
    assert f"The flow run {RUN} waits" in err
    assert f"ninja-sync approve {plan['digest']} --resume" in err
    code, out, err = at_terminal(b"", "approve", plan["digest"])
    assert (code, "Approved already, by" in err) == (0, True)


@pytest.mark.proof
def test_merges_are_approved_the_same_way(call, server):
    call("pull")
    made = {"settings": {"currency_id": "1"}, "contacts": [{"email": "a@m.test"}]}
    ids = [server.call("POST", "/api/v1/clients", {"name": n, **made})["data"]["id"] for n in ("Kept", "Twin")]
    plan = json.loads(call("merge", "plan", ":".join(ids), "--json")[1])["plan"]
    assert (waiting(call)[plan["plan_id"]]["kind"], waiting(call)[plan["plan_id"]]["clients"]) == ("merge", 2)
    code, out = call("approve", plan["digest"], "--yes")
    assert (code, ids[0] in out, ids[1] in out) == (0, True, True)
    told = json.loads(call("approve", plan["digest"], "--json")[1])
    assert told["next"] == f"ninja-sync merge apply {plan['plan_id']} --digest {plan['digest']}"


@pytest.mark.proof
def test_an_approval_lifts_no_brake_and_says_so(call, push, at_terminal):
    plan = push("many", clients=25)
    _, _, err = at_terminal(b"yes\n", "approve", plan["digest"])
    assert "does not lift the limit" in err
    assert "25 clients" in err
    assert "25 clients" in json.loads(call("approve", plan["digest"], "--json")[1])["brake"]
    with pytest.raises(TooMuchChange):
        call("push", "apply", plan["plan_id"], "--digest", plan["digest"])


@pytest.mark.proof
def test_nothing_waits_in_a_new_warehouse(call, at_terminal):
    call("pull")
    code, out, err = at_terminal(b"", "approve")
    assert (code, out, err) == (0, "", "No plan waits for an approval.\n")


@pytest.mark.proof
def test_a_wrong_call_says_what_is_right(call, push):
    plan = push("third")
    for args, words in (
        (["0123456789abcdef"], "No plan has the digest"),
        ([plan["digest"][:12]], "No plan has the digest"),
        ([plan["plan_id"]], "No plan has the digest"),
        (["--source", "nowhere"], "no source 'nowhere'"),
        (["--resume"], "Say which plan"),
        ([plan["digest"], "--resume"], "The plan is approved. No flow run waits for it"),
    ):
        with pytest.raises(SettingsError, match=words):
            call("approve", *args, "--yes")


@pytest.mark.proof
def test_a_plan_of_another_source_than_the_one_that_is_named_is_not_approved(call, push, tmp_path, server):
    plan = push("fourth")
    (tmp_path / "two.toml").write_text(
        f'warehouse = "{tmp_path}/w.duckdb"\n'
        + "".join(f'[sources.{n}]\nurl = "{server.box.url}"\n' for n in ("main", "other"))
    )
    args = ("--config", "two.toml", "--yes")
    os.environ.pop("NINJA_SYNC_URL")
    with pytest.raises(SettingsError, match="for the source 'main', not 'other'"):
        call("approve", plan["digest"], "--source", "other", *args)
    assert call("approve", plan["digest"], "--source", "main", *args)[0] == 0


@pytest.mark.proof
def test_two_people_who_approve_at_once_make_one_approval_and_only_one_is_said_to_have_given_it(push, tmp_path):
    plan = push("raced")
    command = [COMMAND, "approve", plan["digest"], "--yes", "--json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) for _ in range(2)]
    told = [json.loads(one.communicate(timeout=120)[0]) for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert sorted(one["already"] for one in told) == [False, True]
    assert told[0]["approved_at"] == told[1]["approved_at"]


def test_a_rejected_plan_is_said_so_and_shown_with_its_reason(call, push):
    plan = push("fifth")
    given = json.loads(call("approve", plan["digest"], "--comment", "looks right", "--yes", "--json")[1])
    assert given["comment"] == "looks right"
    with pytest.raises(SettingsError, match="Add --yes"):
        call("approve", plan["digest"], "--reject", "wrong list")
    code, out = call("approve", plan["digest"], "--reject", "wrong list", "--yes", "--json")
    told = json.loads(out)
    assert (code, told["plan_id"], told["comment"], told["asked_by"]) == (0, plan["plan_id"], "wrong list", None)
    assert plan["plan_id"] not in waiting(call)
    for args in (("approve", plan["digest"], "--yes"), ("push", "apply", plan["plan_id"], "--digest", plan["digest"])):
        with pytest.raises(StalePlan, match=f"was rejected by .*`ninja-sync push show {plan['plan_id']}` shows why"):
            call(*args)
    shown = json.loads(call("push", "show", plan["plan_id"], "--json")[1])
    assert (shown["state"], shown["rejection"]["comment"]) == ("rejected", "wrong list")
    assert shown["approval"]["comment"] == "looks right"
    assert [row["state"] for row in json.loads(call("push", "list", "--json")[1])] == ["rejected"]


@pytest.mark.proof
def test_a_person_sees_the_plan_before_its_rejection_and_the_reason_afterwards(call, push, at_terminal):
    plan = push("sixth")
    with open_ready(load_settings(None)) as warehouse:
        ask(warehouse, "main", plan["plan_id"], plan["digest"], RUN, MOMENT)
    code, out, err = at_terminal(b"no\n", "approve", plan["digest"], "--reject", "wrong list")
    assert (code, "sixth" in out, "Rejected" in err) == (1, True, False)
    code, out, err = at_terminal(b"yes\n", "approve", plan["digest"], "--reject", "wrong list")
    assert (code, f"The flow run {RUN} still waits" in err) == (0, True)
    code, out, err = at_terminal(b"", "push", "show", plan["plan_id"])
    assert (code, ": wrong list" in err) == (0, True)


@pytest.mark.proof
def test_a_wrong_rejection_says_what_is_right(call, push):
    plan = push("seventh")
    for args, words in (
        (["--reject", "no"], "Say which plan"),
        (["--comment", "yes"], "Say which plan"),
        ([plan["digest"], "--reject", " "], "Say why"),
        ([plan["digest"], "--reject", "no", "--comment", "yes"], "leave --comment out"),
        ([plan["digest"], "--reject", "no", "--resume"], "The plan is rejected. No flow run waits for it"),
    ):
        with pytest.raises(SettingsError, match=words):
            call("approve", *args, "--yes")


@pytest.mark.proof
def test_changes_of_a_rejected_plan_are_queued_again_by_command(call, push):
    query = "select id from mart.clients where status = 'active' order by id limit 1"
    (client,) = json.loads(call("sql", query, "--json")[1])
    call("push", "add", client["id"], "city=Bern")
    plan = json.loads(call("push", "plan", "--outbox", "--json")[1])["plan"]
    call("approve", plan["digest"], "--reject", "not yet", "--yes")
    (change,) = json.loads(call("push", "queue", "--json")[1])
    assert (change["state"], change["why"].partition(": ")[2]) == ("rejected", "not yet")
    call("push", "requeue", change["change_id"])
    (change,) = json.loads(call("push", "queue", "--json")[1])
    assert (change["state"], change["why"]) == ("waiting", "")

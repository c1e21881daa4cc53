"""Plans at the desk, against a real server: look, approve, reject, apply once, undo; and nothing against the rules."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from flows.configuration.values import Push
from flows.merge.plan import plan_merges
from flows.plans.applying import find_plan
from flows.push.plan import plan_push
from flows.push.wishes import WishedRow
from flows.session.door import open_door
from flows.session.ready import open_ready
from tests.engines import address
from tests.flows.desk.conftest import Visitor, answering, text_of
from warehouse.control.approvals import ask

HOSTILE = "<script>alert(1)</script>\u202e\"'" + "x" * 10_000


@pytest.fixture
def settings(settings, place):
    """Those of the other tests, on each engine."""
    return replace(settings, warehouse=address(place))


@pytest.fixture
def chosen(server):
    """Two active clients of the server."""
    return [one for one in server.clients().values() if not one["is_deleted"] and not one["archived_at"]][:2]


@pytest.fixture
def planned(settings, opened, chosen):
    """Make a plan that sets the town of both clients."""

    def run(town="Zug", *, using=settings, reason="", clients=chosen):
        rows = [WishedRow(f"row {n}", "id", one["id"], {"city": f"{town} {n}"}) for n, one in enumerate(clients)]
        with open_door(using, "main") as door:
            return plan_push(using, "main", door, rows, reason=reason).plan

    return run


def towns(server, chosen):
    there = server.clients()
    return [there[one["id"]]["city"] for one in chosen]


def send(visitor, plan, what, status=200, **more):
    return visitor.post(f"/plans/{plan.plan_id}/{what}", {"digest": plan.digest, **more}, status=status)


def state_of(settings, plan):
    return find_plan(settings, "push", plan.plan_id).state


def test_a_plan_is_looked_at_approved_and_applied_and_the_server_has_the_values(
    visitor, settings, server, chosen, planned
):
    plan = planned(reason="moved")
    listed = visitor.get("/plans")
    assert plan.plan_id in listed.text
    assert "ready" in text_of(listed)
    shown = text_of(visitor.get(f"/plans/{plan.plan_id}"))
    for word in (chosen[0]["number"], chosen[1]["display_name"], "Zug 0", "Zug 1", "moved", "in 23 hours"):
        assert word in shown
    approved = text_of(send(visitor, plan, "approve", decision="approve", comment="as agreed"))
    assert f"The plan {plan.plan_id} is approved by Anna@" in approved
    assert "as agreed" in approved
    done = text_of(send(visitor, plan, "apply"))
    assert f"{plan.plan_id}: 2 applied." in done
    assert towns(server, chosen) == ["Zug 0", "Zug 1"]
    with open_ready(settings) as warehouse:
        people = {str(by).partition("@")[0] for (by,) in warehouse.rows("select operator from control.journal")}
    assert people == {"Anna"}


def test_a_second_click_on_apply_sends_nothing(visitor, server, chosen, planned):
    plan = planned()
    send(visitor, plan, "apply")
    server.requests()
    again = text_of(send(visitor, plan, "apply"))
    assert "was not applied again: it is applied" in again
    assert [one for one in server.requests() if not one.startswith("GET")] == []


def test_a_rejected_plan_is_not_applied_and_its_reason_is_shown_as_text(visitor, settings, server, chosen, planned):
    plan = planned()
    with open_ready(settings) as warehouse:
        warehouse.execute("update ninja.clients set display_name = $name", {"name": HOSTILE})
    before = towns(server, chosen)
    page = send(visitor, plan, "approve", decision="reject", comment="<b>wrong</b>\u202e town")
    assert "&lt;b&gt;wrong&lt;/b&gt;" in page.text
    assert "\u202e" not in page.text
    assert "<script>" not in page.text
    assert "x" * 301 not in page.text
    assert "Rejected by Anna@" in text_of(page)
    assert state_of(settings, plan) == "rejected"
    assert "it is rejected" in text_of(send(visitor, plan, "apply"))
    assert "was rejected by Anna@" in text_of(send(visitor, plan, "approve", status=409, decision="approve"))
    assert "is rejected: there is nothing to close" in text_of(send(visitor, plan, "close", status=409))
    assert "was rejected by" in text_of(send(visitor, plan, "resume", status=409))
    assert towns(server, chosen) == before
    assert plan.plan_id in visitor.get("/plans").text


def test_a_rejection_without_a_reason_is_refused(visitor, settings, planned):
    plan = planned()
    assert "Say why" in text_of(send(visitor, plan, "approve", status=400, decision="reject", comment=" "))
    assert "Choose whether" in text_of(send(visitor, plan, "approve", status=400))
    assert state_of(settings, plan) == "planned"


@pytest.mark.parametrize("what", ["apply", "approve", "resume"])
def test_another_digest_than_that_of_the_page_does_nothing(visitor, settings, server, chosen, planned, what):
    plan, before = planned(), towns(server, chosen)
    more = {"digest": "0" * 16, "decision": "approve"}
    refused = visitor.post(f"/plans/{plan.plan_id}/{what}", more, status=409)
    assert "has changed since this page showed it" in text_of(refused)
    assert (state_of(settings, plan), towns(server, chosen)) == ("planned", before)


def test_an_expired_plan_offers_no_way_to_apply_it(visitor, settings, server, chosen, planned):
    plan, before = planned(), towns(server, chosen)
    with open_ready(settings) as warehouse:
        warehouse.execute("update control.plans set expires_at = made_at")
    page = visitor.get(f"/plans/{plan.plan_id}")
    assert "expired" in text_of(page)
    assert f"/plans/{plan.plan_id}/apply" not in page.text
    assert "it is expired" in text_of(send(visitor, plan, "apply"))
    assert towns(server, chosen) == before
    closed = text_of(send(visitor, plan, "close"))
    assert "is closed" in closed


def test_a_colleagues_change_is_left_alone_and_shown_with_its_present_value(visitor, server, chosen, planned):
    plan = planned()
    server.edit(server.clients()[chosen[0]["id"]], city="Chur")
    page = send(visitor, plan, "apply")
    told = text_of(page)
    assert "1 applied" in told
    assert "1 conflict" in told
    assert "Chur" in told
    assert towns(server, chosen) == ["Chur", "Zug 1"]
    only = visitor.get(f"/plans/{plan.plan_id}?outcome=conflict")
    assert chosen[0]["number"] in text_of(only)
    assert "Zug 1" not in text_of(only)


def test_more_clients_than_allowed_are_sent_only_after_their_number_is_typed(settings, server, chosen, planned):
    strict = replace(settings, push=Push(at_least=1, most_clients=1))
    plan, before = planned(using=strict), towns(server, chosen)
    with answering(strict) as opened:
        visitor = Visitor(opened)
        page = text_of(visitor.get(f"/plans/{plan.plan_id}"))
        assert "changes 2 clients" in page
        assert "at most 1" in page
        for typed in ("", "3", "two"):
            asked = text_of(send(visitor, plan, "apply", status=400, clients=typed))
            assert "Type the number of clients, 2" in asked
        assert towns(server, chosen) == before
        send(visitor, plan, "apply", clients=" 2 ")
    assert towns(server, chosen) == ["Zug 0", "Zug 1"]


def test_an_applied_plan_is_undone_by_another_plan(visitor, server, chosen, planned):
    before = towns(server, chosen)
    plan = planned()
    send(visitor, plan, "apply")
    page = send(visitor, plan, "undo", reason="a mistake")
    found = re.search(r"/plans/(push-\d+-[0-9a-f]+)/apply", page.text)
    undo = found.group(1)
    assert undo != plan.plan_id
    assert plan.plan_id in text_of(page)
    digest = re.search(r'name="digest" value="(\w+)"', page.text).group(1)
    visitor.post(f"/plans/{undo}/apply", {"digest": digest})
    assert towns(server, chosen) == before
    assert undo in visitor.get(f"/plans/{plan.plan_id}").text


def test_a_blank_that_nobody_can_put_back_is_named_before_and_the_undo_names_the_client(visitor, settings, server):
    bare = next(
        one for one in server.clients(status="active").values()
        if one["country_id"] and not one["settings"].get("currency_id")
    )  # fmt: skip
    rows = [WishedRow("row 1", "id", bare["id"], {"currency_id": "1", "city": "Zug"})]
    with open_door(settings, "main") as door:
        plan = plan_push(settings, "main", door, rows).plan
    words = "1 value: empty before, and Invoice Ninja cannot empty it again"
    assert words in text_of(visitor.get(f"/plans/{plan.plan_id}"))
    assert words in text_of(send(visitor, plan, "apply"))
    undo = text_of(send(visitor, plan, "undo"))
    assert "1 change that cannot be written" in undo
    assert bare["id"] not in undo
    refused = undo.partition("1 change that cannot be written")[2].partition("cannot be emptied")[0]
    assert "Where" not in refused
    assert " ".join(filter(None, (bare["number"], bare["display_name"]))) in refused


def test_an_answer_is_kept_if_the_run_that_asked_cannot_be_resumed(visitor, settings, planned, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    plan = planned()
    with open_ready(settings) as warehouse:
        ask(warehouse, "main", plan.plan_id, plan.digest, "0190f0a2-7a5b-7c3d-8e4f-1a2b3c4d5e6f", plan.made_at)
    assert "waits for approval" in text_of(visitor.get("/plans"))
    page = text_of(send(visitor, plan, "approve", decision="approve"))
    assert "The plan is approved, but its run was not resumed." in page
    assert "Approved by Anna@" in page


def test_merges_are_approved_and_rejected_on_their_own_page(visitor, settings, server):
    made = {"settings": {"currency_id": "1"}, "contacts": [{"email": "a@m.test"}]}
    ids = [server.call("POST", "/api/v1/clients", {"name": name, **made})["data"]["id"] for name in ("Kept", "Twin")]
    with open_door(settings, "main") as door:
        plan = plan_merges(settings, "main", door, [tuple(ids)]).plan
    assert f"/merges/{plan.plan_id}" in visitor.get("/plans").text
    page = visitor.get(f"/plans/{plan.plan_id}")
    assert page.url.path == f"/merges/{plan.plan_id}"
    assert f"/plans/{plan.plan_id}/approve" in page.text
    approved = send(visitor, plan, "approve", decision="approve", comment="the same firm")
    assert "the same firm" in text_of(approved)
    rejected = send(visitor, plan, "approve", decision="reject", comment="two firms after all")
    assert rejected.url.path == f"/merges/{plan.plan_id}"
    assert "two firms after all" in text_of(rejected)
    assert f"/plans/{plan.plan_id}/approve" not in rejected.text
    assert f"/merges/{plan.plan_id}/merge" not in rejected.text


def test_a_desk_for_reading_shows_plans_and_changes_none(settings, server, chosen, planned):
    plan = planned()
    with answering(settings, read_only=True) as opened:
        visitor = Visitor(opened)
        page = visitor.get(f"/plans/{plan.plan_id}")
        assert "Zug 0" in text_of(page)
        assert '<form method="post" action="/plans' not in page.text
        for what in ("apply", "approve", "resume", "close", "undo"):
            send(visitor, plan, what, status=403, decision="approve")
    assert state_of(settings, plan) == "planned"


@pytest.mark.parametrize(
    "path", ["/plans/push-none", "/plans/%3Cscript%3E", "/plans?page=99999", "/plans?page=-1", "/plans?page=%D9%A3"]
)
def test_addresses_that_lead_nowhere_are_answered(visitor, path):
    answer = visitor.http.get(path)
    assert answer.status_code == (400 if "page=" not in path else 200)
    assert "<script>" not in answer.text

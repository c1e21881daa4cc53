"""What others do between a plan of merges, its calls and its resumption: nothing of theirs is overwritten or lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flows.merge.apply import resume_merges
from flows.session.clock import Clock
from flows.session.ready import open_ready
from schemas.errors import NotVerified, StalePlan
from tests.flows.push.conftest import Killed
from warehouse.engine.sql import statement

ANN = {"first_name": "Ann", "email": "ann@m.test", "phone": "1", "send_email": True}
BOB = {"first_name": "Bob", "email": "bob@m.test", "phone": "5"}
CUT = {"on": "PUT /clients/*", "do": "status", "status": 503, "times": 500}


def stopped_behind_the_rescue(desk, planned):
    """The password that was good a moment ago is not accepted any more when the merge is sent."""
    desk.box.switch(faults=[{"on": "POST /clients/*/*/merge", "do": "status", "status": 412, "times": 1}])
    applied = desk.apply(planned)
    desk.box.switch(faults=[])
    assert (desk.merges() > 0, applied.stopped is not None) == (True, True)


def put(desk, one, **values):
    desk.box.call("PUT", f"/api/v1/clients/{one['id']}", {"settings": one["settings"], **values})


def contacts(desk, one):
    return [{k: c[k] for k in ("id", "first_name", "email")} for c in desk.box.show(one["id"])["contacts"]]


def names(desk, one):
    return {c["first_name"] for c in desk.box.show(one["id"])["contacts"]}


@pytest.mark.parametrize(
    ("of_survivor", "values"),
    [
        (True, {"private_notes": "mine\nIBAN changed"}),
        (True, {"phone": "999"}),
        (True, {"vat_number": "DE999"}),
        (False, {"private_notes": "theirs and more"}),
    ],
)
def test_what_was_written_after_the_plan_stops_the_merge(desk, of_survivor, values):
    one = desk.make("One", private_notes="mine")
    other = desk.make("Two", private_notes="theirs", phone="111", vat_number="CHE1")
    planned = desk.plan((one["id"], other["id"]))
    moved = one if of_survivor else other
    put(desk, moved, **values)
    applied = desk.apply(planned)
    assert isinstance(applied.stopped, StalePlan)
    assert desk.there(other["id"])
    assert {name: desk.box.show(moved["id"])[name] for name in values} == values
    again = desk.plan((one["id"], other["id"]), allowed={"tax"})
    assert list(desk.apply(again).states) == ["done"]


@pytest.mark.proof
def test_a_resumed_merge_looks_at_the_survivor_again(desk):
    one, other = desk.make("One", "10"), desk.make("Two", "5", contacts=[BOB], city="Zug")
    planned = desk.plan((one["id"], other["id"]))
    stopped_behind_the_rescue(desk, planned)
    desk.box.balances(one, balance="9999")
    assert isinstance(desk.resume(planned).stopped, StalePlan)
    assert desk.there(other["id"])


@pytest.mark.proof
def test_a_resumed_merge_looks_at_the_contacts_again(desk):
    one, other = desk.make("One", contacts=[ANN]), desk.make("Two", contacts=[BOB], city="Zug")
    planned = desk.plan((one["id"], other["id"]))
    stopped_behind_the_rescue(desk, planned)
    put(desk, other, contacts=[*contacts(desk, other), {"first_name": "Nomail", "phone": "77"}])
    assert isinstance(desk.resume(planned).stopped, StalePlan)
    assert desk.there(other["id"])


@pytest.mark.proof
def test_a_resumed_rescue_keeps_what_was_written_meanwhile(desk):
    one, other = desk.make("One", private_notes="mine"), desk.make("Two", private_notes="theirs")
    planned = desk.plan((one["id"], other["id"]))
    desk.box.switch(faults=[CUT])
    desk.apply(planned)
    desk.box.switch(faults=[])
    put(desk, one, private_notes="mine\nIBAN changed")
    assert isinstance(desk.resume(planned).stopped, StalePlan)
    assert desk.box.show(one["id"])["private_notes"] == "mine\nIBAN changed"


@pytest.mark.proof
def test_the_second_merge_into_a_survivor_keeps_what_was_written_between(desk):
    one, two, three = (desk.make(name, private_notes=name) for name in ("A", "B", "C"))
    planned = desk.plan((one["id"], two["id"]), (one["id"], three["id"]))

    def cut(_number, request):
        if request.url.path.endswith("/merge"):
            desk.box.switch(faults=[CUT])
        return False

    desk.wire.reset(cut)
    desk.apply(planned)
    desk.box.switch(faults=[])
    desk.wire.reset()
    put(desk, one, private_notes=desk.box.show(one["id"])["private_notes"] + "\nIBAN changed")
    assert isinstance(desk.resume(planned).stopped, StalePlan)
    assert desk.box.show(one["id"])["private_notes"].endswith("IBAN changed")


@pytest.mark.proof
def test_a_contact_that_is_dropped_against_the_preview_is_told(desk):
    one, other = desk.make("One", contacts=[ANN]), desk.make("Two", contacts=[BOB])
    planned = desk.plan((one["id"], other["id"]))
    seen: list[bool] = []

    def same_address(_number, request):
        if request.url.path.endswith("/merge") and not seen:
            seen.append(True)
            put(desk, one, contacts=[*contacts(desk, one), {"first_name": "Robert", "email": "bob@m.test"}])
        return False

    desk.wire.reset(same_address)
    applied = desk.apply(planned)
    assert isinstance(applied.stopped, NotVerified)
    assert other["contacts"][0]["id"] in str(applied.stopped)
    assert "Bob" not in names(desk, one)
    desk.wire.reset()
    assert list(desk.resume(planned).states) == ["done"]


@pytest.mark.proof
def test_a_push_waits_for_merges_that_were_cut_off(desk):
    one, other = desk.make("One", "10"), desk.make("Two", "5", contacts=[BOB], city="Zug")
    planned = desk.plan((one["id"], other["id"]))
    push = desk.desk.plan((one["id"], {"private_notes": "pushed"}))
    stopped_behind_the_rescue(desk, planned)
    with pytest.raises(StalePlan, match="resume or close it first"):
        desk.desk.apply(push)


@pytest.mark.proof
def test_the_backup_is_known_after_a_kill(desk):
    one, other = desk.make("One", "10"), desk.make("Two", "5")
    planned = desk.plan((one["id"], other["id"]))
    desk.wire.reset(lambda _n, request: request.url.path.endswith("/merge"), after=True)
    with pytest.raises(Killed):
        desk.apply(planned)
    desk.wire.reset()
    assert desk.resume(planned).backups[0] is not None


@pytest.mark.proof
def test_what_was_not_sent_in_time_is_not_sent_by_resuming(desk):
    one, other = desk.make("One", "10"), desk.make("Two", "5", city="Zug")
    planned = desk.plan((one["id"], other["id"]))
    stopped_behind_the_rescue(desk, planned)
    late = Clock(now=lambda: planned.plan.made_at + timedelta(days=300))
    password = desk._reader("")
    ended = resume_merges(
        desk.desk.settings, desk.desk.door(), planned.plan.plan_id, password, pulls=False, sleep=lambda _: None,
        clock=late,
    )  # fmt: skip
    assert "expired" in str(ended.stopped)
    assert desk.there(other["id"])


@pytest.mark.proof
def test_another_version_of_the_server_is_not_merged_at(desk, monkeypatch):
    one, other = desk.make("One", "10"), desk.make("Two", "5", city="Zug")
    planned, begun = (desk.plan((one["id"], other["id"])) for _ in range(2))
    stopped_behind_the_rescue(desk, begun)
    real = desk.wire.inner.handle_request

    def upgraded(request):
        answer = real(request)
        answer.headers["X-APP-VERSION"] = "9.9.9"
        return answer

    monkeypatch.setattr(desk.wire.inner, "handle_request", upgraded)
    with pytest.raises(StalePlan, match=r"9\.9\.9"):
        desk.apply(planned)
    assert "9.9.9" in str(desk.resume(begun).stopped)
    assert desk.there(other["id"])


@pytest.mark.proof
def test_an_erased_client_is_in_no_step_of_its_chain(desk):
    one, two, three = desk.make("Mr Secret", private_notes="hiv positive"), desk.make("B"), desk.make("C")
    planned = desk.plan((two["id"], one["id"]), (three["id"], two["id"]))
    with open_ready(desk.desk.settings) as warehouse:
        warehouse.execute(statement("erase/merge_steps"), {"source": "main", "id": one["id"]})
        told = "select told from control.merge_steps where plan_id = $plan_id"
        left = str(warehouse.rows(told, {"plan_id": planned.plan.plan_id}))
    assert "hiv" not in left
    assert "Secret" not in left


@pytest.mark.proof
def test_a_plan_with_an_erased_step_is_not_resumed_but_closed(desk):
    made = [desk.make(name, "1", city=name, contacts=[BOB]) for name in "ABCD"]
    planned = desk.plan((made[0]["id"], made[1]["id"]), (made[2]["id"], made[3]["id"]))
    done = [0]

    def cut(_number, request):
        done[0] += request.url.path.endswith("/merge")
        if done[0] == 2:
            desk.box.switch(faults=[{**CUT, "on": "PUT /clients/*"}, {**CUT, "on": "POST /clients/*/*/merge"}])
        return False

    desk.wire.reset(cut)
    assert desk.apply(planned).states[0] == "done"
    desk.box.switch(faults=[])
    desk.wire.reset()
    with open_ready(desk.desk.settings) as warehouse:
        gone = {"source": "main", "id": planned.plan.steps[0].survivor_id}
        warehouse.execute(statement("erase/merge_steps"), gone)
    left = planned.plan.steps[1]
    with pytest.raises(StalePlan, match=f"merge close {planned.plan.plan_id}"):
        desk.resume(planned)
    assert (desk.wire.writes(), desk.there(left.mergeable_id)) == ([], True)
    desk.close(planned)
    assert list(desk.apply(desk.plan((left.survivor_id, left.mergeable_id))).states) == ["done"]

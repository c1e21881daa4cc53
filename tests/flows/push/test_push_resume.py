"""A plan that was cut off sends only what was approved, while it may be sent; what was sent is settled all the same."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from flows.push.apply import close_plan, resume_plan
from flows.push.plan import plan_push
from flows.push.undo import add_wishes, undo_plan
from flows.session.clock import SYSTEM_CLOCK
from flows.session.ready import open_ready
from schemas.errors import StalePlan, UnsafePlan, WrongDigest
from tests.flows.push.conftest import Killed, is_write

UNREACHABLE = {"on": "GET /clients*", "do": "status", "status": 503, "times": 500}


@pytest.fixture(autouse=True)
def calm(box):
    yield
    box.switch(faults=[])


@pytest.fixture
def cut(desk, box):
    """A plan of two clients that was killed behind its first write; the clients in the order of its calls."""
    made = [box.make(f"Cut {n}", settings={"currency_id": "1"}, city="Bern") for n in range(2)]
    planned = desk.plan(*((one["id"], {"city": "Zug"}) for one in made))
    desk.wire.reset(lambda _n, request: is_write(request), after=True)
    with pytest.raises(Killed):
        desk.apply(planned)
    desk.wire.reset()
    return planned, planned.plan.client_ids


def state(desk, plan):
    ((found,),) = desk.query("select state from control.plans where plan_id = $id", id=plan.plan_id)
    return found


def test_a_value_that_was_altered_after_the_kill_is_not_sent(desk, box, cut):
    planned, (first, second) = cut
    with open_ready(desk.settings) as warehouse:
        warehouse.execute("update control.plan_cells set after = cast('\"Worse\"' as json)")
    ended = desk.resume(planned)
    assert isinstance(ended.stopped, StalePlan)
    assert "has changed since it was made" in str(ended.stopped)
    assert ended.counts == {"applied": 1, "not sent": 1}
    assert desk.wire.writes() == []
    assert [box.show(one)["city"] for one in (first, second)] == ["Zug", "Bern"]
    assert state(desk, planned.plan) == "ended"
    other = desk.plan((second, {"phone": "7"}))
    assert desk.apply(other).as_planned  # the ended plan keeps nobody waiting


def test_a_plan_that_expired_after_the_kill_is_settled_and_ended_and_what_it_did_can_be_undone(desk, box, cut):
    planned, (first, second) = cut
    late = replace(SYSTEM_CLOCK, now=lambda: planned.plan.expires_at + timedelta(days=30))
    ended = resume_plan(desk.settings, desk.door(), planned.plan.plan_id, pulls=False, clock=late)
    assert "has expired" in str(ended.stopped)
    assert (ended.counts, desk.wire.writes()) == ({"applied": 1, "not sent": 1}, [])
    assert [box.show(one)["city"] for one in (first, second)] == ["Zug", "Bern"]
    with pytest.raises(StalePlan, match="nothing to resume"):
        desk.resume(planned)
    assert desk.apply(undo_plan(desk.settings, desk.door(), planned.plan.plan_id)).as_planned
    assert box.show(first)["city"] == "Bern"


@pytest.mark.proof
def test_a_digest_that_is_given_is_checked(desk, box, cut):
    planned, (_, second) = cut
    with pytest.raises(WrongDigest):
        resume_plan(desk.settings, desk.door(), planned.plan.plan_id, "0" * 16, pulls=False)
    assert box.show(second)["city"] == "Bern"
    resume_plan(desk.settings, desk.door(), planned.plan.plan_id, planned.plan.digest, pulls=False)
    assert box.show(second)["city"] == "Zug"


@pytest.mark.proof
def test_a_person_closes_a_plan_whose_call_is_settled_and_nothing_more_is_sent(desk, box):
    made = [box.make(f"Closed {n}", settings={"currency_id": "1"}, city="Bern") for n in range(2)]
    planned = desk.plan(*((one["id"], {"city": "Zug"}) for one in made))

    def fail(_number, request):
        if is_write(request):
            box.switch(faults=[{"on": "PUT /clients/*", "do": "reset", "after_bytes": 0}, UNREACHABLE])
        return False

    desk.wire.reset(fail)
    assert desk.apply(planned).stopped is not None
    with pytest.raises(UnsafePlan, match="journal settle"):
        close_plan(desk.settings, planned.plan.plan_id)
    box.switch(faults=[])
    desk.wire.reset(lambda number, _request: number > 4)  # settled, and killed before it goes on
    with pytest.raises(Killed):
        desk.resume(planned)
    desk.wire.reset()
    closed = close_plan(desk.settings, planned.plan.plan_id)
    assert (desk.wire.sent, sum(closed.counts.values())) == ([], 2)
    assert state(desk, planned.plan) == "ended"
    with pytest.raises(StalePlan, match="nothing to close"):
        close_plan(desk.settings, planned.plan.plan_id)


def test_a_closed_plan_that_sent_nothing_is_not_as_planned(desk, box):
    planned = desk.plan((box.make("Unsent")["id"], {"city": "Zug"}))
    closed = close_plan(desk.settings, planned.plan.plan_id)
    assert (closed.counts, closed.as_planned) == ({"not sent": 1}, False)


@pytest.mark.proof
def test_what_a_closed_plan_did_not_send_is_free_for_the_next_plan_of_the_outbox(desk, box):
    one = box.make("Queued")
    add_wishes(desk.settings, "main", desk.door(), one["id"], {"custom_value1": "asked"}, reason="")
    planned = plan_push(desk.settings, "main", desk.door(), None)
    close_plan(desk.settings, planned.plan.plan_id)
    again = plan_push(desk.settings, "main", desk.door(), None)
    assert [cell.after for cell in again.plan.cells] == ["asked"]
    assert desk.apply(again).as_planned
    assert plan_push(desk.settings, "main", desk.door(), None).plan is None


@pytest.mark.proof
def test_a_value_that_was_refused_and_that_somebody_sets_by_hand_is_theirs(desk, box):
    made = [box.make(f"Refused {n}", settings={"currency_id": "1"}, city="Bern") for n in range(2)]
    planned = desk.plan(*((one["id"], {"city": "Zug"}) for one in made))
    first, second = planned.plan.client_ids
    box.switch(faults=[{"on": "PUT /clients/*", "do": "status", "status": 403}])
    desk.wire.reset(lambda _n, request: is_write(request) and request.url.path.endswith(second))
    with pytest.raises(Killed):
        desk.apply(planned)
    box.switch(faults=[])
    desk.wire.reset()
    box.call("PUT", f"/api/v1/clients/{first}", {"city": "Zug", "settings": made[0]["settings"]})
    resumed = desk.resume(planned)
    assert {one.client_id: one.outcome.value for one in resumed.outcomes} == {
        first: "there already", second: "applied",
    }  # fmt: skip
    assert undo_plan(desk.settings, desk.door(), planned.plan.plan_id).plan.client_ids == [second]

"""What others, the server or a kill do between a plan and its calls: told as it is; theirs is not overwritten."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from flows.push.plan import plan_push
from flows.push.undo import add_wishes, undo_plan
from flows.push.wishes import WishedRow
from flows.session.clock import Clock
from schemas.errors import StalePlan
from tests.flows.push.conftest import Killed, is_write

UNREACHABLE = {"on": "GET /clients*", "do": "status", "status": 503, "times": 500}


@pytest.fixture(autouse=True)
def calm(box):
    box.switch(faults=[])
    yield
    box.switch(faults=[])


def outcomes(applied):
    return {(one.client_id, one.column): one.outcome.value for one in applied.outcomes}


def client(box, name, **values):
    return box.make(name, settings={"currency_id": "1"}, **values)


def put(box, one, **values):
    box.call("PUT", f"/api/v1/clients/{one['id']}", {"settings": one["settings"], **values})


def stamp(box, one, at):
    box.call("POST", f"/_sandbox/clients/{one['id']}/stamp", {"updated_at": at})


def restore(box):
    """All stamps as they were yesterday."""
    for one in box.call("GET", "/api/v1/clients?per_page=500")["data"]:
        stamp(box, one, time.time() - 86400)


def test_a_put_gives_no_country_that_went_after_the_plan(desk, box):
    one = client(box, "One", country_id="276")
    planned = desk.plan((one["id"], {"city": "Zug"}))
    box.bulk("bulk_update", one["id"], column="country_id", new_value="")
    desk.apply(planned)
    assert not box.show(one["id"])["country_id"]


@pytest.mark.proof
def test_whose_number_it_is_says_the_server(desk, box):
    one, other = client(box, "One"), client(box, "Other")
    desk.pull()
    put(box, one, number=f"{one['number']}-was")
    put(box, other, number=one["number"])
    row = WishedRow("row 1", "number", one["number"], {"custom_value1": "VIP"})
    planned = plan_push(desk.settings, "main", desk.door(), [row])
    assert planned.plan is None or planned.plan.client_ids != [one["id"]]


@pytest.mark.proof
def test_a_call_that_nobody_can_ask_about_is_not_told_as_unsent(desk, box):
    made = [client(box, f"C{n}") for n in range(3)]
    planned = desk.plan(*((one["id"], {"custom_value1": "x"}) for one in made))

    def cut(_number, request):
        if is_write(request):
            box.switch(faults=[{"on": "POST /clients/bulk", "do": "reset", "after_bytes": 0}, UNREACHABLE])
        return False

    desk.wire.reset(cut)
    applied = desk.apply(planned)
    assert applied.stopped is not None
    assert "not sent" not in applied.counts


@pytest.mark.proof
def test_what_was_done_of_a_halved_bulk_is_told(desk, box):
    made = [client(box, f"C{n}") for n in range(4)]
    planned = desk.plan(*((one["id"], {"custom_value1": "x"}) for one in made))
    ids = [cell.client_id for cell in planned.plan.cells]
    box.call("POST", f"/api/v1/clients/{ids[3]}/purge")
    box.switch(faults=[{"on": "POST /clients/bulk", "do": "status", "status": 503, "nth": 3, "times": 500}])
    applied = desk.apply(planned)
    box.switch(faults=[])
    assert applied.counts.get("applied", 0) == sum(box.show(one)["custom_value1"] == "x" for one in ids[:3])


@pytest.mark.proof
def test_a_change_that_the_server_ends_late_is_ours_and_is_undone(desk, box):
    one = client(box, "One", custom_value1="old")
    planned = desk.plan((one["id"], {"custom_value1": "new"}))
    desk.wire.reset(lambda _n, request: is_write(request))
    with pytest.raises(Killed):
        desk.apply(planned)
    ended: list[bool] = []

    def end_it(_number, request):
        if not ended and request.url.path.endswith("/clients"):
            ended.append(True)
            box.bulk("bulk_update", one["id"], column="custom_value1", new_value="new")
        return False

    desk.wire.reset(end_it)
    assert outcomes(desk.resume(planned)) == {(one["id"], "custom_value1"): "applied"}
    assert undo_plan(desk.settings, desk.door(), planned.plan.plan_id).plan is not None


@pytest.mark.proof
def test_a_restored_server_is_seen_by_its_values(desk, box):
    one, other = client(box, "One", custom_value1="B"), client(box, "Two")
    planned = desk.plan((one["id"], {"custom_value1": "C"}), (other["id"], {"custom_value2": "C"}))
    box.bulk("bulk_update", one["id"], column="custom_value1", new_value="A")
    restore(box)
    applied = desk.apply(planned)
    assert outcomes(applied) == {(one["id"], "custom_value1"): "conflict", (other["id"], "custom_value2"): "applied"}
    assert box.show(one["id"])["custom_value1"] == "A"


@pytest.mark.proof
def test_a_plan_is_sound_although_the_newest_client_is_purged(desk, box):
    one, newest = client(box, "One"), client(box, "Newest")
    stamp(box, newest, time.time() + 5)
    planned = desk.plan((one["id"], {"custom_value1": "C"}))
    box.call("POST", f"/api/v1/clients/{newest['id']}/purge")
    assert desk.apply(planned).as_planned


@pytest.mark.proof
def test_a_wish_that_is_true_already_does_not_wait_for_months(desk, box):
    one = client(box, "One", custom_value1="VIP")
    add_wishes(desk.settings, "main", desk.door(), one["id"], {"custom_value1": "VIP"}, reason="")
    first = plan_push(desk.settings, "main", desk.door(), None)
    assert (first.plan, first.unchanged) == (None, 1)
    box.bulk("bulk_update", one["id"], column="custom_value1", new_value="gold")
    assert plan_push(desk.settings, "main", desk.door(), None).plan is None


@pytest.mark.proof
def test_a_wish_written_while_planning_is_not_lost(desk, box):
    one, other = client(box, "One"), client(box, "Two")
    add_wishes(desk.settings, "main", desk.door(), one["id"], {"custom_value1": "x"}, reason="")
    slow, door, added = Clock(now=lambda: datetime.now(UTC) - timedelta(seconds=5)), desk.door(), []

    def add(_number, request):
        if not added and request.url.path.endswith("/clients"):
            added.append(True)
            add_wishes(desk.settings, "main", door, other["id"], {"custom_value1": "y"}, reason="", clock=slow)
        return False

    desk.wire.reset(add)
    first = plan_push(desk.settings, "main", desk.door(), None)
    desk.wire.reset()
    second = plan_push(desk.settings, "main", desk.door(), None)
    assert [first.plan.client_ids, second.plan.client_ids] == [[one["id"]], [other["id"]]]


@pytest.mark.proof
def test_a_plan_that_stopped_is_no_dead_end(desk, box):
    made = [client(box, f"C{n}") for n in range(6)]
    planned = desk.plan(*((one["id"], {"city": "Zug"}) for one in made))
    box.switch(faults=[{"on": "GET /clients/*", "do": "status", "status": 503, "times": 500}])
    assert desk.apply(planned).stopped is not None
    box.switch(faults=[])
    for one in made[:5]:
        put(box, one, city="Genf")
    other = desk.plan((made[5]["id"], {"phone": "7"}))
    with pytest.raises(StalePlan, match="resume or close it first"):
        desk.apply(other)
    desk.resume(planned)
    assert desk.apply(other).as_planned


@pytest.mark.proof
@pytest.mark.parametrize("hours", [5, 100])
def test_what_others_write_after_a_clock_was_set_right_is_not_overwritten(desk, box, hours):
    """The plan was made while the server's clock was ahead, so what is changed afterwards is stamped before it."""
    one, other = client(box, "One"), client(box, "Two")
    box.switch(clock={"advance": hours * 3600})
    planned = desk.plan((one["id"], {"custom_value1": "ours"}), (other["id"], {"custom_value1": "ours"}))
    box.switch(clock={"now": None})
    box.bulk("bulk_update", one["id"], column="custom_value1", new_value="theirs")
    applied = desk.apply(planned)
    assert outcomes(applied) == {(one["id"], "custom_value1"): "conflict", (other["id"], "custom_value1"): "applied"}
    assert box.show(one["id"])["custom_value1"] == "theirs"


@pytest.mark.proof
def test_a_value_that_somebody_else_set_right_before_its_put_is_there_already_and_not_undone(desk, box):
    one = client(box, "One", city="Bern")
    planned = desk.plan((one["id"], {"city": "Zug"}))

    def meanwhile(_number, request):
        if request.url.path.endswith(one["id"]) and box.show(one["id"])["city"] == "Bern":
            put(box, one, city="Zug")
        return False

    desk.wire.reset(meanwhile)
    applied = desk.apply(planned)
    assert (outcomes(applied), applied.as_planned) == ({(one["id"], "city"): "there already"}, True)
    assert desk.wire.writes() == []
    assert undo_plan(desk.settings, desk.door(), planned.plan.plan_id).plan is None

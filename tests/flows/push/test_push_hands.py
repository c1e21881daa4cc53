"""Others write while a plan is applied: what a look can see is left alone, or reported with both values."""

from __future__ import annotations

import time

import pytest

from connector.clients.present import FEW
from flows.push.undo import undo_plan
from sandbox.server import running
from tests.connector.clients.conftest import Box
from tests.flows.push.conftest import desk_of, is_write

MANY = FEW + 2


def became(applied):
    return {one.client_id: (one.outcome.value, one.message) for one in applied.outcomes}


def bulk(request):
    return request.method == "POST" and request.url.path.endswith("/clients/bulk")


def once(when, do):
    """A hook of the wire: does a thing once, before the first request for which `when` holds leaves."""
    left = [True]

    def hook(_number, request):
        if left and when(request):
            left.clear()
            do()
        return False

    return hook


def clients(box, number):
    return [box.make(f"Hand {n}", settings={"currency_id": "1"}, custom_value1="old") for n in range(number)]


@pytest.mark.parametrize("number", [1, MANY])
def test_a_write_between_two_calls_is_seen_before_the_second(desk, box, number):
    made, other = clients(box, number), box.make("First", settings={"currency_id": "1"})
    planned = desk.plan(
        (other["id"], {"public_notes": "a", "custom_value1": "a"}),
        *((one["id"], {"custom_value1": "new"}) for one in made),
    )
    theirs = made[0]["id"]

    def write():
        box.bulk("bulk_update", theirs, column="custom_value1", new_value="theirs")

    desk.wire.reset(once(bulk, write))
    applied = desk.apply(planned)
    calls = [call for call in planned.plan.calls if theirs in call.client_ids]
    assert planned.plan.calls.index(calls[0]) > 0  # another call came first
    outcome, why = became(applied)[theirs]
    assert outcome == "conflict"
    assert '"old"' in why
    assert '"theirs"' in why
    assert '"new"' in why
    assert box.show(theirs)["custom_value1"] == "theirs"
    assert applied.counts == {"applied": number + 1, "conflict": 1}


@pytest.mark.proof
@pytest.mark.parametrize("number", [1, MANY])
def test_a_write_behind_the_call_is_reported_with_both_values(desk, box, number):
    made = clients(box, number)
    planned = desk.plan(*((one["id"], {"custom_value1": "new"}) for one in made))
    theirs, sent = made[0]["id"], []

    def behind(request):
        sent.append(bulk(request))
        return any(sent[:-1])

    desk.wire.reset(once(behind, lambda: box.bulk("bulk_update", theirs, column="custom_value1", new_value="theirs")))
    applied = desk.apply(planned)
    outcome, why = became(applied)[theirs]
    assert (outcome, '"theirs"' in why, '"new"' in why) == ("overwritten", True, True)
    assert not applied.as_planned
    assert desk.plan((theirs, {"custom_value1": "theirs"})).plan is None


@pytest.mark.proof
def test_a_form_that_is_saved_right_before_the_call_is_reported(desk, box):
    (one,) = clients(box, 1)
    planned = desk.plan((one["id"], {"custom_value1": "new"}))
    form = {"custom_value1": "theirs", "city": "Genf", "settings": one["settings"]}
    desk.wire.reset(once(bulk, lambda: box.call("PUT", f"/api/v1/clients/{one['id']}", form)))
    outcome, why = became(desk.apply(planned))[one["id"]]
    assert (outcome, "city" in why) == ("overwritten", True)


@pytest.mark.proof
def test_a_form_that_is_saved_between_the_look_and_the_put_is_reported(desk, box):
    (one,) = clients(box, 1)
    planned = desk.plan((one["id"], {"phone": "7"}))
    form = {"city": "Genf", "settings": one["settings"]}
    desk.wire.reset(once(is_write, lambda: box.call("PUT", f"/api/v1/clients/{one['id']}", form)))
    outcome, why = became(desk.apply(planned))[one["id"]]
    assert (outcome, "city" in why) == ("overwritten", True)


@pytest.mark.proof
def test_a_transaction_that_commits_late_is_seen_before_the_next_call(desk, box):
    made, first = clients(box, MANY), box.make("First", settings={"currency_id": "1"})
    planned = desk.plan(
        (first["id"], {"public_notes": "a", "custom_value1": "a"}),
        *((one["id"], {"custom_value1": "new"}) for one in made),
    )
    theirs = made[0]["id"]

    def commit():
        box.bulk("bulk_update", theirs, column="custom_value1", new_value="theirs")
        box.call("POST", f"/_sandbox/clients/{theirs}/stamp", {"updated_at": int(time.time()) - 5})

    desk.wire.reset(once(bulk, commit))
    desk.apply(planned)
    assert box.show(theirs)["custom_value1"] == "theirs"


@pytest.mark.proof
def test_an_undo_leaves_alone_what_was_there_already_and_what_was_overwritten(desk, box):
    one, there = clients(box, 2)
    planned = desk.plan((one["id"], {"custom_value1": "new"}), (there["id"], {"custom_value1": "new"}))
    box.bulk("bulk_update", there["id"], column="custom_value1", new_value="new")
    applied = desk.apply(planned)
    assert applied.counts == {"applied": 1, "there already": 1}
    assert applied.as_planned
    back = undo_plan(desk.settings, desk.door(), planned.plan.plan_id)
    assert back.plan.client_ids == [one["id"]]


@pytest.mark.proof
def test_a_look_costs_one_list_however_many_clients_a_call_has(desk, box):
    made = clients(box, 12)
    planned = desk.plan(*((one["id"], {"custom_value1": "new"}) for one in made))
    desk.wire.reset()
    assert desk.apply(planned).as_planned
    assert len(desk.wire.sent) < 12


@pytest.mark.proof
def test_a_server_that_was_restored_and_used_since_is_seen_by_its_values_and_its_clients(desk, box):
    made = clients(box, MANY)
    planned = desk.plan(*((one["id"], {"custom_value1": "new"}) for one in made))
    restored = made[0]["id"]
    box.bulk("bulk_update", restored, column="custom_value1", new_value="as in the backup")
    for one in made:
        box.call("POST", f"/_sandbox/clients/{one['id']}/stamp", {"updated_at": int(time.time()) - 86400})
    box.make("Made since")  # the newest stamp of all is new
    applied = desk.apply(planned)
    assert became(applied)[restored][0] == "conflict"
    assert box.show(restored)["custom_value1"] == "as in the backup"
    assert applied.counts == {"applied": MANY - 1, "conflict": 1}


@pytest.mark.proof
def test_an_id_that_a_restored_server_gave_to_another_client_is_not_written(place):
    with running(clients=2, seed=7) as before, running(clients=2, seed=7) as restored:
        desk, after = (desk_of(Box(server), place) for server in (before, restored))
        with desk.wire.inner, after.wire.inner:
            (lost,) = clients(desk.box, 1)
            planned = desk.plan((lost["id"], {"custom_value1": "new"}))
            after.box.switch(clock={"advance": 60})
            (another,) = clients(after.box, 1)
            assert another["id"] == lost["id"]
            outcome, why = became(after.apply(planned))[lost["id"]]
        assert (outcome, "another client" in why) == ("conflict", True)
        assert after.box.show(another["id"])["custom_value1"] == "old"

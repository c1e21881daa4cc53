"""Applying a plan: as planned, or told why not; never over what somebody else has written; once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from flows.push.apply import apply_plan
from flows.push.undo import undo_plan
from flows.session.clock import Clock
from flows.session.ready import open_ready
from schemas.errors import StalePlan, TooMuchChange, WarehouseError, WrongDigest
from tests.flows.push.conftest import Killed, is_write

EXPIRED = timedelta(hours=25)


def outcomes(applied):
    return {(one.client_id, one.column): one.outcome.value for one in applied.outcomes}


def test_a_plan_is_applied_by_few_calls_read_back_and_pulled(desk, box):
    many = [box.make(f"Many {n}", settings={"currency_id": "1"}) for n in range(30)]
    wishes = [(one["id"], {"custom_value1": "VIP"}) for one in many]
    wishes[0][1]["city"] = "Bern"
    planned = desk.plan(*wishes)
    assert [(call.verb, len(call.client_ids)) for call in planned.plan.calls] == [("bulk_update", 29), ("update", 1)]
    desk.wire.reset()
    applied = desk.apply(planned, pulls=True)
    assert desk.wire.writes() == ["POST /api/v1/clients/bulk", f"PUT /api/v1/clients/{many[0]['id']}"]
    assert applied.as_planned
    assert set(outcomes(applied).values()) == {"applied"}
    assert {box.show(one["id"])["custom_value1"] for one in many} == {"VIP"}
    found = "select count(*) from ninja.clients where custom_value1 = 'VIP' and name like 'Many%' and id >= $id"
    assert desk.query(found, id="") >= [(30,)]
    again = desk.plan(*wishes)
    assert (again.plan, again.unchanged) == (None, 31)


def test_a_pushed_change_is_not_a_change_again(desk, box):
    one = box.make("Echo")
    desk.pull()
    desk.apply(desk.plan((one["id"], {"custom_value2": "x", "public_notes": "y"})), pulls=True)
    versions = "select count(*) from control.client_versions where id = $id"
    before = desk.query(versions, id=one["id"])
    pulled = desk.pull()
    assert (list(pulled.changes), desk.query(versions, id=one["id"])) == ([], before)


def test_what_others_have_changed_since_is_left_alone_and_the_rest_is_done(desk, box):
    one, other, third = (box.make(name, settings={"currency_id": "1"}) for name in ("One", "Other", "Third"))
    planned = desk.plan(
        (one["id"], {"custom_value1": "new"}), (other["id"], {"custom_value1": "new"}),
        (third["id"], {"city": "Bern", "phone": "1"}),
    )  # fmt: skip
    box.bulk("bulk_update", other["id"], column="custom_value1", new_value="theirs")
    box.call("PUT", f"/api/v1/clients/{third['id']}", {"city": "Genf", "settings": third["settings"]})
    applied = desk.apply(planned)
    assert outcomes(applied) == {
        (one["id"], "custom_value1"): "applied", (other["id"], "custom_value1"): "conflict",
        (third["id"], "city"): "conflict", (third["id"], "phone"): "applied",
    }  # fmt: skip
    assert not applied.as_planned
    assert (box.show(other["id"])["custom_value1"], box.show(third["id"])["city"]) == ("theirs", "Genf")
    assert desk.query("select outcome, count(*) from control.outcomes group by outcome order by outcome") == [
        ("applied", 2), ("conflict", 2),
    ]  # fmt: skip


def test_a_plan_of_which_most_was_changed_since_is_refused_as_a_whole(desk, box):
    clients = [box.make(f"C{n}") for n in range(6)]
    planned = desk.plan(*((c["id"], {"custom_value1": "new"}) for c in clients))
    box.bulk("bulk_update", *(c["id"] for c in clients[:4]), column="custom_value1", new_value="theirs")
    desk.wire.reset()
    with pytest.raises(StalePlan, match="plan again"):
        desk.apply(planned)
    assert desk.wire.writes() == []
    assert box.show(clients[5]["id"])["custom_value1"] == ""


def test_another_companys_token_gets_no_plan_although_no_pull_has_bound_the_source(desk, box):
    planned = desk.plan((box.make("One")["id"], {"custom_value1": "new"}))
    desk.wire.reset()
    with pytest.raises(StalePlan, match="another company"):
        replace(desk, token=box.sandbox.other_token).apply(planned)
    assert desk.wire.writes() == []


def test_who_has_gone_since_does_not_sink_the_others(desk, box):
    one, gone, deleted = (box.make(name) for name in ("One", "Gone", "Deleted"))
    planned = desk.plan(*((c["id"], {"custom_value1": "new"}) for c in (one, gone, deleted)))
    box.call("POST", f"/api/v1/clients/{gone['id']}/purge")
    box.bulk("delete", deleted["id"])
    applied = desk.apply(planned)
    assert outcomes(applied) == {
        (one["id"], "custom_value1"): "applied", (gone["id"], "custom_value1"): "conflict",
        (deleted["id"], "custom_value1"): "conflict",
    }  # fmt: skip


def test_a_value_that_is_there_meanwhile_is_applied_without_a_call(desk, box):
    one = box.make("One")
    planned = desk.plan((one["id"], {"custom_value1": "same"}))
    box.bulk("bulk_update", one["id"], column="custom_value1", new_value="same")
    desk.wire.reset()
    applied = desk.apply(planned)
    assert (applied.as_planned, applied.calls, desk.wire.writes()) == (True, 0, [])


def test_a_plan_is_applied_once_by_its_digest_and_not_when_it_is_old(desk, box):
    one = box.make("One")
    planned = desk.plan((one["id"], {"custom_value1": "new"}))
    plan_id, digest = planned.plan.plan_id, planned.plan.digest
    late = Clock(now=lambda: planned.plan.made_at + EXPIRED)
    desk.wire.reset()
    with pytest.raises(WrongDigest):
        apply_plan(desk.settings, desk.door(), plan_id, "0" * 16)
    with pytest.raises(StalePlan, match="expired"):
        apply_plan(desk.settings, desk.door(), plan_id, digest, clock=late)
    assert desk.wire.sent == []
    desk.apply(planned)
    with pytest.raises(StalePlan, match="applied once"):
        desk.apply(planned)


def test_a_plan_that_was_edited_in_the_warehouse_is_refused(desk, box):
    one = box.make("One")
    planned = desk.plan((one["id"], {"custom_value1": "new"}))
    with open_ready(desk.settings) as warehouse:
        warehouse.execute("update control.plan_cells set after = cast('\"worse\"' as json)")
    with pytest.raises(StalePlan, match="has changed since it was made"):
        desk.apply(planned)
    assert box.show(one["id"])["custom_value1"] == ""


@pytest.mark.proof
def test_more_clients_than_the_settings_allow_need_force(desk, box):
    clients = [box.make(f"C{n}") for n in range(4)]
    push = msgspec.structs.replace(desk.settings.push, at_least=3, most_clients=3)
    tight = replace(desk, settings=msgspec.structs.replace(desk.settings, push=push))
    planned = tight.plan(*((c["id"], {"custom_value1": "x"}) for c in clients))
    with pytest.raises(TooMuchChange, match="--force"):
        tight.apply(planned)
    assert box.show(clients[0]["id"])["custom_value1"] == ""
    assert tight.apply(planned, force=True).as_planned


@pytest.mark.proof
def test_a_right_that_is_missing_is_told_although_the_server_answers_200(box, desk):
    one, other = (box.make(n, settings={"currency_id": "1"}) for n in ("One", "Two"))
    planned = desk.plan((one["id"], {"custom_value1": "new"}), (other["id"], {"city": "Zug"}))
    reader = box.call("POST", "/_sandbox/users", {"permissions": "view_all"})["token"]
    applied = replace(desk, token=reader).apply(planned)
    assert outcomes(applied) == {(one["id"], "custom_value1"): "not applied", (other["id"], "city"): "refused"}
    assert (box.show(one["id"])["custom_value1"], box.show(other["id"])["city"]) == ("", "")


@pytest.mark.proof
def test_an_undo_puts_back_what_nobody_has_changed_since(desk, box):
    one, other = (box.make(n, custom_value1="old", city="Bern", settings={"currency_id": "1"}) for n in ("One", "Two"))
    planned = desk.plan(*((c["id"], {"custom_value1": "new", "city": "Zug"}) for c in (one, other)))
    desk.apply(planned)
    box.call("PUT", f"/api/v1/clients/{other['id']}", {"city": "Genf", "settings": other["settings"]})
    back = undo_plan(desk.settings, desk.door(), planned.plan.plan_id)
    assert [(r.client_id, r.column, r.reason) for r in back.refused] == [
        (other["id"], "city", "somebody has changed it since"),
    ]  # fmt: skip
    assert desk.apply(back).as_planned
    found = {c["id"]: (c["custom_value1"], c["city"]) for c in map(box.show, (one["id"], other["id"]))}
    assert found == {one["id"]: ("old", "Bern"), other["id"]: ("old", "Genf")}


@pytest.mark.proof
def test_two_operators_of_one_warehouse_do_not_overwrite_each_other(desk, box):
    one = box.make("One")
    first = desk.plan((one["id"], {"custom_value1": "first"}))
    second = desk.plan((one["id"], {"custom_value1": "second"}))
    assert desk.apply(first).as_planned
    applied = desk.apply(second)
    assert outcomes(applied) == {(one["id"], "custom_value1"): "conflict"}
    assert box.show(one["id"])["custom_value1"] == "first"


@pytest.mark.proof
def test_two_who_apply_at_once_take_turns_and_nobody_is_overwritten(desk, box):
    one = box.make("One")
    plans = [desk.plan((one["id"], {"custom_value1": name})) for name in ("first", "second")]
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(desk.apply, plan) for plan in plans]
        ended = [run.exception() or run.result() for run in runs]
    applied = [run for run in ended if not isinstance(run, Exception) and run.as_planned]
    assert len(applied) == 1
    (wanted,) = [cell.after for cell in applied[0].plan.cells]
    assert box.show(one["id"])["custom_value1"] == wanted
    for run in ended:  # a second run in one process cannot open DuckDB's file; in another one it waits, or is Busy
        refused = isinstance(run, WarehouseError)
        assert run is applied[0] or refused or outcomes(run) == {(one["id"], "custom_value1"): "conflict"}


LOST = [
    {"do": "reset"}, {"do": "reset", "after_bytes": 0}, {"do": "status", "status": 500},
    {"do": "status", "status": 429}, {"do": "html", "status": 503}, {"do": "truncate"},
]  # fmt: skip


@pytest.mark.proof
@pytest.mark.quick(where=lambda on, **_: on.startswith("PUT"))
@pytest.mark.parametrize("fault", LOST, ids=lambda f: "-".join(map(str, f.values())))
@pytest.mark.parametrize("on", ["PUT /clients/*", "POST /clients/bulk"])
def test_an_answer_that_is_lost_ends_as_planned(desk, box, on, fault):
    one, other = (box.make(n, settings={"currency_id": "1"}) for n in ("One", "Two"))
    planned = desk.plan((one["id"], {"custom_value1": "new"}), (other["id"], {"city": "Zug"}))
    box.switch(faults=[{"on": on, **fault}])
    applied = desk.apply(planned)
    box.switch(faults=[])
    assert applied.as_planned, applied
    assert (box.show(one["id"])["custom_value1"], box.show(other["id"])["city"]) == ("new", "Zug")


@pytest.mark.proof
def test_a_server_that_is_gone_stops_the_plan_and_resume_ends_it(desk, box):
    clients = [box.make(f"C{n}", settings={"currency_id": "1"}) for n in range(3)]
    planned = desk.plan(*((c["id"], {"city": "Zug"}) for c in clients))
    box.switch(faults=[{"on": "PUT /clients/*", "do": "reset", "after_bytes": 0, "nth": 2},
                       {"on": "GET /clients/*", "do": "status", "status": 503, "nth": 4, "times": 200}])  # fmt: skip
    applied = desk.apply(planned)
    box.switch(faults=[])
    assert applied.stopped is not None
    with pytest.raises(StalePlan, match="resume"):
        desk.apply(planned)
    assert desk.resume(planned).as_planned
    assert {box.show(c["id"])["city"] for c in clients} == {"Zug"}


@pytest.mark.proof
def test_another_plan_waits_for_the_one_that_was_cut_off(desk, box):
    one, other = (box.make(n, settings={"currency_id": "1"}) for n in ("One", "Two"))
    cut, next_one = desk.plan((one["id"], {"city": "Zug"})), desk.plan((other["id"], {"city": "Zug"}))
    desk.wire.reset(lambda _n, request: is_write(request), after=True)
    with pytest.raises(Killed):
        desk.apply(cut)
    desk.wire.reset()
    with pytest.raises(StalePlan, match=cut.plan.plan_id):
        desk.apply(next_one)
    assert desk.resume(cut).as_planned
    assert desk.apply(next_one).as_planned


def write_it(desk, planned):
    for cell in planned.plan.cells:
        settings = desk.box.show(cell.client_id)["settings"]
        desk.box.call("PUT", f"/api/v1/clients/{cell.client_id}", {cell.column: cell.after, "settings": settings})


def purge_one_right_before_its_call(desk, planned):
    gone = [planned.plan.calls[0].client_ids[0]]

    def hook(_number, request):
        if gone and is_write(request):
            desk.box.call("POST", f"/api/v1/clients/{gone.pop()}/purge")
        return False

    desk.wire.reset(hook)


def lose_calls(desk, _planned):
    desk.box.switch(faults=[{"on": on, "do": "reset"} for on in ("PUT /clients/*", "POST /clients/bulk")])


def refuse(desk, _planned):
    desk.box.switch(faults=[{"on": "PUT /clients/*", "do": "status", "status": 403, "times": 9}])


def break_down(desk, _planned):
    desk.box.switch(faults=[{"on": "PUT /clients/*", "do": "status", "status": 503, "times": 9}])


@pytest.mark.proof
@pytest.mark.parametrize(("meanwhile", "sends"), [
    (write_it, 0), (purge_one_right_before_its_call, 7), (lose_calls, 5), (refuse, 3), (break_down, 4),
])  # fmt: skip
def test_the_calls_reported_are_those_that_were_sent(desk, box, meanwhile, sends):
    made = [box.make(f"C{n}", settings={"currency_id": "1"}) for n in range(6)]
    columns = ["custom_value1"] * 4 + ["city"] * 2
    planned = desk.plan(*((one["id"], {column: "x"}) for one, column in zip(made, columns, strict=True)))
    desk.wire.reset()
    meanwhile(desk, planned)
    applied = desk.apply(planned)
    box.switch(faults=[])
    assert (applied.calls, len(desk.wire.writes())) == (sends, sends)

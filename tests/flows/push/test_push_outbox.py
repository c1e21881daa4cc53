"""The outbox: a bad change is refused by itself, with its reason, where its author finds it; and can be withdrawn."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from flows.configuration.values import Settings
from flows.push.outbox import queued_changes, withdraw_changes
from flows.push.plan import plan_push
from flows.session.ready import open_ready
from schemas.errors import SettingsError, StalePlan
from schemas.plan import Cell, Plan
from tests.engines import address
from tests.records import MOMENT
from warehouse.control.outbox import queued, queued_as, queued_of_client
from warehouse.control.plans import note_wishes, store_plan


def insert(desk, *rows, source="main"):
    with open_ready(desk.settings) as warehouse:
        for client_id, field, value in rows:
            warehouse.execute(
                "insert into control.outbox (source, id, field, value) values ($source, $id, $field, $value)",
                {"source": source, "id": client_id, "field": field, "value": value},
            )


def plan(desk):
    return plan_push(desk.settings, "main", desk.door(), None)


BAD = [
    ("ctiy", "Bern"), ("balance", "0"), ("settings", "{}"), ("contacts", "x"), ("", "x"), ("id", "x"),
    ("payment_terms", "soon"), ("x" * 5000, "x"),
]  # fmt: skip


def test_each_bad_change_is_refused_by_itself_and_the_good_ones_are_planned(desk, box):
    one = box.make("One", settings={"currency_id": "1"})
    insert(desk, (one["id"], "city", "Bern"), *((one["id"], field, value) for field, value in BAD))
    insert(desk, ("", "city", "x"), ("none such", "city", "x"), ("a'; drop", "ctiy", None))
    planned = plan(desk)
    assert [(cell.column, cell.after) for cell in planned.plan.cells] == [("city", "Bern")]
    assert len(planned.refused) == len(BAD) + 3
    assert all(refused.reason for refused in planned.refused)
    assert plan(desk).refused == []  # each is refused once
    waiting = queued_changes(desk.settings)
    assert {one.state for one in waiting} == {"refused"}
    assert len(waiting) == len(BAD) + 3
    told = {one.column: one.why for one in waiting}
    assert "did you mean city" in told["ctiy"]
    assert "cannot be written" in told["balance"]


def test_the_changes_of_one_client_or_of_some_names_are_chosen_by_the_warehouse(desk, monkeypatch):
    insert(desk, ("a1", "city", "Bern"), ("a1", "ctiy", "Genf"), ("b2", "city", "Ulm"))
    insert(desk, ("a1", "city", "Kiel"), source="other")
    with open_ready(desk.settings) as warehouse:
        every = queued(warehouse)
        own = [one for one in every if (one.source, one.client_id) == ("main", "a1")]
        assert len(own) == 2
        assert queued_of_client(warehouse, "main", "a1") == own
        named = [every[0].change_id, every[3].change_id[:18]]
        assert queued_as(warehouse, [*named, "", "%", "nobody"]) == [every[0], every[3]]
        assert queued_as(warehouse, ["%", "_", "%' or true"]) == []

    def whole(_warehouse):
        raise AssertionError("the whole outbox was read")

    monkeypatch.setattr("flows.push.outbox.queued", whole)
    assert withdraw_changes(desk.settings, [named[0], named[1].upper()]) == [every[0], every[3]]


def test_a_refused_change_is_withdrawn_and_a_planned_one_is_not(desk, box):
    one = box.make("One", settings={"currency_id": "1"})
    insert(desk, (one["id"], "ctiy", "Bern"), (one["id"], "custom_value1", "x"))
    planned = plan(desk)
    (refused,) = queued_changes(desk.settings)
    both = queued_changes(desk.settings, everything=True)
    taken = next(change for change in both if change != refused)
    assert (taken.state, taken.plan_id) == ("planned", planned.plan.plan_id)
    with pytest.raises(SettingsError, match=planned.plan.plan_id):
        withdraw_changes(desk.settings, [refused.change_id, taken.change_id])
    assert len(queued_changes(desk.settings)) == 1  # none was removed
    with pytest.raises(SettingsError, match="There is no change 'nothing'"):
        withdraw_changes(desk.settings, ["nothing"])
    withdraw_changes(desk.settings, [refused.change_id[:8]])
    assert queued_changes(desk.settings) == []
    desk.apply(planned)
    (done,) = queued_changes(desk.settings, everything=True)
    assert (done.state, done.column) == ("applied", "custom_value1")


def test_a_change_of_a_source_that_nobody_knows_is_shown_and_refused(desk, box):
    one = box.make("One", settings={"currency_id": "1"})
    insert(desk, (one["id"], "custom_value1", "x"), source="mian")
    insert(desk, (one["id"], "custom_value1", "y"))
    lost, waiting = sorted(queued_changes(desk.settings), key=lambda one: one.source, reverse=True)
    assert (lost.why, waiting.why) == ("there is no source 'mian'", "")
    planned = plan(desk)
    assert [cell.after for cell in planned.plan.cells] == ["y"]
    (refused,) = planned.refused
    assert "there are main" in refused.reason
    (shown,) = queued_changes(desk.settings)
    assert (shown.source, shown.state) == ("mian", "refused")
    assert plan(desk).refused == []


def while_reading(desk, do):
    """Have a thing done once, while the next plan reads its clients."""
    left = [do]

    def hook(_number, request):
        if left and "/clients" in request.url.path:
            left.pop()()
        return False

    desk.wire.reset(hook)


def test_a_change_that_is_withdrawn_while_a_plan_is_made_is_in_no_plan(desk, box):
    one, other = (box.make(name, settings={"currency_id": "1"}) for name in ("One", "Two"))
    insert(desk, (one["id"], "custom_value1", "x"), (other["id"], "custom_value1", "x"))
    (change,) = (change for change in queued_changes(desk.settings) if change.client_id == one["id"])
    while_reading(desk, lambda: withdraw_changes(desk.settings, [change.change_id]))
    with pytest.raises(StalePlan, match="withdrawn or planned meanwhile: plan again"):
        plan(desk)
    assert desk.query("select count(*) from control.plans") == [(0,)]
    assert plan(desk).plan.client_ids == [other["id"]]


def test_a_change_that_another_plan_takes_up_meanwhile_is_in_that_plan_only(desk, box):
    one = box.make("One", settings={"currency_id": "1"})
    insert(desk, (one["id"], "custom_value1", "x"))
    first = []
    while_reading(desk, lambda: first.append(plan(desk)))
    with pytest.raises(StalePlan, match="plan again"):
        plan(desk)
    ((taken_by,),) = desk.query("select plan_id from control.outbox")
    assert taken_by == first[0].plan.plan_id


def test_a_change_that_another_plan_takes_up_and_sends_meanwhile_keeps_that_plan(desk, box):
    one = box.make("One", settings={"currency_id": "1"})
    insert(desk, (one["id"], "custom_value1", "x"))
    first = []

    def plan_and_apply():
        first.append(plan(desk))
        desk.apply(first[0])

    while_reading(desk, plan_and_apply)
    assert plan(desk).unchanged == 1
    assert desk.query("select plan_id from control.outbox") == [(first[0].plan.plan_id,)]


CELL = Cell("a1", "city", None, "Bern")
MADE = Plan(
    "push-1", "main", "push", MOMENT, MOMENT + timedelta(days=36500), MOMENT, MOMENT, "ann", "", "company", cells=[CELL]
)


@pytest.fixture
def two(postgres_place):
    """Settings, two connections to one warehouse with a queued change, and the change."""
    settings = Settings(warehouse=address(postgres_place))
    with open_ready(settings) as warehouse, open_ready(settings) as other:
        warehouse.execute("insert into control.outbox (source, id, field, value) values ('main', 'a1', 'city', 'Bern')")
        yield settings, warehouse, other, queued_changes(settings)[0].change_id


def when_it_waits(pool, watching, do, *args):
    """What a thread will have done; it has ended, or waits for another session."""
    begun = pool.submit(do, *args)
    while not (begun.done() or watching.rows("select 1 from pg_locks where not granted")):
        time.sleep(0.01)
    return begun


def test_a_change_is_withdrawn_or_planned_and_never_both_on_postgres(two):
    settings, warehouse, other, change = two
    store_plan(warehouse, MADE)
    with ThreadPoolExecutor(1) as pool:
        with warehouse.transaction():
            assert note_wishes(warehouse, "main", {MADE.plan_id: [change]}, MOMENT) == 0
            withdrawn = when_it_waits(pool, other, withdraw_changes, settings, [change])
        with pytest.raises(SettingsError, match="cannot be withdrawn: the plan push-1 has it"):
            withdrawn.result()
    assert other.rows("select plan_id from control.outbox") == [(MADE.plan_id,)]


def test_a_change_that_its_author_deletes_by_sql_is_in_no_plan_on_postgres(two):
    settings, warehouse, other, change = two

    def store():
        with open_ready(settings) as own:
            store_plan(own, MADE, wishes={MADE.plan_id: [change]})

    with ThreadPoolExecutor(1) as pool:
        with warehouse.transaction():
            warehouse.execute("delete from control.outbox")  # as through the view of the changes that are theirs
            stored = when_it_waits(pool, other, store)
        with pytest.raises(StalePlan, match="plan again"):
            stored.result()
    assert other.rows("select count(*) from control.plans") == [(0,)]

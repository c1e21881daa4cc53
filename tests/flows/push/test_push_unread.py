"""A client whose record the server cannot send, or sends in an unknown shape, is not written; all others are."""

from __future__ import annotations

import pytest

from flows.push.undo import undo_plan
from schemas.errors import StalePlan

SENT, LEFT = ("applied", ""), ("not sent", "it is there, but the server cannot send its record")
ABSURD = 10**15


@pytest.fixture(autouse=True)
def calm(box):
    yield
    box.switch(poison=[])


def became(applied):
    return {(one.client_id, one.column): (one.outcome.value, one.message) for one in applied.outcomes}


def poison(box, client):
    box.switch(poison=[client["id"]])


def poison_and_touch(box, client):
    box.bulk("bulk_update", client["id"], column="custom_value2", new_value="theirs")
    box.switch(poison=[client["id"]])


def make_odd(box, client):
    box.balances(client, balance=ABSURD)


SPOILS = [poison, poison_and_touch, make_odd]


@pytest.mark.quick(where=lambda number, column, **_: number == (4 if column == "custom_value1" else 2))
@pytest.mark.parametrize("column", ["custom_value1", "city"])
@pytest.mark.parametrize("number", [2, 4])
@pytest.mark.parametrize("spoil", SPOILS)
def test_one_bad_record_stops_no_other_client(desk, box, spoil, number, column):
    made = [box.make(f"C{n}", settings={"currency_id": "1"}, **{column: "old"}) for n in range(number)]
    planned = desk.plan(*((one["id"], {column: "new"}) for one in made))
    spoil(box, made[0])
    applied = desk.apply(planned)
    box.switch(poison=[])
    bad, *good = (one["id"] for one in made)
    assert applied.stopped is None
    assert became(applied) == {(bad, column): LEFT, **{(one, column): SENT for one in good}}
    assert applied.counts == {"not sent": 1, "applied": number - 1}
    assert not applied.as_planned
    assert box.show(bad)[column] == "old"
    assert {box.show(one)[column] for one in good} == {"new"}
    box.balances(made[0], balance=0)


def test_an_undo_leaves_alone_what_was_not_sent_and_a_later_plan_sends_it(desk, box):
    one, other = (box.make(name, settings={"currency_id": "1"}, city="Bern") for name in ("One", "Two"))
    planned = desk.plan((one["id"], {"city": "Zug"}), (other["id"], {"city": "Zug"}))
    poison(box, one)
    desk.apply(planned)
    box.switch(poison=[])
    with pytest.raises(StalePlan, match="nothing to resume"):
        desk.resume(planned)
    assert undo_plan(desk.settings, desk.door(), planned.plan.plan_id).plan.client_ids == [other["id"]]
    assert desk.apply(desk.plan((one["id"], {"city": "Zug"}))).as_planned

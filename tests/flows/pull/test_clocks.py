"""Clocks that were ahead or behind: no change is missed in silence afterwards, and full checks still come."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from connector.door.door import Door, DoorSettings
from connector.door.secret import Secret
from flows.pull.job import Job
from flows.pull.pull import pull
from flows.session.clock import Clock
from schemas.errors import ReadAlready
from tests.engines import address
from warehouse.opened.open import open_place

HOUR, DAY = 3600, 86400
NEW_YEAR_2100 = 4102444800


@pytest.fixture
def ninja(call, place, monkeypatch):
    """`ninja-sync … --json` on each engine: the answer to it; it has to end well."""
    monkeypatch.setenv("NINJA_SYNC_WAREHOUSE", address(place))

    def run(*args):
        code, out = call(*args, "--json")
        assert code == 0, out
        return json.loads(out)

    return run


@pytest.fixture
def cities(place):
    """The cities of the mirror, by client."""

    def read():
        with open_place(place) as warehouse:
            return dict(warehouse.rows("select id, city from ninja.clients"))

    return read


@pytest.fixture
def pull_at(server, settings, place):
    """A pull so many seconds after now by this machine's clock; the look-back is two hours."""
    source = msgspec.structs.replace(settings.sources["main"], look_back=2 * HOUR)
    using = msgspec.structs.replace(settings, warehouse=address(place), sources={"main": source})

    def run(later=0, **more):
        clock = Clock(now=lambda: datetime.now(UTC) + timedelta(seconds=later))
        door = DoorSettings(server.box.url, requests_per_second=10_000)
        with Door(door, Secret(server.box.token), sleep=lambda _: None) as opened:
            return pull(Job(using, "main", opened, clock=clock, **more))

    return run


def active(server):
    return [one for one in server.clients().values() if not one["is_deleted"] and not one["archived_at"]]


def edit_all(server, clients, city):
    for one in clients:
        server.edit(one, city=city)


@pytest.mark.parametrize("ahead", [5 * HOUR, 3 * DAY], ids=["five hours", "three days"])
def test_changes_after_a_clock_was_set_right_are_not_missed(server, ninja, cities, ahead):
    first, *others = active(server)[:5]
    ninja("pull")
    server.switch(clock={"advance": ahead})
    server.edit(first, city="Ahead")
    server.switch(clock={"advance": 3 * HOUR})
    told = ninja("pull")["main"]["notes"]
    assert any("set the wrong one right" in note for note in told) == (ahead > DAY)
    server.switch(clock={"now": None})
    edit_all(server, others, "Right")
    report = ninja("pull")["main"]
    assert {cities()[one["id"]] for one in others} == {"Right"}
    assert cities()[first["id"]] == "Ahead"
    if ahead < DAY:
        assert report["run"]["kind"] == "full"
        assert any("the clock was ahead" in note for note in report["notes"])
    assert not any("the clock was ahead" in note for note in ninja("pull")["main"]["notes"])


@pytest.mark.proof
def test_changes_are_not_missed_where_the_wrong_time_has_passed_meanwhile(server, pull_at, cities):
    """Six hours later nothing that was stored lies ahead any more: the two clocks together tell of it."""
    first, *others = active(server)[:3]
    server.switch(clock={"advance": 5 * HOUR})
    server.edit(first, city="Ahead")
    pull_at()
    server.switch(clock={"now": None, "advance": HOUR})
    edit_all(server, others, "Right")
    server.switch(clock={"now": None, "advance": 6 * HOUR})
    report = pull_at(6 * HOUR)
    assert {cities()[one["id"]] for one in others} == {"Right"}
    assert any("gone back by about 5 h 0 min" in note for note in report.notes)
    server.switch(clock={"now": None, "advance": 12 * HOUR})
    assert pull_at(12 * HOUR).notes == []


@pytest.mark.proof
def test_a_full_pull_whose_answers_come_from_2100_is_no_reason_to_miss_anything(server, ninja, cities, place):
    one, other = active(server)[:2]
    newest = server.edit(other, city="In time")["updated_at"]
    server.switch(clock={"now": NEW_YEAR_2100})
    told = ninja("pull", "--full")["main"]
    assert "2100-01-01 00:00:00 UTC" in told["notes"][0]
    server.switch(clock={"now": None})
    server.edit(one, city="Late")
    server.stamp(one["id"], newest - 30)
    ninja("pull")
    assert cities()[one["id"]] == "Late"
    with open_place(place) as warehouse:
        ((latest,),) = warehouse.rows("select max(greatest(watermark, began_at, full_at)) from control.watermarks")
        ((seen,),) = warehouse.rows("select max(greatest(valid_from, observed_at)) from ninja.clients")
    assert max(latest, seen) < datetime.now(UTC) + timedelta(days=1)


@pytest.mark.proof
def test_the_full_check_comes_although_an_earlier_one_was_in_2100(server, pull_at):
    server.switch(clock={"now": NEW_YEAR_2100})
    pull_at(full=True)
    server.switch(clock={"now": None, "advance": 6 * DAY})
    assert pull_at(6 * DAY).run.kind != "full"
    server.switch(clock={"now": None, "advance": 8 * DAY})
    assert pull_at(8 * DAY).run.kind == "full"


@pytest.mark.proof
def test_what_an_earlier_version_stored_in_the_future_is_made_up_for_once(server, pull_at, place):
    pull_at()
    with open_place(place) as warehouse:
        warehouse.execute("update control.watermarks set full_at = timestamptz '2100-01-01 00:00:00+00'")
    report = pull_at()
    assert (report.run.kind, len(report.notes)) == ("full", 1)
    assert report.notes[0].startswith("The last full check was at 2100-01-01 00:00:00 UTC by the server's clock")
    assert (pull_at().run.kind, pull_at().notes) == ("idle", [])


@pytest.mark.proof
def test_a_record_that_is_stamped_ahead_hides_no_later_change(server, pull_at, cities):
    one, other = active(server)[:2]
    server.stamp(one["id"], time.time() + 3 * DAY)
    pull_at()
    for city in ("First", "Second"):
        server.edit(other, city=city)
        assert pull_at().run.kind == "pull"
        assert cities()[other["id"]] == city


@pytest.mark.proof
def test_a_clock_of_ours_that_is_wrong_is_named_and_costs_no_change(server, pull_at, cities):
    one, other = active(server)[:2]
    for later, client in ((-40 * DAY, one), (40 * DAY, other), (0, one)):
        server.edit(client, city=f"At {later}")
        report = pull_at(later)
        assert cities()[client["id"]] == f"At {later}"
        assert any("set the wrong one right" in note for note in report.notes) == (later != 0)


@pytest.mark.proof
def test_a_run_that_lies_ahead_is_no_reason_to_leave_a_source_unread(server, pull_at):
    """Runs that share their work go by the clocks of their machines: one of these was ahead."""
    now = datetime.now(UTC)
    pull_at()
    with pytest.raises(ReadAlready):
        pull_at(due=now - timedelta(minutes=1))
    pull_at(3 * HOUR)
    assert pull_at(due=datetime.now(UTC)).run.kind in {"idle", "pull"}


@pytest.mark.proof
def test_an_interrupted_scan_from_the_future_is_not_gone_on_with(server, pull_at, place, monkeypatch):
    server.switch(clock={"advance": 5 * HOUR})
    server.switch(faults=[{"on": "GET /clients*", "nth": 5, "do": "status", "status": 403}])
    with pytest.raises(Exception, match="not accepted"):
        pull_at()
    server.switch(clock={"now": None}, faults=[])
    report = pull_at()
    assert not any("interrupted" in note for note in report.notes)
    assert report.run.inserted == 120

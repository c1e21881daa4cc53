"""A merge asks no more than safety needs, and what it reads right before it is what it goes by."""

from __future__ import annotations

import pytest

from schemas.errors import StalePlan
from tests.flows.merge.test_merge_plans import ANN, BOB, NAMELESS

MOST = 17
"""Requests of the largest merge: one with a rescue before it and another one behind it."""


def largest(desk):
    """Two clients whose merge is rescued before it (columns, contacts) and behind it (a number, a primary contact)."""
    one = desk.make("Kept", "100.50", "7", contacts=[ANN], private_notes="mine", city="Bern")
    return one, desk.make(
        "Gone", "50.25", "3", contacts=[{**ANN, "phone": "", "last_name": "Lee"}, BOB, NAMELESS],
        private_notes="theirs", vat_number="CHE123", country_id="756", id_number="G-1-" + one["id"],
    )  # fmt: skip


def asked(desk):
    return [f"{request.method} {request.url.path}" for request in desk.wire.sent]


def test_the_largest_merge_takes_few_requests_and_reads_the_survivor_once_before_each_write(desk):
    one, other = largest(desk)
    planned = desk.plan((one["id"], other["id"]), allowed={"country"})
    desk.wire.reset()
    assert desk.apply(planned).stopped is None
    assert len(desk.wire.sent) <= MOST, asked(desk)
    put, merge, again = (n for n, text in enumerate(asked(desk)) if text in changes(one, other))
    read = [n for n, text in enumerate(asked(desk)) if text == f"GET /api/v1/clients/{one['id']}"]
    extras = [n for n, request in enumerate(desk.wire.sent) if "include" in str(request.url)]
    plain = [n for n in read if n not in extras]
    assert len([n for n in plain if n < put]) == 1
    assert len([n for n in plain if put < n < merge]) == 2  # the rescue is read back, then comes the last look
    assert plain[2] == merge - 1
    assert len([n for n in plain if merge < n < again]) == 1


def changes(one, other):
    return {f"PUT /api/v1/clients/{one['id']}", f"POST /api/v1/clients/{one['id']}/{other['id']}/merge"}


def test_a_merge_without_a_rescue_takes_still_fewer(desk):
    one, other = desk.make("Kept", "1"), desk.make("Gone", "2")
    planned = desk.plan((one["id"], other["id"]))
    desk.wire.reset()
    assert desk.apply(planned).stopped is None
    assert len(desk.wire.sent) <= MOST - 6, asked(desk)


@pytest.mark.parametrize("of_survivor", [True, False])
@pytest.mark.parametrize("what", ["balance", "contacts"])
def test_what_somebody_writes_between_the_rescue_and_the_merge_stops_it(desk, of_survivor, what):
    one, other = largest(desk)
    planned = desk.plan((one["id"], other["id"]), allowed={"country"})
    theirs = one if of_survivor else other
    done: list[bool] = []

    def meanwhile(_number, request):
        if "include=activities" in str(request.url) and not done:
            done.append(True)
            if what == "balance":
                desk.box.balances(theirs, balance="999")
            else:
                people = [{"id": c["id"]} for c in desk.box.show(theirs["id"])["contacts"]]
                body = {"settings": theirs["settings"], "contacts": [*people, {"first_name": "New", "phone": "9"}]}
                desk.box.call("PUT", f"/api/v1/clients/{theirs['id']}", body)
        return False

    desk.wire.reset(meanwhile)
    applied = desk.apply(planned)
    assert isinstance(applied.stopped, StalePlan)
    assert f"The client {theirs['id']} has changed since the plan was made ({what})" in str(applied.stopped)
    assert (desk.merges(), desk.there(other["id"]), applied.state) == (0, True, "ended")


def test_a_survivor_without_a_number_gets_one_by_its_rescue_and_is_merged_when_resumed(desk):
    one, other = largest(desk)
    desk.box.call("PUT", f"/api/v1/clients/{one['id']}", {"settings": one["settings"], "number": ""})
    planned = desk.plan((one["id"], other["id"]), allowed={"country"})
    desk.box.switch(faults=[{"on": "POST /clients/*/*/merge", "do": "status", "status": 403, "times": 1}])
    assert desk.apply(planned).stopped is not None
    desk.box.switch(faults=[])
    assert list(desk.resume(planned).states) == ["done"]

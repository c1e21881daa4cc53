"""A plan that is killed at any request and resumed ends as if it had not been killed."""

from __future__ import annotations

from contextlib import suppress

import pytest

from schemas.errors import StalePlan
from tests.push.conftest import Killed, is_write

COLUMNS = ("custom_value1", "custom_value2", "city", "phone", "settings", "country_id", "group_settings_id")


def world(box):
    clients = [box.make(f"K{n}", settings={"currency_id": "3"}, city="Bern") for n in range(5)]
    wishes = [(c["id"], {"custom_value1": "new"}) for c in clients]
    wishes[0][1].update(city="Zug", payment_terms=30)
    wishes[1][1].update(phone="5", custom_value2="only")
    wishes[2][1].update(country_id="756")
    return clients, wishes


def after(box, clients):
    shown = [box.show(c["id"]) for c in clients]
    return [
        [one[name] if name != "settings" else {k: v for k, v in one[name].items() if v} for name in COLUMNS]
        + [[c["email"] for c in one["contacts"]]]
        for one in shown
    ]


@pytest.fixture
def unkilled(desk, box):
    """How it ends without a kill: the clients, the requests it took, the writes."""
    clients, wishes = world(box)
    planned = desk.plan(*wishes)
    desk.wire.reset()
    assert desk.apply(planned).as_planned
    return after(box, clients), len(desk.wire.sent), len(desk.wire.writes())


@pytest.mark.parametrize("behind", [False, True], ids=["before it is sent", "behind its answer"])
def test_killed_at_any_request_and_resumed(desk, box, unkilled, behind):
    wanted, requests, writes = unkilled
    for number in range(1, requests + 1):
        clients, wishes = world(box)
        planned = desk.plan(*wishes)
        desk.wire.reset(lambda n, _request, number=number: n == number, after=behind)
        with pytest.raises(Killed):
            desk.apply(planned)
        sent = len([r for r in desk.wire.sent if is_write(r)])
        unsent = int(not behind and is_write(desk.wire.sent[-1]))
        desk.wire.reset()
        try:
            resumed = desk.resume(planned)
        except StalePlan:  # killed before it had begun
            resumed = desk.apply(planned)
        assert resumed.as_planned, (number, resumed)
        assert after(box, clients) == wanted, number
        assert sent - unsent + len(desk.wire.writes()) == writes, number  # nothing was sent twice
        assert desk.plan(*wishes).plan is None


def test_killed_twice_and_three_times(desk, box, unkilled):
    wanted, _, _ = unkilled
    clients, wishes = world(box)
    planned = desk.plan(*wishes)
    for place in (1, 1, 2):
        count = iter(range(100))
        desk.wire.reset(lambda _n, r, c=count, p=place: is_write(r) and next(c) == p, after=True)
        with suppress(Killed):
            if planned is not None:
                try:
                    desk.resume(planned)
                except StalePlan:
                    desk.apply(planned)
    desk.wire.reset()
    with suppress(StalePlan):  # it may have come to its end
        desk.resume(planned)
    assert after(box, clients) == wanted

"""A plan that is killed at any request and resumed ends as if it had not been killed."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest

from schemas.errors import StalePlan
from tests.flows.push.conftest import Killed, is_write

LONG = "NINJA_SYNC_WORLDS" in os.environ
COLUMNS = ("custom_value1", "custom_value2", "city", "phone", "settings", "country_id", "group_settings_id")


def world(box):
    """Three clients, of which a plan makes one bulk call and two PUTs."""
    clients = [box.make(f"K{n}", settings={"currency_id": "3"}, city="Bern") for n in range(3)]
    wishes = [(c["id"], {"custom_value1": "new"}) for c in clients]
    wishes[0][1].update(city="Zug", payment_terms=30)
    wishes[1][1].update(phone="5", custom_value2="only")
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
    """How it ends without a kill: the clients, and the requests it took, told by whether each is a write."""
    clients, wishes = world(box)
    planned = desk.plan(*wishes)
    desk.wire.reset()
    assert desk.apply(planned).as_planned
    return after(box, clients), [is_write(request) for request in desk.wire.sent]


def end(desk, planned):
    """Go on after a kill, whether it was before or after the first request that matters."""
    desk.wire.reset()
    try:
        return desk.resume(planned)
    except StalePlan:  # killed before it had begun
        return desk.apply(planned)


@pytest.mark.quick(where=lambda place, **_: place == "duckdb")
@pytest.mark.parametrize("behind", [False, True], ids=["before it is sent", "behind its answer"])
def test_killed_at_any_request_and_resumed(desk, box, unkilled, behind):
    wanted, requests = unkilled
    first = requests.index(True) + 1
    # behind the answers to reads too: to each third one, unless it is the long run
    places = [
        n for n, write in enumerate(requests, start=1) if write or (behind and n >= first and (LONG or n % 3 == 0))
    ]
    for number in [1, *places]:
        clients, wishes = world(box)
        planned = desk.plan(*wishes)
        desk.wire.reset(lambda n, _request, number=number: n == number, after=behind)
        with pytest.raises(Killed):
            desk.apply(planned)
        sent = len(desk.wire.writes()) - int(not behind and is_write(desk.wire.sent[-1]))
        ended = end(desk, planned)
        assert ended.as_planned, (number, ended)
        assert after(box, clients) == wanted, number
        assert sent + len(desk.wire.writes()) == sum(requests), number  # nothing was sent twice
    assert desk.plan(*wishes).plan is None


def test_killed_again_and_again(desk, box, unkilled):
    wanted, _ = unkilled
    clients, wishes = world(box)
    planned = desk.plan(*wishes)
    for step in (desk.apply, desk.resume, desk.resume):
        desk.wire.reset(lambda _n, request: is_write(request), after=True)
        with suppress(Killed):
            step(planned)
    desk.wire.reset()
    assert desk.resume(planned).as_planned
    assert after(box, clients) == wanted

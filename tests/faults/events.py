"""What happens at a server between two requests of a pull, and whole runs that go wrong in a way of their own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from flows.pull.job import Pulled
from flows.session.clock import Clock as JobClock
from sandbox.server import running
from tests.connector.door.faulty_server import FaultyServer, answer
from tests.faults.scene import DAY, FIRST, PAGES, Scene
from tests.faults.truth import promised
from tests.faults.wire import Strike, Wire
from tests.flows.conftest import Server

HOUR_REPEATS = datetime(2027, 11, 7, 6, tzinfo=UTC).timestamp()  # in New York


def client_at(scene: Scene, place: str, page: int, row: int = 0) -> str:
    """Another client for each place, of the page `page` of the pull without a fault."""
    return scene.template.pages["changes"][page].ids[PAGES.index(place) + row]


def touch(scene: Scene, key: str, at: float | None = None) -> None:
    """Change a client's balance, stamped now or at a given second."""
    money = {"balance": f"{time.time_ns() % 10**9}.25"}
    scene.server.call("POST", f"/_sandbox/clients/{key}/balances", money)
    scene.server.stamp(key, int(time.time() if at is None else at))


def update(scene: Scene, place: str) -> None:
    """One client that may have been read, and one that has not."""
    touch(scene, client_at(scene, place, 0))
    touch(scene, client_at(scene, place, -2))


def insert(scene: Scene, place: str) -> None:
    scene.server.call("POST", "/api/v1/clients", {"name": f"Made at the {place} page"})


def purge(scene: Scene, place: str) -> None:
    for page in (0, -2):
        key = client_at(scene, place, page)
        scene.server.call("POST", f"/api/v1/clients/{key}/purge", password=scene.server.box.password)


def merge(scene: Scene, place: str) -> None:
    into, gone = client_at(scene, place, 0), client_at(scene, place, -2)
    scene.server.call("POST", f"/api/v1/clients/{into}/{gone}/merge", password=scene.server.box.password)


def many_in_one_second(scene: Scene, place: str) -> None:
    """More clients than the largest page holds are changed in one second."""
    scene.server.switch(per_page_cap=8)
    second = int(time.time())
    for page in (0, 1):
        for key in scene.template.pages["changes"][page].ids[:5]:
            touch(scene, key, second)


def same_second_again(scene: Scene, _place: str) -> None:
    """The same client, changed at every page, always with the stamp of the first change."""
    key = client_at(scene, FIRST, 0)
    known = scene.server.clients(client_id=key)[key]["updated_at"]
    touch(scene, key, known if known > time.time() - DAY else None)


def late_commit(scene: Scene, place: str) -> None:
    """A change that is stamped an hour before it can be seen, behind one that is stamped now."""
    touch(scene, client_at(scene, place, 0, row=2))
    touch(scene, client_at(scene, place, -2), time.time() - 3600)


def before_the_hour_repeats(scene: Scene) -> None:
    """New York, twenty minutes before its clocks go back; a client has just been changed."""
    now = HOUR_REPEATS - 1200
    scene.server.switch(timezone="America/New_York", clock={"now": now})
    touch(scene, client_at(scene, FIRST, 1), now)


def hour_repeats(scene: Scene, place: str) -> None:
    """Clients are changed ten minutes before the clocks go back and ten minutes after."""
    for page, now in ((0, HOUR_REPEATS - 600), (-2, HOUR_REPEATS + 600)):
        scene.server.switch(clock={"now": now})
        touch(scene, client_at(scene, place, page), now)


def contacts_change(scene: Scene, place: str) -> None:
    """A contact is removed and another one added; the rest comes in another order, one with a blank for an address."""
    found = scene.server.clients(status="active")
    client = list(found.values())[PAGES.index(place) * 3]
    kept = [{**contact, "is_primary": False} for contact in client["contacts"][1:]]
    fresh = {"first_name": place, "email": " ", "is_primary": True}
    scene.server.edit(client, contacts=[*reversed(kept), fresh])


def our_clock_jumps(scene: Scene) -> Strike:
    """This machine's clock is a day off, once ahead and once behind, and jumps at each page."""
    days = [1]
    scene.job_clock = JobClock(now=lambda: datetime.now(UTC) + timedelta(days=days[-1]))

    def strike(wire: Wire, request: httpx.Request) -> httpx.Response:
        days.append(-days[-1])
        return wire.exchange(request)

    return strike


def behind_a_proxy_of_the_environment(scene: Scene) -> Pulled:
    with FaultyServer(answer()) as decoy, pytest.MonkeyPatch.context() as patch:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            patch.setenv(name, decoy.url)
        pulled, _ = scene.pull()
    assert decoy.connections == 0
    return pulled


def with_a_limit_that_others_use_too(scene: Scene) -> Pulled:
    """Three requests a minute for this address; waiting moves the server's clock as well."""
    scene.server.call("POST", "/_sandbox/throttle", {"per_minute": 3})
    ahead = scene.clock.pass_by

    def pass_by(seconds: float) -> None:
        ahead(seconds)
        scene.server.switch(clock={"advance": seconds})

    scene.clock.pass_by = pass_by
    scene.door["retry_budget"] = 3600
    return scene.pull()[0]


def only_small_pages(scene: Scene) -> Pulled:
    rule = {"on": "GET /clients", "every": True, "do": "status", "status": 500, "above_per_page": 5}
    scene.server.switch(faults=[rule])
    return scene.pull()[0]


def two_servers_with_equal_ids(scene: Scene) -> Pulled:
    """A second server of the same kind, whose ids are the same and whose clients are not, is another source."""
    scene.pull()
    ours, truth = scene.server, scene.truth()
    other = Server(scene.stack.enter_context(running(clients=12, seed=8)))
    scene.server = other
    pulled, _ = scene.pull(name="other")
    assert set(other.clients()) & set(ours.clients()), "no id is in both"
    assert scene.mirror("other") == promised(other.clients().values())
    assert scene.mirror() == truth
    scene.server = ours
    return pulled


def only_with_the_id(key: str) -> Callable[[object], list[dict[str, object]]]:
    """One child, with this id."""
    return lambda _: [{"id": key}]


def contacts_of(count: int) -> Callable[[list[Mapping[str, object]]], list[dict[str, object]]]:
    """So many contacts in place of the first one."""

    def many(contacts: list[Mapping[str, object]]) -> list[dict[str, object]]:
        pattern = json.loads(json.dumps(contacts[0]))
        return [{**pattern, "id": f"{pattern['id']}x{n}", "email": f"c{n}@example.com"} for n in range(count)]

    return many

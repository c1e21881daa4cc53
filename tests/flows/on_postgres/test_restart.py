"""Postgres restarts in the middle of a load, a plan and a merge: nothing is lost, nothing is sent twice.

The server is this file's own. `-m fast` closes connections, `-m immediate` is a crash with recovery.
"""

from __future__ import annotations

import signal
from decimal import Decimal

import httpx
import msgspec
import pytest

from connector.door.door import Door, DoorSettings
from connector.door.secret import Secret
from flows.pull.job import Job
from flows.pull.pull import pull
from sandbox.server import running
from schemas.errors import StalePlan, WarehouseError
from tests.connector.clients.conftest import Box
from tests.crashes.witness import found_in, truth
from tests.cut_wire import BEFORE, COMMIT, wired
from tests.engines import address
from tests.flows.merge.conftest import MergeDesk
from tests.flows.merge.test_merge_kills import people
from tests.flows.merge.test_merge_kills import world as two_clients
from tests.flows.push.conftest import Wire, desk_of, is_write
from tests.flows.push.test_push_kills import after
from tests.flows.push.test_push_kills import world as three_clients
from tests.postgres import running_postgres
from tests.records import MOMENT
from warehouse.opened.migrate import migrate
from warehouse.opened.open import open_place

FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT
HOW = pytest.mark.parametrize("how", [FAST, IMMEDIATE], ids=["fast", "immediate"])


@pytest.fixture(scope="module")
def postgres():
    with running_postgres() as cluster:
        yield cluster


@pytest.fixture
def restart(postgres, how):
    """Restart the server, at once."""

    def run():
        postgres.stop(how)
        postgres.start()

    return run


class RestartingWire(Wire):
    """The way to the sandbox; Postgres restarts before the request whose turn it is."""

    def __init__(self, restart):
        super().__init__()
        self.restart, self.turn = restart, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if len(self.sent) + 1 == self.turn:
            self.restart()
        return super().handle_request(request)


def pulled(settings, server, place, transport=None):
    told = msgspec.structs.replace(settings, warehouse=address(place))
    door = DoorSettings(server.box.url, requests_per_second=10_000)
    with Door(door, Secret(server.box.token), transport=transport, sleep=lambda _: None) as opened:
        return pull(Job(told, "main", opened, full=True))


@HOW
@pytest.mark.parametrize("word", [b"insert into ninja.", COMMIT], ids=["in the load", "at its commit"])
def test_a_load_goes_on_after_a_restart(settings, server, database, restart, word):
    with open_place(database) as opened:
        migrate(opened, now=MOMENT)
    with wired(database, word=word, how=BEFORE, do=restart) as (far, wire):
        assert pulled(settings, server, far).run.mirrored == 120
    assert wire.cuts == 1
    assert found_in(database).clients == truth(server.clients())


@pytest.mark.proof
@pytest.mark.parametrize("how", [FAST])
def test_a_restart_while_pages_are_fetched_is_no_matter(settings, server, database, restart):
    wire = RestartingWire(restart)
    wire.turn = 4
    with wire.inner:
        assert pulled(settings, server, database, wire).run.mirrored == 120
    assert found_in(database).clients == truth(server.clients())


@pytest.fixture
def desk(database, restart):
    with open_place(database) as opened:
        migrate(opened, now=MOMENT)
    with running(clients=6, seed=5) as sandbox:
        made = desk_of(Box(sandbox), database)
        made.wire = RestartingWire(restart)
        with made.wire.inner:
            yield made


def turns_of(sent):
    """Before which requests to restart: before anything is written, at the first write, and behind it."""
    first = [is_write(request) for request in sent].index(True) + 1
    return [first - 1, first, first + 1]


@pytest.mark.proof
@pytest.mark.parametrize("how", [IMMEDIATE])
def test_a_plan_that_a_restart_cuts_off_is_named_and_ends_as_planned(desk, how):
    clients, changes = three_clients(desk.box)
    planned = desk.plan(*changes)
    desk.wire.reset()
    assert desk.apply(planned).as_planned
    wanted, writes = after(desk.box, clients), len(desk.wire.writes())
    for turn in turns_of(desk.wire.sent):
        clients, changes = three_clients(desk.box)
        planned = desk.plan(*changes)
        desk.wire.reset()
        desk.wire.turn = turn
        with pytest.raises(
            WarehouseError, match=f"connection to the warehouse was lost.*{planned.plan.plan_id}"
        ) as cut:
            desk.apply(planned)
        sent, desk.wire.turn = len(desk.wire.writes()), 0
        desk.wire.reset()
        assert sent == 0 or "before anything" not in str(cut.value)
        ended = desk.resume(planned) if "resume" in str(cut.value) else desk.apply(planned)
        assert ended.as_planned, turn
        assert after(desk.box, clients) == wanted, turn
        assert sent + len(desk.wire.writes()) == writes, turn


@pytest.mark.proof
@pytest.mark.parametrize("how", [FAST])
def test_a_merge_that_a_restart_cuts_off_is_named_and_done_once(desk, how):
    merging = MergeDesk(desk)
    one, other = two_clients(merging)
    planned = merging.plan((one["id"], other["id"]))
    desk.wire.reset()
    assert merging.apply(planned).stopped is None
    wanted = people(desk.box.show(one["id"]))
    for turn in turns_of(desk.wire.sent):
        one, other = two_clients(merging)
        planned = merging.plan((one["id"], other["id"]))
        desk.wire.reset()
        desk.wire.turn = turn
        with pytest.raises(
            WarehouseError, match=f"connection to the warehouse was lost.*{planned.plan.plan_id}"
        ) as cut:
            merging.apply(planned)
        merges, desk.wire.turn = merging.merges(), 0
        desk.wire.reset()
        resumable = "resume" in str(cut.value)
        ended = merging.resume(planned) if resumable else merging.apply(planned)
        assert ended.stopped is None, turn
        assert merges + merging.merges() == 1, turn
        shown = desk.box.show(one["id"])
        assert (shown["balance"], shown["paid_to_date"], people(shown)) == (Decimal("15.5"), 3, wanted), turn
        with pytest.raises(StalePlan):
            merging.resume(planned)

"""Locks that Postgres has ended in the middle of a run, though not its other connection: nothing more is sent."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import httpx
import pytest

from connector import clients
from flows.push.apply import Applied
from flows.session.api import open_api
from flows.session.ready import open_ready
from sandbox.server import running
from schemas.errors import ConnectionLost, WarehouseError
from tests.connector.clients.conftest import Box
from tests.flows.merge.conftest import MergeDesk
from tests.flows.merge.test_merge_kills import world as two_clients
from tests.flows.push.conftest import Wire, desk_of, is_write
from tests.flows.push.test_push_kills import after
from tests.flows.push.test_push_kills import world as three_clients
from warehouse.control.journal import open_calls
from warehouse.engine.place import PostgresUrl
from warehouse.locks.lock import one_run_at_a_time

ENDED = """
select pg_terminate_backend(pid, 5000) from pg_locks
where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())
"""
"""Between two statements of a run, only its locks are advisory locks."""


@pytest.fixture
def end_locks(postgres, database):
    """End the sessions that hold locks; return how many there were."""

    def run():
        with postgres.admin(database.url.rpartition("/")[2]) as admin:
            return len(admin.execute(ENDED).fetchall())

    return run


class Meddling(Wire):
    """The way to the sandbox; `do` is done behind the answer to request number `turn`."""

    def __init__(self):
        super().__init__()
        self.reset_turn()

    def reset_turn(self, turn: int = 0, do: Callable[[], object] = lambda: None) -> None:
        """Forget what was sent, and do a thing at its turn."""
        self.reset()
        self.turn, self.do = turn, do

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        if len(self.sent) == self.turn:
            self.do()
        return answer


@pytest.fixture
def desk(database):
    with running(clients=6, seed=5) as sandbox:
        made = desk_of(Box(sandbox), database)
        made.wire = Meddling()
        with made.wire.inner:
            yield made


def open_calls_of(desk):
    with open_ready(desk.settings) as warehouse:
        return open_calls(warehouse, "main")


def before_last_write(desk):
    """The number of the request before the last write of what was just sent."""
    return max(number for number, request in enumerate(desk.wire.sent) if is_write(request))


@pytest.fixture
def rehearsed(desk):
    """How a plan ends that keeps its locks: its clients, its number of writes, and when to take them from the next."""
    people, changes = three_clients(desk.box)
    planned = desk.plan(*changes)
    desk.wire.reset()
    assert desk.apply(planned).as_planned
    return after(desk.box, people), len(desk.wire.writes()), before_last_write(desk)


def test_a_plan_sends_no_call_without_its_locks_and_is_resumed(desk, rehearsed, end_locks):
    wanted, writes, turn = rehearsed
    people, changes = three_clients(desk.box)
    planned = desk.plan(*changes)
    ended = []
    desk.wire.reset_turn(turn, lambda: ended.append(end_locks()))
    with pytest.raises(WarehouseError, match=r"connection to the warehouse was lost.*push resume"):
        desk.apply(planned)
    assert (ended, len(desk.wire.writes()), open_calls_of(desk)) == ([2], writes - 1, [])
    desk.wire.reset_turn()
    assert desk.resume(planned).as_planned
    assert (after(desk.box, people), len(desk.wire.writes())) == (wanted, 1)


def test_where_another_machine_resumes_meanwhile_nothing_is_sent_twice(desk, rehearsed, end_locks):
    wanted, writes, turn = rehearsed
    people, changes = three_clients(desk.box)
    planned = desk.plan(*changes)
    other = desk_of(desk.box, PostgresUrl.of(desk.settings.warehouse))
    resumed: list[Applied] = []

    def take_over():
        end_locks()
        resumed.append(other.resume(planned))

    desk.wire.reset_turn(turn, take_over)
    with other.wire.inner, pytest.raises(WarehouseError, match="connection to the warehouse was lost"):
        desk.apply(planned)
    assert (resumed[0].as_planned, len(desk.wire.writes()), len(other.wire.writes())) == (True, writes - 1, 1)
    assert (after(desk.box, people), open_calls_of(desk)) == (wanted, [])


def test_a_merge_is_not_sent_without_its_locks_and_once_when_resumed(desk, end_locks):
    merging = MergeDesk(desk)
    planned = merging.plan(tuple(one["id"] for one in two_clients(merging)))
    desk.wire.reset()
    assert merging.apply(planned).stopped is None
    turn = [request.url.path.endswith("/merge") for request in desk.wire.sent].index(True)
    one, other = two_clients(merging)
    planned = merging.plan((one["id"], other["id"]))
    desk.wire.reset_turn(turn, end_locks)
    with pytest.raises(WarehouseError, match=r"connection to the warehouse was lost.*merge resume"):
        merging.apply(planned)
    assert (merging.merges(), open_calls_of(desk)) == (0, [])
    desk.wire.reset_turn()
    assert merging.resume(planned).stopped is None
    assert (merging.merges(), desk.box.show(one["id"])["balance"]) == (1, Decimal("15.5"))


def test_a_write_by_hand_is_not_sent_without_its_lock(desk, end_locks, monkeypatch):
    monkeypatch.setenv("NINJA_SYNC_TOKEN", desk.token)
    one = desk.box.make("By hand")["id"]
    with open_api(settings=desk.settings) as api:
        clients.update(api, one, {"city": "Bern"})
        assert end_locks() == 1
        for _ in range(2):
            with pytest.raises(ConnectionLost):
                clients.update(api, one, {"city": "Zug"})
    assert (desk.box.show(one)["city"], open_calls_of(desk)) == ("Bern", [])
    with open_api(settings=desk.settings) as api:
        clients.update(api, one, {"city": "Zug"})


def test_a_lock_is_asked_whether_it_is_still_held(database, end_locks):
    with one_run_at_a_time(database, "main", wait=0) as still_held:
        assert still_held()
        end_locks()
        assert not still_held()
        with one_run_at_a_time(database, "main", wait=0) as taken:
            assert taken()
            assert not still_held()

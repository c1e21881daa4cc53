"""Calls that were cut off are settled before anything else is written; what stays unknown stops what it must."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from typer.testing import CliRunner

from connector import clients
from connector.api.api import Api
from connector.door.door import Door, DoorSettings
from connector.door.password import Password
from connector.door.secret import Secret
from flows.cli.app import app
from flows.configuration.load import place_of
from flows.configuration.values import Settings, Source
from flows.session.api import journal_of, open_api
from flows.session.clock import Clock
from flows.session.settle import settle_by_asking, settle_by_word
from flows.session.writing import STILL_AT_IT, check_open, settle_calls, settle_open
from sandbox.server import running
from schemas.errors import Busy, NotAuthorised, OutcomeUnknown, SettingsError, UnsafePlan
from schemas.journal import Call, Edit, Outcome
from tests.engines import address
from tests.flows.conftest import Server
from tests.forked import COMMAND
from tests.records import MOMENT
from warehouse.control.journal import open_calls
from warehouse.opened.open import open_place

LATER = Clock(now=lambda: datetime.now(UTC) + timedelta(hours=1))
"""After which no server is still at it."""
HERE, ELSEWHERE = f"anna@{socket.gethostname()}", "anna@elsewhere"


@pytest.fixture(scope="module")
def server():
    with running(clients=20, seed=5) as box:
        yield Server(box)


@pytest.fixture(autouse=True)
def as_it_was(server):
    yield
    server.switch(faults=[], merge_dies=None)


@pytest.fixture
def told(server, place, monkeypatch):
    """Settings of one source, on each engine; nobody is waited for."""
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    source = Source(url=server.box.url, requests_per_second=10_000, entities=("clients",))
    return Settings(warehouse=address(place), sources={"main": source}, wait=0)


@pytest.fixture
def make(server):
    """New clients that owe something; their ids."""

    def made(*names):
        ids = [server.call("POST", "/api/v1/clients", {"name": name})["data"]["id"] for name in names]
        for one in ids:
            server.call("POST", f"/_sandbox/clients/{one}/balances", {"balance": "5"})
        return ids

    return made


class Killed(BaseException):
    """The process ends here."""


class Dying(httpx.BaseTransport):
    """A wire on which the process dies at the first call that writes a client: after it was sent, or before."""

    def __init__(self, *, sent):
        self.sent, self.wire = sent, httpx.HTTPTransport()

    def handle_request(self, request):
        if request.method == "GET" or request.url.path.endswith("/current"):
            return self.wire.handle_request(request)
        if self.sent:
            with suppress(httpx.TransportError):
                self.wire.handle_request(request).read()
        raise Killed

    def close(self):
        self.wire.close()


def killed(server, settings, write, *, sent=True):
    """Have a process die in the middle of a write; what is left is an open call."""
    settings_of_door = DoorSettings(server.box.url, requests_per_second=10_000)
    with (
        Door(settings_of_door, Secret(server.box.token), transport=Dying(sent=sent)) as door,
        ExitStack() as stack,
        pytest.raises(Killed),
    ):
        write(Api(door, journal_of(settings, "main", door, stack), Password(lambda: Secret(server.box.password))))


def merging(*pair):
    return lambda api: clients.merge(api, *pair, backup=lambda _: None)


def opened(settings):
    with open_place(place_of(settings)) as warehouse:
        return open_calls(warehouse, "main")


def noted(settings, *calls):
    """Calls that stay unknown whoever asks."""
    with open_api(settings=settings, clock=LATER) as api:
        return [api.journal.intend(Call("reactivate_email", [Edit(one) for one in ids])) for ids in calls]


def writes(server):
    return [one for one in server.requests() if not one.startswith("GET") and "/current" not in one]


def archive(settings, *ids):
    with open_api(settings=settings, clock=LATER) as api:
        return [one.outcome.value for one in clients.archive(api, ids)]


@pytest.mark.parametrize("sent", [True, False])
def test_what_a_killed_process_left_is_settled_before_the_next_write(server, told, make, sent):
    one, other, third = make("A", "B", "C")
    killed(server, told, merging(one, other), sent=sent)
    killed_at, *_ = opened(told)
    assert killed_at.call.verb == "merge"
    assert archive(told, third) == ["applied"]
    assert opened(told) == []
    with open_place(place_of(told)) as warehouse:
        told_of = warehouse.rows("select message, clients from control.journal where verb = 'merge' order by number")
    assert told_of[1][0] == "settled later, by reading back"
    assert set(json.loads(told_of[1][1]).values()) == {"applied" if sent else "not applied"}


def test_a_merge_that_died_half_way_stops_every_write_until_a_person_has_looked(server, told, make):
    one, other, third = make("A", "B", "C")
    server.switch(merge_dies={"after": 1, "do": "no_answer"})
    killed(server, told, merging(one, other))
    (left,) = opened(told)
    server.requests()
    with pytest.raises(UnsafePlan, match=f"{left.call_id}.*{one}, {other}.*--as applied") as problem:
        archive(told, third)
    assert "nothing is written to this source" in str(problem.value)
    assert writes(server) == []
    with open_api(settings=told) as api:
        assert clients.show(api, third).name == "C"  # reading goes on
    with Door(DoorSettings(server.box.url, requests_per_second=10_000), Secret(server.box.token)) as door:
        assert [asked.outcomes for asked in settle_by_asking(told, "main", door, clock=LATER)] == [None]
    settled = settle_by_word(told, "main", left.call_id, Outcome.NOT_APPLIED)
    assert settled.outcomes == [(one, Outcome.NOT_APPLIED), (other, Outcome.NOT_APPLIED)]
    assert archive(told, third) == ["applied"]


def test_another_open_call_stops_the_writes_to_its_own_clients_only(server, told, make):
    one, other, third = make("A", "B", "C")
    (call_id,) = noted(told, [one, other])
    server.requests()
    with pytest.raises(UnsafePlan, match=f"{call_id}.*its clients are not written"):
        archive(told, third, other)
    assert writes(server) == []
    assert archive(told, third) == ["applied"]
    settle_by_word(told, "main", call_id, Outcome.APPLIED)
    assert archive(told, other) == ["applied"]


def test_a_person_can_settle_only_what_is_open(told, make):
    (one,) = make("A")
    (call_id,) = noted(told, [one])
    with pytest.raises(SettingsError, match="no open call 'other'"):
        settle_by_word(told, "main", "other", Outcome.APPLIED)
    settle_by_word(told, "main", call_id, Outcome.APPLIED)
    with pytest.raises(SettingsError, match="no open call"):
        settle_by_word(told, "main", call_id, Outcome.NOT_APPLIED)


@pytest.mark.proof
def test_a_call_that_this_very_session_left_open_stops_it_too(server, told, make):
    one, other, third = make("A", "B", "C")
    with open_api(settings=told, password=lambda: Secret(server.box.password), clock=LATER) as api:
        assert clients.archive(api, [third])[0].outcome.value == "applied"
        server.switch(merge_dies={"after": 2, "do": "500"})
        with pytest.raises(OutcomeUnknown, match="would add them again"):
            clients.merge(api, one, other, backup=lambda _: None)
        with pytest.raises(UnsafePlan, match="nothing is written"):
            clients.restore(api, [third])


@pytest.mark.proof
def test_a_call_that_a_thread_left_open_stops_the_others_too(server, told, make):
    one, other, third = make("A", "B", "C")
    with open_api(settings=told, password=lambda: Secret(server.box.password), clock=LATER) as api:
        assert clients.archive(api, [third])[0].outcome.value == "applied"
        server.switch(merge_dies={"after": 2, "do": "500"})
        with ThreadPoolExecutor(1) as pool:
            merging_it = pool.submit(lambda: clients.merge(api, one, other, backup=lambda _: None))
            assert isinstance(merging_it.exception(), OutcomeUnknown)
            with pytest.raises(UnsafePlan, match="nothing is written"):
                clients.restore(api, [third])
        with pytest.raises(UnsafePlan, match="nothing is written"):
            clients.archive(api, [one])


@pytest.mark.proof
def test_one_process_writes_at_a_time_and_reading_goes_on(server, told, make):
    one, other = make("A", "B")
    with open_api(settings=told) as first:
        clients.archive(first, [one])
        with open_api(settings=told) as second:
            assert clients.show(second, other).name == "B"
            with pytest.raises(Busy, match="Another writer of the source 'main'"):
                clients.archive(second, [other])
        with pytest.raises(Busy):
            settle_by_word(told, "main", "x", Outcome.APPLIED)
    assert archive(told, other) == ["applied"]


@pytest.mark.proof
def test_threads_of_one_session_do_not_take_each_other_s_calls_for_cut_off_ones(server, told, make):
    ids = make(*"ABCDEF")
    with open_api(settings=told) as api, ThreadPoolExecutor(3) as pool:
        changed = list(pool.map(lambda one: clients.update(api, one, {"city": "Bern"}).city, ids))
    assert changed == ["Bern"] * 6
    assert opened(told) == []


@pytest.mark.proof
def test_a_young_merge_without_a_trace_is_asked_for_until_it_is_no_longer_young(server, told, make):
    one, other = make("A", "B")
    killed(server, told, merging(one, other), sent=False)
    slept = []
    with open_api(settings=told) as api, ExitStack() as until_the_end:
        api.door.get("/ping")  # the first request asks the warehouse, which one process opens once
        warehouse = until_the_end.enter_context(open_place(place_of(told)))
        (call,) = open_calls(warehouse, "main")
        journal = Settled()
        settle_open(
            warehouse, "main", Api(api.door, journal), now=lambda: call.at + timedelta(seconds=100), sleep=slept.append
        )
    assert sum(slept) == pytest.approx(20)
    assert journal.outcomes == {call.call_id: [(one, Outcome.NOT_APPLIED), (other, Outcome.NOT_APPLIED)]}


@pytest.mark.proof
def test_a_first_write_that_could_not_be_checked_is_checked_by_the_next_one(server, told, make):
    one, other = make("A", "B")
    killed(server, told, lambda api: clients.archive(api, [one]))
    with open_api(settings=told) as api:
        present = {"do": "status", "status": 403, "on": f"GET /clients/{one}", "times": 9}
        server.switch(faults=[present])
        with pytest.raises(NotAuthorised):
            clients.archive(api, [other])
        server.switch(faults=[])
        assert clients.archive(api, [other])[0].outcome.value == "applied"
    assert opened(told) == []


class Settled:
    """A journal that keeps what it is told became of calls."""

    def __init__(self):
        self.outcomes = {}

    def settle(self, call_id, outcomes, _message=""):
        self.outcomes[call_id] = list(outcomes)


@pytest.mark.proof
def test_before_a_plan_any_unknown_call_stops_unless_clients_are_named(told, make):
    one, other = make("A", "B")
    noted(told, [one])
    with open_api(settings=told) as api, open_place(place_of(told)) as warehouse:
        with pytest.raises(UnsafePlan, match=one):
            settle_open(warehouse, "main", api)
        settle_open(warehouse, "main", api, client_ids=[other])
    check_open([], None)


@pytest.fixture
def call(server, tmp_path, monkeypatch):
    """Run a command in this process: what it raised, and its output."""
    for name, value in {
        "NINJA_SYNC_URL": server.box.url, "NINJA_SYNC_TOKEN": server.box.token, "HOME": str(tmp_path),
        "NINJA_SYNC_WAREHOUSE": str(tmp_path / "w.duckdb"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def run(*args):
        done = CliRunner().invoke(app, list(map(str, args)))
        return done.exception, done.stdout

    return run


@pytest.mark.proof
def test_the_command_lists_and_settles(server, call, make, tmp_path):
    one, other = make("Jane Doe", "B")
    assert call("clients", "archive", one, "--yes")[0] is None
    settings = Settings(
        warehouse=str(tmp_path / "w.duckdb"), sources={"main": Source(url=server.box.url, entities=("clients",))}
    )
    (call_id,) = noted(settings, [other])
    error, shown = call("journal")
    assert (error, "applied 1" in shown, "unknown" in shown, "Jane" in shown) == (None, True, True, False)
    assert [one["call_id"] for one in json.loads(call("journal", "--open", "--json")[1])["calls"]] == [call_id]
    assert len(json.loads(call("journal", "--top", "1", "--source", "main", "--json")[1])["calls"]) == 1
    error, shown = call("journal", "settle")
    assert isinstance(error, OutcomeUnknown)
    assert error.exit_code == 4
    assert (call_id in shown, other in shown) == (True, True)
    for wrong in (["settle", "--as", "applied"], ["settle", "nothing"], ["settle", "nothing", "--as", "not-applied"]):
        assert isinstance(call("journal", *wrong)[0], SettingsError), wrong
    error, shown = call("journal", "settle", call_id, "--as", "not-applied", "--json")
    assert (error, json.loads(shown)["calls"][0]["outcomes"]) == (None, {other: "not applied"})
    assert call("journal", "settle")[0] is None
    assert json.loads(call("journal", "--open", "--json")[1]) == {"calls": []}


@pytest.mark.proof
def test_a_process_killed_in_the_middle_of_a_merge_is_made_up_for(server, make, tmp_path, monkeypatch):
    """kill -9 while the server is at it, which it finishes all the same."""
    one, other, third = make("Stays", "Goes", "C")
    server.switch(merge_dies={"after": 6, "do": "hang", "seconds": 30})
    server.requests()
    environ = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "NINJA_SYNC_URL": server.box.url,
        "NINJA_SYNC_TOKEN": server.box.token, "NINJA_SYNC_WAREHOUSE": str(tmp_path / "w.duckdb"),
        "NINJA_SYNC_PASSWORD": server.box.password,
    }  # fmt: skip
    planning = [str(COMMAND), "merge", "plan", f"{one}:{other}", "--json"]
    plan = json.loads(subprocess.run(planning, env=environ, cwd=tmp_path, stdout=subprocess.PIPE, check=True).stdout)[
        "plan"
    ]
    server.requests()
    command = [str(COMMAND), "merge", "apply", plan["plan_id"], "--digest", plan["digest"], "--json"]
    with subprocess.Popen(command, env=environ, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        # only looked at: what comes between a look and a removal would never be seen
        while not any(request["path"].endswith("/merge") for request in server.call("GET", "/_sandbox/requests")):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    server.requests()
    settings = Settings(
        warehouse=str(tmp_path / "w.duckdb"),
        sources={"main": Source(url=server.box.url, entities=("clients",))},
        wait=10,
    )
    assert len(opened(settings)) == 1
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    assert archive(settings, third) == ["applied"]
    assert opened(settings) == []
    assert server.call("GET", f"/api/v1/clients/{one}")["data"]["balance"] == 10
    assert not any(request.split("?")[0].endswith("/merge") for request in server.requests())


@pytest.fixture
def door(server):
    with Door(DoorSettings(server.box.url, requests_per_second=10_000), Secret(server.box.token)) as opened_door:
        yield opened_door


@pytest.fixture
def left(server, told, make):
    """A merge that was noted, and whose sender is gone."""
    killed(server, told, merging(*make("A", "B")), sent=False)
    (call,) = opened(told)
    return call


@pytest.mark.parametrize(
    ("operator", "age", "waits"),
    [(ELSEWHERE, -120, 120), (ELSEWHERE, 3600, 120), (HERE, 100, 20), (HERE, 3600, 0), (HERE, -100, 120)],
    ids=["another's clock is ahead", "or behind", "young", "old", "the clock was set back"],
)
def test_only_the_clock_of_its_own_host_tells_how_old_a_call_is(door, left, operator, age, waits):
    slept = []
    noted = replace(left, operator=operator, at=MOMENT - timedelta(seconds=age))
    (settled,) = settle_calls(Api(door, Settled()), [noted], now=lambda: MOMENT, sleep=slept.append)
    assert sum(slept) == waits
    assert {outcome for _, outcome in settled.outcomes} == {Outcome.NOT_APPLIED}


@pytest.mark.proof
def test_a_merge_that_the_server_finishes_meanwhile_is_done_although_our_clock_is_ahead(server, door, left):
    survivor, other = (edit.client_id for edit in left.call.edits)

    def sleep(seconds):
        slept.append(seconds)
        if sum(slept) > STILL_AT_IT / 2 and not merged:
            merged.append(server.merge(survivor, other))

    slept, merged = [], []
    noted = replace(left, operator=ELSEWHERE, at=MOMENT - timedelta(seconds=125))
    (settled,) = settle_calls(Api(door, Settled()), [noted], now=lambda: MOMENT, sleep=sleep)
    assert settled.outcomes == [(survivor, Outcome.APPLIED), (other, Outcome.APPLIED)]


@pytest.mark.proof
def test_several_calls_are_waited_for_together(door, left):
    slept = []
    noted = [replace(left, operator=ELSEWHERE, call_id=call_id) for call_id in ("one", "two")]
    settle_calls(Api(door, Settled()), noted, now=lambda: MOMENT, sleep=slept.append)
    assert sum(slept) == STILL_AT_IT


class Interrupted(httpx.HTTPTransport):
    """A wire on which Ctrl-C comes while a merge is on its way."""

    def handle_request(self, request):
        if request.url.path.endswith("/merge"):
            raise KeyboardInterrupt
        return super().handle_request(request)


@pytest.mark.proof
def test_a_merge_that_ctrl_c_has_interrupted_is_waited_for_by_the_next_write(server, told, make):
    (one, other, third), slept = make("A", "B", "C"), []
    limits = DoorSettings(server.box.url, requests_per_second=10_000)
    with Door(limits, Secret(server.box.token), transport=Interrupted()) as door, ExitStack() as stack:
        journal = journal_of(told, "main", door, stack, Clock(now=lambda: MOMENT), slept.append)
        api = Api(door, journal, Password(lambda: Secret(server.box.password)))
        clients.archive(api, [third])
        with pytest.raises(KeyboardInterrupt):
            clients.merge(api, one, other, backup=lambda _: None)
        assert slept == []
        clients.restore(api, [third])
    assert sum(slept) == STILL_AT_IT
    assert opened(told) == []

"""A sandbox for the tests of a file, and a desk at which wishes are planned and applied, on each engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from connector.clients.merge import NOBODY
from connector.door.door import Door, DoorSettings
from connector.door.secret import Secret
from flows.configuration.values import Push, Settings, Source
from flows.pull.job import Job
from flows.pull.pull import pull
from flows.push.apply import Applied, apply_plan, resume_plan
from flows.push.plan import Planned, plan_push
from flows.push.wishes import WishedRow
from flows.session.ready import open_ready
from sandbox.server import running
from tests.connector.clients.conftest import Box
from tests.engines import address


class Killed(BaseException):
    """What a kill of the process is to the code: nothing catches it."""


class Wire(httpx.BaseTransport):
    """The way to the sandbox, which is cut where a test says so: before a request is sent, or behind its answer.

    `kill` is asked for each request, with its number from 1 on.
    """

    def __init__(self) -> None:
        self.inner = httpx.HTTPTransport()
        self.reset()

    def reset(self, kill: Callable[[int, httpx.Request], bool] = lambda _n, _r: False, *, after: bool = False) -> None:
        """Forget what was sent, and cut from now on where it says so."""
        self.sent: list[httpx.Request] = []
        self.kill, self.after = kill, after

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        due = self.kill(len(self.sent), request)
        if due and not self.after:
            raise Killed
        try:
            answer = self.inner.handle_request(request)
        except httpx.TransportError:
            if due:
                raise Killed from None
            raise
        if due:
            answer.read()
            raise Killed
        return answer

    def writes(self) -> list[str]:
        return [f"{r.method} {r.url.path}" for r in self.sent if is_write(r)]


def is_write(request: httpx.Request) -> bool:
    path = request.url.path
    return request.method != "GET" and not path.endswith(("/companies/current", f"/{NOBODY}/purge"))


@dataclass
class Desk:
    """Settings with one source, the wire to its server, and what is done there."""

    box: Box
    settings: Settings
    wire: Wire
    token: str

    def door(self) -> Door:
        fast = DoorSettings(self.box.sandbox.url, requests_per_second=100_000, retry_budget=1000)
        return Door(fast, Secret(self.token), transport=self.wire, sleep=lambda _: None)

    def pull(self):
        return pull(Job(self.settings, "main", self.door()))

    def plan(self, *wishes: tuple[str, dict]) -> Planned:
        rows = [WishedRow(f"row {n}", "id", key, values) for n, (key, values) in enumerate(wishes, start=1)]
        return plan_push(self.settings, "main", self.door(), rows)

    def apply(self, planned: Planned, **more) -> Applied:
        assert planned.plan is not None, planned.refused
        told = {"pulls": False, **more}
        return apply_plan(self.settings, self.door(), planned.plan.plan_id, planned.plan.digest, **told)

    def resume(self, planned: Planned) -> Applied:
        assert planned.plan is not None
        return resume_plan(self.settings, self.door(), planned.plan.plan_id, pulls=False)

    def query(self, sql: str, **params):
        with open_ready(self.settings) as warehouse:
            return warehouse.rows(sql, params)


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with running(clients=12, seed=5) as sandbox:
        yield Box(sandbox)


def desk_of(box: Box, place) -> Desk:
    source = Source(url=box.sandbox.url, page_size=50, requests_per_second=100_000, look_back=60, entities=("clients",))
    push = Push(at_least=100)
    settings = Settings(warehouse=address(place), sources={"main": source}, publish=False, push=push)
    return Desk(box, settings, Wire(), box.sandbox.token)


@pytest.fixture
def desk(box, place) -> Iterator[Desk]:
    """A desk whose warehouse holds nothing yet; wishes by id need no mirror."""
    made = desk_of(box, place)
    with made.wire.inner:
        yield made


@pytest.fixture(autouse=True)
def _kept_open(kept_open):
    """What is tried here is not how a warehouse is opened."""

"""Two operators at two machines with one warehouse in Postgres: each merge is sent once, and no plan is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal

import pytest

from sandbox.server import running
from tests.connector.clients.conftest import Box
from tests.engines import address


class Operator:
    """A process with a home of its own."""

    def __init__(self, box: Box, place, home) -> None:
        home.mkdir()
        command = [sys.executable, "-m", "tests.flows.merge.operator"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        told = {
            "url": box.sandbox.url, "token": box.sandbox.token, "password": box.sandbox.password,
            "warehouse": address(place), "home": str(home), "wait": 60,
        }  # fmt: skip
        self.order(**told)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def order(self, **what: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def end(self) -> None:
        with self.process:  # closes its pipes, and waits for it
            pass


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with running(clients=4, seed=5, behaves_like="5.12") as sandbox:
        yield Box(sandbox)


@pytest.fixture(scope="module")
def two(box, databases, migrated, tmp_path_factory) -> Iterator[tuple[Operator, Operator]]:
    place, homes = databases.copy(migrated), tmp_path_factory.mktemp("homes")
    with ExitStack() as stack:
        operators = [Operator(box, place, homes / name) for name in ("one", "two")]
        for operator in operators:
            stack.callback(operator.end)
        yield tuple(operators)


def make(box, name, balance="0", **more):
    made = box.make(name, settings={"currency_id": "1"}, **more)
    box.balances(made, balance=balance)
    return made["id"]


def at_once(two, first, second):
    """Both orders, given to both before either is answered."""
    for operator, what in zip(two, (first, second), strict=True):
        operator.order(**what)
    return [operator.answer() for operator in two]


def merges(box):
    return sum(one.split("?")[0].endswith("/merge") for one in box.requests())


def there(box, client_id):
    return bool(box.call("GET", f"/api/v1/clients?client_id={client_id}")["data"])


def test_of_two_who_apply_one_plan_one_does_and_nobody_is_merged_twice(box, two):
    kept, *gone = (make(box, name, "1", contacts=[{"email": f"{name}@m.test"}]) for name in "abcd")
    two[0].order(verb="plan", pairs=[(kept, one) for one in gone])
    plan = two[0].answer()["plan"]
    box.requests()
    answers = at_once(two, {"verb": "apply", "plan": plan}, {"verb": "apply", "plan": plan})
    assert sorted(one["error"] for one in answers) == ["", "StalePlan"]
    assert merges(box) == 3
    assert box.show(kept)["balance"] == Decimal(4)
    assert len(box.show(kept)["contacts"]) == 4


def test_of_two_plans_about_one_client_the_later_one_stops(box, two):
    a, b, gone = (make(box, name, "1") for name in "abc")
    orders = ({"verb": "plan", "pairs": [(kept, gone)]} for kept in (a, b))
    plans = [one["plan"] for one in at_once(two, *orders)]
    box.requests()
    answers = at_once(two, *({"verb": "apply", "plan": plan} for plan in plans))
    assert sorted(one["error"] for one in answers) == ["", "StalePlan"]
    assert merges(box) == 1
    assert box.show(a)["balance"] + box.show(b)["balance"] == 3
    assert not there(box, gone)


def test_of_two_who_resume_one_plan_one_does_and_plans_made_meanwhile_are_whole(box, two):
    kept, gone = make(box, "a", "1"), make(box, "b", "1", id_number="G-1")
    others = [make(box, name) for name in "cd"]
    two[0].order(verb="plan", pairs=[(kept, gone)])
    plan = two[0].answer()["plan"]
    box.switch(faults=[{"on": "PUT /clients/*", "do": "status", "status": 422, "times": 500}])
    two[0].order(verb="apply", plan=plan)
    assert two[0].answer()["error"] == "RescueMissing"
    box.switch(faults=[])
    answers = at_once(two, {"verb": "resume", "plan": plan}, {"verb": "resume", "plan": plan})
    assert sorted(one["error"] for one in answers) == ["", "StalePlan"]
    assert box.show(kept)["id_number"]
    answers = at_once(two, {"verb": "plan", "pairs": [others]}, {"verb": "plan", "pairs": [others]})
    assert all(one["plan"] for one in answers)
    box.requests()
    first, second = (one["plan"] for one in answers)
    answers = at_once(two, {"verb": "apply", "plan": first}, {"verb": "close", "plan": second})
    assert [one["error"] for one in answers] == ["", ""]
    assert merges(box) == 1

"""Sandboxes of two generations, and a desk at which merges are planned and applied."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from connector.door.secret import Secret
from flows.merge.apply import AppliedMerges, apply_merges, close_merges, resume_merges
from flows.merge.plan import PlannedMerges, plan_merges
from sandbox.server import running
from tests.connector.clients.conftest import Box
from tests.flows.push.conftest import Desk, desk_of
from tests.short import leave_out


class MergeDesk:
    """What is done about merges at a desk; the waits take no time."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.box, self.wire = desk, desk.box, desk.wire

    def plan(self, *pairs: tuple[str, str], **more) -> PlannedMerges:
        return plan_merges(self.desk.settings, "main", self.desk.door(), pairs, **more)

    def apply(self, planned: PlannedMerges, password: str = "", digest: str = "", **more) -> AppliedMerges:
        assert planned.plan is not None, planned.refused
        told = {"pulls": False, "sleep": lambda _: None, **more}
        plan = planned.plan
        return apply_merges(
            self.desk.settings, self.desk.door(), plan.plan_id, digest or plan.digest, self._reader(password), **told
        )

    def resume(self, planned: PlannedMerges, **more) -> AppliedMerges:
        assert planned.plan is not None
        told = {"pulls": False, "sleep": lambda _: None, **more}
        return resume_merges(self.desk.settings, self.desk.door(), planned.plan.plan_id, self._reader(""), **told)

    def close(self, planned: PlannedMerges) -> AppliedMerges:
        assert planned.plan is not None
        return close_merges(self.desk.settings, planned.plan.plan_id)

    def _reader(self, password: str) -> Callable[[], Secret]:
        return lambda: Secret(password or self.box.sandbox.password)

    def make(self, name: str, balance: str = "0", paid: str = "0", **more) -> dict:
        """A client with a currency and figures that have papers behind them."""
        made = self.box.make(name, **{"settings": {"currency_id": "1"}, **more})
        self.box.balances(made, balance=balance, paid_to_date=paid)
        return self.box.show(made["id"])

    def merges(self) -> int:
        return len([one for one in self.wire.writes() if one.endswith("/merge")])

    def there(self, client_id: str) -> bool:
        found = self.box.call("GET", f"/api/v1/clients?client_id={client_id}")["data"]
        return bool(found)

    def total(self, *ids: str) -> Decimal:
        return sum((self.box.show(one)["balance"] for one in ids), Decimal(0))


WHERE = [("5.10", "duckdb"), ("5.10", "postgres"), ("2026", "duckdb")]
"""Generations of the server, and engines of the warehouse: each case is tried on the first, and on another."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Leave out the one that has not its turn."""

    def has_turn(item):
        where = item.callspec.params.get("where") if hasattr(item, "callspec") else None
        case = item.nodeid.replace("-".join(where or ()), "")
        return where not in WHERE[1:] or WHERE[1 + zlib.crc32(case.encode()) % 2] == where

    leave_out(items, [item for item in items if not has_turn(item)])


@pytest.fixture(scope="module", params=WHERE, ids="-".join)
def where(request) -> tuple[str, str]:
    return request.param


@pytest.fixture(scope="module")
def box(where) -> Iterator[Box]:
    with running(clients=6, seed=5, behaves_like=where[0]) as sandbox:
        yield Box(sandbox)


@pytest.fixture
def desk(box, where, on_engine) -> Iterator[MergeDesk]:
    made = desk_of(box, on_engine(where[1]))
    with made.wire.inner:
        yield MergeDesk(made)


@pytest.fixture(autouse=True)
def _kept_open(kept_open):
    """What is tried here is not how a warehouse is opened."""

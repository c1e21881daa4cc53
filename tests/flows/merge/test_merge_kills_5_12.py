"""A 5.12 server that dies in a merge while we are killed too: nothing is sent twice, and a person ends it.

Up to 5.12 each step of a merge is committed on its own, so a merge may be half done; and who waits for its answer may
be killed at any request that asks what became of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from flows.session.ready import open_ready
from flows.session.settle import settle_by_word
from sandbox.server import running
from schemas.errors import StalePlan, UnsafePlan
from schemas.journal import Outcome
from tests.connector.clients.conftest import Box
from tests.flows.merge.test_merge_plans import LONG
from tests.flows.push.conftest import Killed
from warehouse.control.journal import open_calls

STEPS = 6
BEHIND = range(4)
"""Requests behind the merge, itself the first, at which we are killed."""
DEATHS = [
    (step, how, behind)
    for step in range(STEPS + 1)
    for even, how in enumerate(["500", "no_answer"])
    for behind in BEHIND
    if LONG or (step % 2 == even and behind % 2 == (step // 2) % 2)
]


@pytest.fixture(scope="module")
def where() -> tuple[str, str]:
    return "5.12", "duckdb"


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with running(clients=4, seed=5, behaves_like="5.12") as sandbox:
        yield Box(sandbox)


def settled(desk, outcome):
    with open_ready(desk.desk.settings) as warehouse:
        (call,) = open_calls(warehouse, "main")
    settle_by_word(desk.desk.settings, "main", call.call_id, outcome)


@pytest.mark.quick(where=lambda step, behind, **_: behind == step // 2 % 2)
@pytest.mark.parametrize(("step", "how", "behind"), DEATHS)
def test_the_server_dies_and_so_do_we(desk, step, how, behind):
    one, other = desk.make("One", "10"), desk.make("Two", "5.5", contacts=[{"first_name": "Bob", "email": "b@k.test"}])
    planned = desk.plan((one["id"], other["id"]))
    desk.box.switch(merge_dies={"after": step, "do": how})
    sent: list[int] = []

    def kill(number, request):
        if request.url.path.endswith("/merge"):
            sent.append(number)
        return bool(sent) and number == sent[0] + behind

    desk.wire.reset(kill, after=True)
    try:
        desk.apply(planned)
    except Killed:
        pass
    else:  # it had its answer with fewer requests
        assert len(desk.wire.sent) < sent[0] + behind
    desk.box.switch(merge_dies=None)
    first = desk.merges()
    desk.wire.reset()
    try:
        desk.resume(planned)
    except (UnsafePlan, StalePlan) as refused:
        half_done(desk, planned, one, other, refused)
    assert first == 1
    finished = desk.box.show(one["id"])
    if desk.merges():  # the first had done nothing, or a person has said so
        assert step == 0
    if not desk.there(other["id"]):
        assert (finished["balance"], len(finished["contacts"])) == (Decimal("15.5"), 2)


def half_done(desk, planned, one, other, refused):
    """A person looks, settles the call by word, and closes the plan: nothing is sent, and the next plan is free."""
    if "nothing to resume" in str(refused):  # it had come to its end before the kill
        return
    assert "journal settle" in str(refused)
    with pytest.raises(UnsafePlan, match="journal settle"):
        desk.close(planned)
    settled(desk, Outcome.NOT_APPLIED if desk.there(other["id"]) else Outcome.APPLIED)
    assert desk.wire.writes() == []
    desk.close(planned)
    a, b = desk.make("Next"), desk.make("Next too")
    before = desk.merges()
    assert list(desk.apply(desk.plan((a["id"], b["id"]))).states) == ["done"]
    assert desk.merges() == before + 1
    desk.wire.reset()

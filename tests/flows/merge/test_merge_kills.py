"""A plan of merges that is killed at any request and resumed merges nobody twice, and loses no cent and no contact."""

from __future__ import annotations

from decimal import Decimal

import pytest

from schemas.errors import StalePlan
from tests.flows.merge.test_merge_plans import ANN, LONG, NAMELESS, people
from tests.flows.push.conftest import Killed, is_write


def world(desk):
    one = desk.make("One", "10", "1", contacts=[ANN])
    other = desk.make("Two", "5.5", "2", contacts=[{**ANN, "phone": "", "last_name": "Lee"}, NAMELESS])
    return one, other


@pytest.mark.quick(where=lambda where, **_: where == ("5.10", "duckdb"))
@pytest.mark.parametrize("behind", [False, True], ids=["before it is sent", "behind its answer"])
def test_killed_at_any_request_and_resumed_nobody_is_merged_twice(desk, behind):
    one, other = world(desk)
    planned = desk.plan((one["id"], other["id"]))
    desk.wire.reset()
    desk.apply(planned)
    writes = [is_write(request) for request in desk.wire.sent]
    wanted = people(desk.box.show(one["id"]))
    first = writes.index(True) + 1
    # behind the answers to reads too: to each third one, unless it is the long run
    places = [n for n, write in enumerate(writes, start=1) if write or (behind and n >= first and (LONG or n % 3 == 0))]
    for number in places:
        one, other = world(desk)
        planned = desk.plan((one["id"], other["id"]))
        desk.wire.reset(lambda n, _request, number=number: n == number, after=behind)
        with pytest.raises(Killed):
            desk.apply(planned)
        merged = desk.merges() - int(not behind and desk.wire.sent[-1].url.path.endswith("/merge"))
        desk.wire.reset()
        try:
            ended = desk.resume(planned)
        except StalePlan:  # killed before it had begun
            ended = desk.apply(planned)
        assert ended.stopped is None, (number, ended)
        assert merged + desk.merges() == 1, number
        after = desk.box.show(one["id"])
        assert (after["balance"], after["paid_to_date"], people(after)) == (Decimal("15.5"), 3, wanted), number

"""An approval is of a plan as it was made, while it can be applied; and of nothing that an erasure has left of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from flows.plans.approvals import approve_digest, find_plan_by_digest
from flows.session.clock import SYSTEM_CLOCK
from flows.session.operator import operator
from flows.session.ready import open_ready
from flows.upkeep.erase import erase_client
from schemas.errors import StalePlan
from tests.flows.push.conftest import Killed, is_write
from warehouse.control.approvals import require_approval


@pytest.fixture
def planned(desk, box):
    made = [box.make(f"Approved {n}") for n in range(2)]
    return desk.plan(*((one["id"], {"city": f"City {n}"}) for n, one in enumerate(made)))


def test_the_plan_is_found_as_it_lies_there_and_approved_by_the_user_of_this_machine(desk, planned):
    found = find_plan_by_digest(desk.settings, planned.plan.digest)
    assert (found.stored.plan.kind, found.stored.plan, found.approval) == ("push", planned.plan, None)
    given = approve_digest(desk.settings, planned.plan.digest)
    assert (given.approved_by, given.plan_id) == (operator(), planned.plan.plan_id)
    assert approve_digest(desk.settings, planned.plan.digest) == given
    assert find_plan_by_digest(desk.settings, planned.plan.digest).approval == given
    assert desk.apply(planned).as_planned


def test_a_plan_that_has_expired_is_not_approved(desk, planned):
    late = replace(SYSTEM_CLOCK, now=lambda: SYSTEM_CLOCK.now() + timedelta(hours=25))
    with pytest.raises(StalePlan, match="has expired"):
        approve_digest(desk.settings, planned.plan.digest, late)


def test_a_plan_that_was_begun_or_applied_is_not_approved(desk, planned):
    desk.wire.reset(lambda _n, request: is_write(request))
    with pytest.raises(Killed):
        desk.apply(planned)
    desk.wire.reset()
    with pytest.raises(StalePlan, match=r"is applying; .* resume it"):
        approve_digest(desk.settings, planned.plan.digest)
    desk.resume(planned)
    with pytest.raises(StalePlan, match=r"is applied; .* plan again"):
        approve_digest(desk.settings, planned.plan.digest)


@pytest.mark.opens
def test_after_an_erasure_an_approved_plan_is_neither_applied_nor_approved(desk, planned):
    plan = planned.plan
    desk.pull()
    approve_digest(desk.settings, plan.digest)
    erase_client(desk.settings, "main", plan.client_ids[0], reason="asked")
    desk.wire.reset()
    with pytest.raises(StalePlan, match="has changed since it was made"):
        desk.apply(planned)
    assert desk.wire.writes() == []
    with pytest.raises(StalePlan, match="has changed since it was made"):
        approve_digest(desk.settings, plan.digest)
    with open_ready(desk.settings) as warehouse:
        assert require_approval(warehouse, "main", plan.plan_id, plan.digest).approved_by == operator()

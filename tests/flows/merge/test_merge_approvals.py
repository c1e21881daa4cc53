"""Merges are approved like changes; what an erasure has left of them is neither merged nor approved."""

from __future__ import annotations

import pytest

from flows.plans.approvals import approve_digest, find_plan_by_digest, reject_digest
from flows.upkeep.erase import erase_client
from schemas.errors import StalePlan


@pytest.mark.opens
def test_merges_are_approved_and_after_an_erasure_neither_merged_nor_approved(desk):
    one, two, three = (desk.make(name, "1") for name in "ABC")
    planned = desk.plan((one["id"], two["id"]), (one["id"], three["id"]))
    digest = planned.plan.digest
    assert approve_digest(desk.desk.settings, digest).plan_id == planned.plan.plan_id
    found = find_plan_by_digest(desk.desk.settings, digest)
    assert (found.stored.plan.kind, found.stored.plan.digest, found.approval.digest) == ("merge", digest, digest)
    erase_client(desk.desk.settings, "main", three["id"], reason="asked")
    with pytest.raises(StalePlan, match="has changed since it was made"):
        desk.apply(planned)
    assert desk.merges() == 0
    with pytest.raises(StalePlan, match="has changed since it was made"):
        approve_digest(desk.desk.settings, digest)


def test_rejected_merges_are_merged_by_no_road(desk):
    one, two = (desk.make(name, "1") for name in "DE")
    planned = desk.plan((one["id"], two["id"]))
    reject_digest(desk.desk.settings, planned.plan.digest, "They are two shops of one family.")
    desk.wire.reset()
    for road in (
        lambda: desk.apply(planned),
        lambda: desk.resume(planned),
        lambda: approve_digest(desk.desk.settings, planned.plan.digest),
    ):
        with pytest.raises(StalePlan, match=r"was rejected by .* `ninja-sync merge show"):
            road()
    with pytest.raises(StalePlan, match="is rejected: there is nothing to close"):
        desk.close(planned)
    assert desk.wire.writes() == []
    assert desk.there(two["id"])


def test_merges_that_are_rejected_right_before_the_first_one_are_not_sent(desk):
    one, two = (desk.make(name, "1") for name in "FG")
    planned = desk.plan((one["id"], two["id"]))
    left = [planned.plan.digest]

    def hook(_number, request):
        if left and one["id"] in request.url.path:
            reject_digest(desk.desk.settings, left.pop(), "No.")
        return False

    desk.wire.reset(hook)
    with pytest.raises(StalePlan, match="has rejected the plan"):
        desk.apply(planned)
    assert desk.wire.writes() == []
    assert desk.there(two["id"])

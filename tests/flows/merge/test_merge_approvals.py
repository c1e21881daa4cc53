"""Merges are approved like changes; what an erasure has left of them is neither merged nor approved."""

from __future__ import annotations

import pytest

from flows.plans.approvals import approve_digest, find_plan_by_digest
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

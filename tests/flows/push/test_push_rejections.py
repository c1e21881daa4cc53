"""A rejected plan is refused on every road, and its queued changes wait for their author."""

from __future__ import annotations

import pytest

from flows.plans.applying import find_plan
from flows.plans.approvals import approval_of_plan, approve_digest, reject_digest, said_as_json, said_of
from flows.push.apply import close_plan, resume_plan
from flows.push.outbox import queued_changes, requeue_changes, withdraw_changes
from flows.push.plan import plan_push
from flows.push.undo import undo_plan
from flows.session.operator import acting_as, operator
from flows.session.ready import open_ready
from schemas.errors import SettingsError, StalePlan
from tests.flows.push.conftest import Killed, is_write
from tests.flows.push.test_push_outbox import insert, plan
from warehouse.control.approvals import ask

WHY = "The town is Biel, not Bern."


@pytest.fixture
def planned(desk, box):
    made = [box.make(f"Rejected {n}") for n in range(2)]
    return desk.plan(*((one["id"], {"city": f"City {n}"}) for n, one in enumerate(made)))


def test_a_rejected_plan_is_sent_by_no_road(desk, planned):
    made = planned.plan
    approve_digest(desk.settings, made.digest, comment="looks right")
    with acting_as("Eva"):
        rejected = reject_digest(desk.settings, made.digest, f"  {WHY}\n")
    assert (rejected.stored.state, rejected.stored.rejection.comment) == ("rejected", WHY)
    assert rejected.stored.rejection.rejected_by.startswith("Eva@")
    desk.wire.reset()
    again = (
        lambda: desk.apply(planned),
        lambda: desk.apply(planned, force=True),
        lambda: desk.resume(planned),
        lambda: resume_plan(desk.settings, desk.door(), made.plan_id, made.digest),
        lambda: approve_digest(desk.settings, made.digest),
        lambda: reject_digest(desk.settings, made.digest, "again"),
    )
    for road in again:
        with pytest.raises(StalePlan, match=r"was rejected by Eva@.*shows why") as refused:
            road()
        assert WHY not in str(refused.value)  # a comment may name a person
    for road in (
        lambda: close_plan(desk.settings, made.plan_id),
        lambda: undo_plan(desk.settings, desk.door(), made.plan_id),
    ):
        with pytest.raises(StalePlan, match="is rejected"):
            road()
    assert desk.wire.writes() == []


def test_both_comments_are_kept_and_shown(desk, planned):
    approve_digest(desk.settings, planned.plan.digest, comment=" looks right ")
    reject_digest(desk.settings, planned.plan.digest, WHY)
    stored = find_plan(desk.settings, "push", planned.plan.plan_id)
    approval = approval_of_plan(desk.settings, stored)
    approved, rejected = said_of(stored, approval)
    assert (approved.endswith(": looks right"), rejected.endswith(f": {WHY}")) == (True, True)
    assert approved.startswith(f"Approved by {operator()}, ")
    told = said_as_json(stored, approval)
    assert (told["approval"]["comment"], told["rejection"]["comment"]) == ("looks right", WHY)


def test_a_rejection_needs_a_reason_and_no_comment_is_endless(desk, planned):
    for why in ("", "  \n"):
        with pytest.raises(SettingsError, match="Say why"):
            reject_digest(desk.settings, planned.plan.digest, why)
    for road in (
        lambda: reject_digest(desk.settings, planned.plan.digest, "x" * 2001),
        lambda: approve_digest(desk.settings, planned.plan.digest, comment="x" * 2001),
    ):
        with pytest.raises(SettingsError, match="2,001 characters"):
            road()
    assert desk.apply(planned).as_planned


def test_a_plan_that_was_begun_is_not_rejected(desk, planned):
    desk.wire.reset(lambda _n, request: is_write(request))
    with pytest.raises(Killed):
        desk.apply(planned)
    desk.wire.reset()
    with pytest.raises(StalePlan, match=r"is applying; .* resume it"):
        reject_digest(desk.settings, planned.plan.digest, WHY)
    assert desk.resume(planned).as_planned


def test_a_plan_that_is_rejected_right_before_its_first_request_sends_nothing(desk, planned):
    left = [planned.plan.digest]

    def hook(_number, request):
        if left and "/clients" in request.url.path:
            reject_digest(desk.settings, left.pop(), WHY)
        return False

    desk.wire.reset(hook)
    with pytest.raises(StalePlan, match="has rejected the plan"):
        desk.apply(planned)
    assert desk.wire.writes() == []
    assert find_plan(desk.settings, "push", planned.plan.plan_id).state == "rejected"


def test_the_run_that_asked_is_named_so_that_it_can_be_ended(desk, planned):
    made = planned.plan
    with open_ready(desk.settings) as warehouse:
        ask(warehouse, "main", made.plan_id, made.digest, "run-1", made.made_at)
    assert reject_digest(desk.settings, made.digest, WHY).asked_by == "run-1"


def test_changes_of_a_rejected_plan_wait_until_their_author_queues_them_again(desk, box):
    one, other = (box.make(name, settings={"currency_id": "1"}) for name in ("One", "Two"))
    insert(desk, (one["id"], "city", "Bern"), (other["id"], "city", "Bern"))
    first = plan(desk).plan
    reject_digest(desk.settings, first.digest, WHY)
    changes = queued_changes(desk.settings)
    assert [(change.state, change.why) for change in changes] == [("rejected", f"by {operator()}: {WHY}")] * 2
    assert plan_push(desk.settings, "main", desk.door(), None).plan is None  # no plan takes them by itself
    again, gone = changes
    requeue_changes(desk.settings, [again.change_id])
    withdraw_changes(desk.settings, [gone.change_id[:8]])
    second = plan(desk).plan
    assert second.client_ids == [again.client_id]
    with pytest.raises(SettingsError, match=f"planned and cannot be queued again: the plan {second.plan_id} has it"):
        requeue_changes(desk.settings, [again.change_id])
    with pytest.raises(SettingsError, match="There is no change"):
        requeue_changes(desk.settings, [gone.change_id])


def test_a_refused_change_is_queued_again_once_its_reason_is_gone(desk, box):
    one = box.make("Deleted", settings={"currency_id": "1"})
    box.call("POST", "/api/v1/clients/bulk", {"action": "delete", "ids": [one["id"]]})
    insert(desk, (one["id"], "city", "Bern"))
    assert plan(desk).refused
    (refused,) = queued_changes(desk.settings)
    box.call("POST", "/api/v1/clients/bulk", {"action": "restore", "ids": [one["id"]]})
    assert plan(desk).plan is None
    requeue_changes(desk.settings, [refused.change_id])
    assert [(cell.client_id, cell.after) for cell in plan(desk).plan.cells] == [(one["id"], "Bern")]

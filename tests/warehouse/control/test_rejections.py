"""Rejections in the warehouse: once, of a plan that nobody has begun, and no later note makes it unrejected."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from schemas.errors import StalePlan
from schemas.plan import Cell, Plan
from tests.records import MOMENT
from warehouse.control.approvals import approval_of, approve, waiting
from warehouse.control.plans import APPLIED, APPLYING, ENDED, PLANNED, REJECTED, read_plan, set_state, store_plan
from warehouse.control.rejections import Rejection, reject
from warehouse.opened.open import open_place

LATER = MOMENT + timedelta(minutes=5)
PLAN = Plan(
    "push-20261128-1a2b3c", "main", "push", MOMENT, MOMENT + timedelta(days=1), MOMENT, MOMENT, "ann@desk", "",
    "company", cells=[Cell("a1", "city", "Bern", "Zürich")],
)  # fmt: skip
WHY = "Zürich is wrong: 'ask' the client\nfirst"


def turn_down(warehouse, by="eva@desk", why=WHY):
    reject(warehouse, PLAN, PLAN.digest, by, why, LATER)


def stored_state(warehouse):
    return read_plan(warehouse, PLAN.plan_id, "push").state


def test_a_rejected_plan_keeps_who_rejected_it_and_why_and_waits_for_nobody(warehouse):
    store_plan(warehouse, PLAN)
    assert read_plan(warehouse, PLAN.plan_id, "push").rejection is None
    turn_down(warehouse)
    stored = read_plan(warehouse, PLAN.plan_id, "push")
    assert (stored.state, stored.rejection) == (REJECTED, Rejection("eva@desk", LATER, WHY))
    assert stored.plan == PLAN
    assert waiting(warehouse, None, MOMENT) == []


@pytest.mark.parametrize("state", [PLANNED, APPLYING, APPLIED, ENDED])
def test_no_later_note_makes_a_rejected_plan_any_other(warehouse, state):
    store_plan(warehouse, PLAN)
    turn_down(warehouse)
    with pytest.raises(StalePlan, match=r"has rejected the plan .* `ninja-sync push show push-20261128-1a2b3c`"):
        set_state(warehouse, PLAN, state, LATER)
    assert stored_state(warehouse) == REJECTED


@pytest.mark.parametrize("state", [APPLYING, APPLIED, ENDED])
def test_a_plan_that_was_begun_or_has_ended_is_not_rejected(warehouse, state):
    store_plan(warehouse, PLAN)
    set_state(warehouse, PLAN, state, LATER)
    with pytest.raises(StalePlan, match="it is not rejected"):
        turn_down(warehouse)
    assert stored_state(warehouse) == state
    assert warehouse.rows("select count(*) from control.rejections") == [(0,)]


def test_another_digest_rejects_nothing(warehouse):
    store_plan(warehouse, PLAN)
    with pytest.raises(StalePlan, match="it is not rejected"):
        reject(warehouse, PLAN, "0" * 16, "eva@desk", WHY, LATER)
    assert stored_state(warehouse) == PLANNED


def test_a_rejection_after_an_approval_counts_and_the_approval_stays_on_record(warehouse):
    store_plan(warehouse, PLAN)
    assert approve(warehouse, PLAN.digest, "bob@desk", MOMENT, comment="fine").comment == "fine"
    turn_down(warehouse)
    assert stored_state(warehouse) == REJECTED
    assert approval_of(warehouse, PLAN.plan_id, PLAN.digest).approved_by == "bob@desk"


def test_of_many_who_reject_and_begin_at_once_on_postgres_exactly_one_comes_first(postgres_place):
    with open_place(postgres_place) as opened:
        store_plan(opened, PLAN)

    def act(number):
        with open_place(postgres_place) as own:
            try:
                if number % 2:
                    turn_down(own, by=f"person {number}")
                else:
                    set_state(own, PLAN, APPLYING, LATER)
            except StalePlan:
                return "too late"
            return "rejected" if number % 2 else "begun"

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(act, range(12)))
    with open_place(postgres_place) as opened:
        state = stored_state(opened)
        rows = opened.rows("select count(*) from control.rejections")
    assert done.count("rejected") == (state == REJECTED) == rows[0][0]
    assert ("begun" in done) == (state == APPLYING)

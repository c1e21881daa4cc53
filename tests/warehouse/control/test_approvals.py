"""Approvals in the warehouse: of exactly one digest, kept through a second question, never given by asking."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from schemas.errors import SettingsError, StalePlan
from schemas.merge_plan import MergeStep
from schemas.plan import Cell, Plan
from tests.records import MOMENT
from warehouse.control.approvals import Waiting, approval_of, approve, ask, asked_by, require_approval, waiting
from warehouse.control.erase import erase
from warehouse.control.plans import APPLIED, APPLYING, read_plan, set_state, store_plan
from warehouse.opened.open import open_place

LATER = MOMENT + timedelta(minutes=5)
UNTIL = MOMENT + timedelta(days=1)
PUSH = Plan(
    "push-20261128-1a2b3c", "main", "push", MOMENT, UNTIL, MOMENT, MOMENT, "ann@desk", "the best", "company",
    cells=[
        Cell("a1", "city", "Bern", "Zürich"), Cell("a1", "website", None, "x.test"), Cell("b2", "city", None, "Zug"),
    ],
)  # fmt: skip
STEPS = [MergeStep("s1", "m1", {}, {}), MergeStep("s1", "m2", {}, {})]
MERGES = Plan(
    "merge-20261128-4d5e6f", "main", "merge", LATER, UNTIL, MOMENT, MOMENT, "ann@desk", "", "company", "5.10.42",
    steps=STEPS,
)  # fmt: skip


@pytest.fixture
def stored(warehouse):
    """A warehouse with a plan of each kind."""
    store_plan(warehouse, PUSH)
    store_plan(warehouse, MERGES)
    return warehouse


@pytest.mark.parametrize("plan", [PUSH, MERGES], ids=["push", "merge"])
def test_a_plan_is_approved_by_its_digest_and_by_no_other(stored, plan):
    ask(stored, "main", plan.plan_id, plan.digest, "run-1", MOMENT)
    assert approval_of(stored, plan.plan_id, plan.digest) is None
    with pytest.raises(StalePlan, match=f"not approved: ninja-sync approve {plan.digest}"):
        require_approval(stored, "main", plan.plan_id, plan.digest)
    with pytest.raises(SettingsError, match="No plan has the digest"):
        approve(stored, plan.digest[:12], "eva@desk", LATER)
    given = approve(stored, plan.digest, "eva@desk", LATER)
    assert (given.plan_id, given.asked_by, given.asked_at) == (plan.plan_id, "run-1", MOMENT)
    assert (given.approved_by, given.approved_at) == ("eva@desk", LATER)
    assert require_approval(stored, "main", plan.plan_id, plan.digest) == given
    for other in [
        ("main", plan.plan_id, "0" * 16),
        ("main", "push-other", plan.digest),
        ("b", plan.plan_id, plan.digest),
    ]:
        with pytest.raises(StalePlan, match="not approved"):
            require_approval(stored, *other)


def test_a_plan_that_nobody_asked_for_can_be_approved_and_asked_for_afterwards(stored):
    given = approve(stored, PUSH.digest, "eva@desk", MOMENT)
    assert (given.asked_by, given.asked_at) == (None, None)
    ask(stored, "main", PUSH.plan_id, PUSH.digest, "run-1", LATER)
    found = require_approval(stored, "main", PUSH.plan_id, PUSH.digest)
    assert found == replace(given, asked_by="run-1", asked_at=LATER)


def test_the_first_approval_stays(stored):
    approve(stored, PUSH.digest, "eva@desk", MOMENT)
    assert approve(stored, PUSH.digest, "bob@desk", LATER).approved_by == "eva@desk"
    assert stored.rows("select count(*) from control.approvals") == [(1,)]


def test_a_run_that_starts_anew_finds_the_plan_that_it_asked_for_last(stored):
    ask(stored, "main", PUSH.plan_id, PUSH.digest, "run-1", MOMENT)
    ask(stored, "main", PUSH.plan_id, PUSH.digest, "run-1", MOMENT)
    ask(stored, "main", MERGES.plan_id, MERGES.digest, "run-1", LATER)
    assert asked_by(stored, "run-1").plan_id == MERGES.plan_id
    assert asked_by(stored, "run-2") is None
    assert stored.rows("select count(*) from control.approvals") == [(2,)]


def test_what_can_be_approved_is_waiting_and_nothing_else(stored):
    store_plan(stored, replace(PUSH, plan_id="push-other", source="other"))
    store_plan(stored, replace(PUSH, plan_id="push-expired", expires_at=MOMENT + timedelta(seconds=1)))
    ask(stored, "main", MERGES.plan_id, MERGES.digest, "run-1", MOMENT)
    assert waiting(stored, "main", LATER) == [
        Waiting("main", PUSH.plan_id, "push", 2, MOMENT, UNTIL, PUSH.digest, None),
        Waiting("main", MERGES.plan_id, "merge", 3, LATER, UNTIL, MERGES.digest, "run-1"),
    ]
    assert {one.source for one in waiting(stored, None, LATER)} == {"main", "other"}
    approve(stored, MERGES.digest, "eva@desk", LATER)
    set_state(stored, PUSH, APPLYING, LATER)
    assert waiting(stored, "main", LATER) == []


@pytest.mark.parametrize("state", [APPLYING, APPLIED])
def test_merges_that_were_begun_wait_for_nobody(stored, state):
    set_state(stored, MERGES, state, LATER)
    assert [one.plan_id for one in waiting(stored, "main", LATER)] == [PUSH.plan_id]


@pytest.mark.parametrize(("plan", "client"), [(PUSH, "a1"), (MERGES, "m1")])
def test_an_approval_is_not_of_what_is_left_of_a_plan_when_a_client_is_erased(stored, plan, client):
    approve(stored, plan.digest, "eva@desk", MOMENT)
    erase(stored, "main", client, reason="asked", keep_balances=False, now=LATER)
    left = read_plan(stored, plan.plan_id, plan.kind).plan
    assert left.digest != plan.digest
    with pytest.raises(StalePlan, match="not approved"):
        require_approval(stored, "main", plan.plan_id, left.digest)


def test_two_who_ask_and_approve_at_once_on_postgres_make_one_row(postgres_place):
    with open_place(postgres_place) as opened:
        store_plan(opened, PUSH)

    def note(number):
        with open_place(postgres_place) as own:
            if number % 2:
                approve(own, PUSH.digest, f"person {number}", MOMENT)
            else:
                ask(own, "main", PUSH.plan_id, PUSH.digest, f"run-{number}", MOMENT)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(note, range(12)))
    with open_place(postgres_place) as opened:
        assert opened.rows("select count(*), count(asked_by), count(approved_by) from control.approvals") == [(1, 1, 1)]

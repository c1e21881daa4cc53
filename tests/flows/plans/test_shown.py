"""Plans as people look at them: what waits comes first, pages fit together, and values have names, not ids."""

from __future__ import annotations

from dataclasses import replace as replaced
from datetime import timedelta

import pytest
from msgspec.structs import replace

from flows.configuration.values import Push, Settings, Source
from flows.plans.approvals import approve_digest, reject_digest
from flows.plans.shown import LOOK, one_plan, plans_page, shown_plan
from flows.session.clock import SYSTEM_CLOCK
from flows.session.ready import make_ready, open_ready
from schemas.errors import Busy, SettingsError
from schemas.journal import Outcome
from schemas.merge_plan import MergeStep
from schemas.plan import Cell, CellOutcome, Plan
from tests.engines import address
from tests.records import MOMENT
from warehouse.control.approvals import ask
from warehouse.control.plans import APPLIED, APPLYING, ENDED, note_outcomes, set_state, set_step, store_plan

DAY = timedelta(days=1)
CLOCK = replace(SYSTEM_CLOCK, now=lambda: MOMENT)
CELLS = [
    Cell("a", "city", "Bern", "Zug"), Cell("a", "country_id", "276", None), Cell("b", "city", None, "Genf"),
    Cell("b", "is_tax_exempt", False, True), Cell("gone", "custom_value1", "", "<b>\u202e x</b>"),
]  # fmt: skip
PUSH = Plan("push-1", "main", "push", MOMENT, MOMENT + DAY, MOMENT, MOMENT, "ann@desk", "why", "company", cells=CELLS)
MERGES = Plan(
    "merge-1", "main", "merge", MOMENT, MOMENT + DAY, MOMENT, MOMENT, "ann@desk", "", "company", "5.10",
    steps=[MergeStep("s1", "m1", {}, {}), MergeStep("s1", "m2", {}, {})],
)  # fmt: skip

CLIENT = """insert into ninja.clients (
    source, id, number, display_name, balance, paid_to_date, payment_balance, credit_balance, is_deleted, row_hash,
    record, run_id, observed_run_id, valid_from, observed_at
) values ('main', $id, $number, $name, 0, 0, 0, 0, false, '', cast('{}' as json), 'r', 'r', now(), now())"""


@pytest.fixture
def settings(place):
    return Settings(warehouse=address(place), sources={"main": Source(url="http://127.0.0.1:9")}, publish=False)


@pytest.fixture
def store(settings):
    """Store plans, each as a variant of the one before."""

    def run(*plans):
        with open_ready(settings) as warehouse:
            for plan in plans:
                store_plan(warehouse, plan)

    return run


def page(settings, number=1, **more):
    return plans_page(settings, None, number, clock=CLOCK, **more)


def test_what_waits_is_on_top_and_then_the_newest(settings, store):
    names = ("applied", "expired", "waits", "cut off", "newest applied", "waits longer")
    made = {
        name: replaced(PUSH, plan_id=name, made_at=MOMENT - timedelta(minutes=at)) for name, at in
        zip(names, (1, 2, 30, 40, 0, 50), strict=True)
    }  # fmt: skip
    made["expired"] = replaced(made["expired"], expires_at=MOMENT - timedelta(seconds=1))
    store(*made.values())
    with open_ready(settings) as warehouse:
        for name, state in {"applied": APPLIED, "newest applied": APPLIED, "cut off": APPLYING}.items():
            set_state(warehouse, made[name], state, MOMENT)
    expected = ["cut off", "waits", "waits longer", "newest applied", "applied", "expired"]
    assert [plan.plan_id for plan in page(settings).plans] == expected
    parts = [page(settings, number, most=4) for number in (1, 2, 3)]
    assert [[plan.plan_id for plan in part.plans] for part in parts] == [expected[:4], expected[4:], []]
    assert {part.total for part in parts} == {6}
    assert plans_page(settings, "other", clock=CLOCK).plans == []


def test_a_plan_has_its_counts_and_its_state_in_words(settings, store):
    store(PUSH, MERGES)
    push, merges = shown_plan(settings, "push-1", CLOCK), shown_plan(settings, "merge-1", CLOCK)
    assert (push.clients, push.cells, push.merges, push.reason) == (3, 5, 0, "why")
    assert (merges.clients, merges.cells, merges.merges, merges.merged) == (0, 0, 2, 0)
    assert (push.words, push.is_open, push.time_left) == ("ready", True, "in 24 hours")
    for later, left in ((DAY / 2, "in 12 hours"), (DAY - timedelta(seconds=90), "in 1 minute"), (DAY * 2, "")):
        clock = replace(SYSTEM_CLOCK, now=lambda later=later: MOMENT + later)
        assert shown_plan(settings, "push-1", clock).time_left == left
    with open_ready(settings) as warehouse:
        set_step(warehouse, MERGES, 0, "done without rescue", MOMENT)
    assert shown_plan(settings, "merge-1", CLOCK).merged == 1
    with pytest.raises(SettingsError, match="There is no plan 'push-2'"):
        shown_plan(settings, "push-2")


def test_the_words_follow_a_plan_from_its_request_to_its_rejection(settings, store):
    store(PUSH, replaced(PUSH, plan_id="push-2"), replaced(PUSH, plan_id="push-3"))
    digest = shown_plan(settings, "push-1", CLOCK).digest
    with open_ready(settings) as warehouse:
        ask(warehouse, "main", "push-1", digest, "run-1", MOMENT)
    assert shown_plan(settings, "push-1", CLOCK).words == "waits for approval"
    approve_digest(settings, digest, CLOCK, comment="fine")
    approved = shown_plan(settings, "push-1", CLOCK)
    assert (approved.words, approved.approval_comment, approved.asked_by) == ("approved", "fine", "run-1")
    reject_digest(settings, digest, "no", CLOCK)
    rejected = shown_plan(settings, "push-1", CLOCK)
    assert (rejected.words, rejected.rejection_comment, rejected.is_open) == ("rejected", "no", False)
    assert not rejected.can_be_closed
    with open_ready(settings) as warehouse:
        set_state(warehouse, replaced(PUSH, plan_id="push-2"), ENDED, MOMENT)
    assert shown_plan(settings, "push-2", CLOCK).words == "closed"
    late = replace(SYSTEM_CLOCK, now=lambda: MOMENT + 2 * DAY)
    assert shown_plan(settings, "push-3", late).words == "expired"


def test_values_have_the_names_of_clients_and_ids_and_are_found_by_field_and_outcome(settings, store):
    with open_ready(settings) as warehouse:
        for key, number, name in (("a", "0002", "Apple"), ("b", "0001", "Birne")):
            warehouse.execute(CLIENT, {"id": key, "number": number, "name": name})
    store(PUSH)
    listed = one_plan(settings, "push-1")
    assert [(v.number, v.client, v.column) for v in listed.values] == [
        ("0001", "Birne", "city"), ("0001", "Birne", "is_tax_exempt"), ("0002", "Apple", "city"),
        ("0002", "Apple", "country_id"), (None, None, "custom_value1"),
    ]  # fmt: skip
    assert [(v.field_name, v.before, v.after) for v in listed.values[1:4:2]] == [
        ("is tax exempt", "no", "yes"), ("country", "276", None),
    ]  # fmt: skip
    assert (listed.total, listed.by_outcome) == (5, {"not sent": 5})
    with open_ready(settings) as warehouse:
        note_outcomes(
            warehouse, PUSH,
            [CellOutcome("a", "city", Outcome.CONFLICT, "it is Chur now"), CellOutcome("b", "city", Outcome.APPLIED)],
            MOMENT,
        )  # fmt: skip
    conflict = one_plan(settings, "push-1", outcome="conflict")
    assert [(v.client_id, v.outcome, v.message) for v in conflict.values] == [("a", "conflict", "it is Chur now")]
    assert (conflict.total, conflict.by_outcome) == (1, {"conflict": 1, "applied": 1, "not sent": 3})
    look = one_plan(settings, "push-1", outcome=LOOK, most=2)
    assert ([(v.client_id, v.column) for v in look.values], look.total) == (
        [("b", "is_tax_exempt"), ("a", "city")], 4,
    )  # fmt: skip
    towns = one_plan(settings, "push-1", column="city")
    assert ([(v.client_id, v.outcome) for v in towns.values], towns.total) == ([("b", "applied"), ("a", "conflict")], 2)
    assert towns.by_field == {"city": 2, "country_id": 1, "custom_value1": 1, "is_tax_exempt": 1}
    for filters, ids, total in (
        ({"column": "city", "outcome": "applied"}, ["b"], 1), ({"outcome": "not sent"}, ["b", "a", "gone"], 3),
        ({"column": "none"}, [], 0), ({"outcome": "none"}, [], 0),
    ):  # fmt: skip
        found = one_plan(settings, "push-1", **filters)
        assert ([value.client_id for value in found.values], found.total) == (ids, total)
    whole = one_plan(settings, "push-1")
    assert one_plan(settings, "push-1", 2, most=3).values == whole.values[3:]
    assert whole.total == 5


def test_the_plan_that_undoes_a_plan_is_known_unless_it_came_to_nothing(settings, store):
    undo = replaced(PUSH, plan_id="push-2", undoes="push-1")
    store(PUSH, undo)
    assert one_plan(settings, "push-1", clock=CLOCK).undone_by == "push-2"
    reject_digest(settings, undo.digest, "no", CLOCK)
    assert one_plan(settings, "push-1", clock=CLOCK).undone_by is None


def test_the_limit_of_clients_is_told_for_a_plan_that_changes_more(settings, store):
    store(PUSH)
    assert one_plan(settings, "push-1", clock=CLOCK).allowed is None
    strict = replace(settings, push=Push(at_least=2, most_clients=2))
    assert one_plan(strict, "push-1", clock=CLOCK).allowed == 2
    late = replace(SYSTEM_CLOCK, now=lambda: MOMENT + 2 * DAY)
    assert one_plan(strict, "push-1", clock=late).allowed is None  # it has expired


def test_while_a_run_holds_the_warehouse_a_plan_that_no_copy_has_is_not_called_unknown(settings, tmp_path):
    mine = replace(settings, warehouse=str(tmp_path / "w.duckdb"), publish=True, wait=0)
    make_ready(mine)  # with a copy for readers
    with pytest.raises(SettingsError, match="There is no plan"):
        shown_plan(mine, "push-1")
    with open_ready(mine), pytest.raises(Busy):
        shown_plan(mine, "push-1")

"""Plans that an earlier version has stored are carried over: each in its state, with its digest, cells and merges."""

from __future__ import annotations

import hashlib
import json
from contextlib import nullcontext
from datetime import UTC, timedelta

import pytest

from schemas.errors import SettingsError
from schemas.journal import Outcome
from tests.engines import Databases, Files
from tests.records import MOMENT
from tests.warehouse.opened.older import build
from warehouse.control.approvals import plan_of, waiting
from warehouse.control.journal import WarehouseJournal, edits_of, open_calls
from warehouse.control.plans import read_plan, under_way
from warehouse.opened.migrate import migrate
from warehouse.opened.open import open_place

LAST = "0039_there_already"
"""The newest migration of the version that had a table for plans of merges."""
STATES = ("planned", "applying", "applied", "ended")
UNTIL = MOMENT + timedelta(days=1)
STEP = {
    "survivor_id": "s1", "mergeable_id": "m1", "survivor": {"balance": "1.000000", "name": "Kept"},
    "mergeable": {"balance": "2.500000", "name": "Gone"}, "allowed": ["currency"], "currencies": ["EUR", "USD"],
    "before": {"columns": {"city": "Zürich"}, "contacts": {"c1": {"phone": "1"}}, "new_contacts": [{"phone": "2"}]},
    "then": {"columns": {"id_number": "7"}, "contacts": {}, "new_contacts": []},
}  # fmt: skip


def iso(at):
    return at.astimezone(UTC).isoformat()


def digest_of(content):
    """As every version has made it."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


def digest_of_push(plan_id, cells):
    return digest_of({
        "plan_id": plan_id, "source": "main", "undoes": "push-0", "company": "company",
        "times": [iso(at) for at in (MOMENT, UNTIL, MOMENT, MOMENT)], "author": "ann@desk", "reason": "why",
        "cells": cells,
    })  # fmt: skip


def digest_of_merges(plan_id, steps):
    return digest_of(
        [plan_id, "main", "ann@desk", "why", "company", "5.10.42", iso(MOMENT), iso(UNTIL), steps],
    )


def insert(warehouse, table, *values):
    marks = {f"v{number}": value for number, value in enumerate(values)}
    listed = ", ".join(f"cast(${name} as json)" if isinstance(marks[name], Json) else f"${name}" for name in marks)
    warehouse.execute(f"insert into control.{table} values ({listed})", marks)


class Json(str):
    """A value of a JSON column."""

    __slots__ = ()


def store_older(warehouse):
    """A push and a plan of merges in each state, as an earlier version stores them."""
    for state in STATES:
        applied_at = UNTIL if state in {"applied", "ended"} else None
        plan_id, cells = f"push-{state}", [["a1", "city", "Bern", "Zürich", False], ["b2", "city", None, "Zug", True]]
        insert(
            warehouse, "plans", "main", plan_id, MOMENT, UNTIL, MOMENT, MOMENT, "ann@desk", "why", "company", "push-0",
            digest_of_push(plan_id, cells), state, applied_at,
        )  # fmt: skip
        for key, field, before, after, by_put in cells:
            told = (Json(json.dumps(before)), Json(json.dumps(after)))
            insert(warehouse, "plan_cells", "main", plan_id, key, field, *told, by_put)
        plan_id = f"merge-{state}"
        insert(
            warehouse, "merge_plans", "main", plan_id, MOMENT, UNTIL, "ann@desk", "why", "company", "5.10.42",
            digest_of_merges(plan_id, [STEP]), state, applied_at,
        )  # fmt: skip
        step_state = {"planned": "planned", "applying": "rescued", "applied": "done", "ended": "checked"}[state]
        backup = None if state == "planned" else "/backups/1.json"
        insert(
            warehouse, "merge_steps", "main", plan_id, 0, "s1", "m1", Json(json.dumps(STEP)), step_state, backup, None
        )


@pytest.fixture(params=["duckdb", "postgres"])
def older(request, tmp_path):
    """A warehouse of the earlier version, on each engine, with its plans."""
    engine = Files() if request.param == "duckdb" else Databases(request.getfixturevalue("postgres"))
    with open_place(engine.new(tmp_path / "state")) as warehouse:
        with warehouse.transaction():
            build(warehouse, LAST)
            store_older(warehouse)
        yield warehouse


@pytest.mark.parametrize("state", STATES)
def test_a_plan_of_each_kind_is_what_it_was_and_may_be_applied_as_it_was(older, state):
    migrate(older, now=MOMENT)
    push, merges = (read_plan(older, f"{kind}-{state}", kind) for kind in ("push", "merge"))
    for stored in (push, merges):
        assert (stored.state, stored.plan.digest == stored.digest) == (state, True)
        assert stored.applied_at == (UNTIL if state in {"applied", "ended"} else None)
        assert (stored.plan.made_at, stored.plan.expires_at, stored.plan.author) == (MOMENT, UNTIL, "ann@desk")
        assert plan_of(older, stored.digest) == (stored.plan.kind, "main", stored.plan.plan_id)
    assert [(c.client_id, c.before, c.after, c.by_put) for c in push.plan.cells] == [
        ("a1", "Bern", "Zürich", False), ("b2", None, "Zug", True),
    ]  # fmt: skip
    assert (push.plan.undoes, push.plan.steps, list(push.states)) == ("push-0", [], [])
    assert ([step.as_plain for step in merges.plan.steps], merges.plan.version) == ([STEP], "5.10.42")
    states = {"planned": "planned", "applying": "rescued", "applied": "done", "ended": "checked"}
    assert (list(merges.states), list(merges.places)) == ([states[state]], [0])
    assert list(merges.backups) == [None if state == "planned" else "/backups/1.json"]


def test_what_waits_and_what_is_under_way_is_found_after_the_upgrade(older):
    migrate(older, now=MOMENT)
    assert sorted(under_way(older, "main")) == [("merge", "merge-applying"), ("push", "push-applying")]
    assert [(one.plan_id, one.kind, one.clients) for one in waiting(older, "main", MOMENT)] == [
        ("merge-planned", "merge", 2), ("push-planned", "push", 2),
    ]  # fmt: skip
    with pytest.raises(SettingsError, match="no plan of merges"):
        read_plan(older, "push-planned", "merge")
    tables = "select table_name from information_schema.tables where table_schema = 'control'"
    assert "merge_plans" not in {name for (name,) in older.rows(tables)}


def test_a_journal_with_digests_goes_on_without_them(older):
    for number, state, call_id in ((1, "intended", "call-1"), (2, "settled", "call-1"), (3, "intended", "call-2")):
        marks = Json("{}")
        insert(
            older, "journal", "main", number, call_id, MOMENT, "ann@desk", None, "purge", state, marks, "", "0" * 64,
            "1" * 64,
        )  # fmt: skip
    insert(older, "journal_edits", "main", "call-2", 0, "a1", Json("{}"), Json('{"gone": true}'), None)
    migrate(older, now=MOMENT)
    assert [one.call_id for one in open_calls(older, "main")] == ["call-2"]
    journal = WarehouseJournal("main", lambda: nullcontext(older), operator="bob@desk", now=lambda: MOMENT)
    journal.settle("call-2", [("a1", Outcome.APPLIED)])
    assert open_calls(older, "main") == []
    rows = older.rows("select number, state, operator from control.journal order by number")
    assert rows[2:] == [(3, "intended", "ann@desk"), (4, "settled", "bob@desk")]


def test_values_of_clients_that_were_never_made_go_and_all_others_stay(older):
    person, empty = '{"name": "Jane Doe"}', Json("{}")
    for place, (key, outcome) in enumerate([("", "refused"), ("", "not applied"), ("", None), ("a1", "refused")]):
        insert(older, "journal_edits", "main", "call-1", place, key, empty, Json(person), outcome)
    migrate(older, now=MOMENT)
    assert [dict(edit.after) for edit, _ in edits_of(older, "main", "call-1")] == [
        {}, {}, {"name": "Jane Doe"}, {"name": "Jane Doe"},
    ]  # fmt: skip

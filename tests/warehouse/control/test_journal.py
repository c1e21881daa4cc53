"""The journal: noted before and after, safe when it returns, each row with a number; and nobody's data."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from decimal import Decimal

import pytest

from schemas.errors import SettingsError
from schemas.journal import Call, Edit, Outcome
from tests.records import MOMENT
from warehouse.control.erase import erase
from warehouse.control.journal import WarehouseJournal, edits_of, open_calls
from warehouse.opened.open import open_place

EDIT = Edit("a1", {"city": "Bern", "balance": Decimal("12.100000")}, {"city": "Zürich", "contacts": [{"id": "c"}]})
BULK = Call("archive", [Edit(one, {"status": "active"}, {"status": "archived"}) for one in ("a1", "b2", "c3")])


@pytest.fixture
def journal(warehouse):
    ids = (f"call-{n}" for n in range(1, 1000))
    return WarehouseJournal(
        "main", lambda: nullcontext(warehouse), operator="ann@desk", now=lambda: MOMENT, new_id=lambda: next(ids)
    )


def rows(warehouse, columns="*"):
    return warehouse.rows(f"select {columns} from control.journal order by source, number")


def test_a_call_is_noted_before_and_after_with_exact_values(warehouse, journal):
    call_id = journal.intend(Call("update", [EDIT], "plan-7"))
    (found,) = open_calls(warehouse, "main")
    assert (found.call_id, found.at, found.operator) == (call_id, MOMENT, "ann@desk")
    assert found.call == Call("update", [EDIT], "plan-7")
    assert str(found.call.edits[0].before["balance"]) == "12.100000"
    journal.settle(call_id, [("a1", Outcome.APPLIED)], "The answer was lost.")
    assert open_calls(warehouse, "main") == []
    assert edits_of(warehouse, "main", call_id) == [(EDIT, Outcome.APPLIED)]
    assert rows(warehouse, "number, state, verb, plan_id, message") == [
        (1, "intended", "update", "plan-7", ""), (2, "settled", "update", "plan-7", "The answer was lost."),
    ]  # fmt: skip


def test_a_note_is_safe_when_it_returns(place, warehouse, journal):
    journal.intend(BULK)
    warehouse.__exit__(None, None, None)  # the process ends
    with open_place(place) as reopened:
        assert [one.call for one in open_calls(reopened, "main")] == [BULK]


def test_a_call_is_settled_once(warehouse, journal):
    call_id = journal.intend(BULK)
    outcomes = [(edit.client_id, Outcome.NOT_APPLIED) for edit in BULK.edits]
    journal.settle(call_id, outcomes)
    with pytest.raises(SettingsError, match="already settled"):
        journal.settle(call_id, [(one, Outcome.APPLIED) for one, _ in outcomes])
    with pytest.raises(SettingsError, match="has no call 'call-99'"):
        journal.settle("call-99", outcomes)
    assert len(rows(warehouse)) == 2
    assert {outcome for _, outcome in edits_of(warehouse, "main", call_id)} == {Outcome.NOT_APPLIED}


def test_a_client_that_a_call_has_made_gets_its_id(warehouse, journal):
    call_id = journal.intend(Call("create", [Edit("", {}, {"name": "New"})]))
    journal.settle(call_id, [("n1", Outcome.APPLIED)])
    assert edits_of(warehouse, "main", call_id) == [(Edit("n1", {}, {"name": "New"}), Outcome.APPLIED)]


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.NOT_APPLIED, Outcome.APPLIED])
def test_of_a_client_without_an_id_only_the_field_names_stay_once_its_outcome_is_known(warehouse, journal, outcome):
    """No erasure by id could find its values."""
    person = {"name": "Jane Doe", "city": None, "contacts": [{"email": "jane@example.com"}]}
    call_id, other = (journal.intend(Call("create", [Edit("", {}, person)])) for _ in range(2))
    assert edits_of(warehouse, "main", call_id) == [(Edit("", {}, person), None)]
    journal.settle(call_id, [("", outcome)])
    assert edits_of(warehouse, "main", call_id) == [(Edit("", {}, dict.fromkeys(person)), outcome)]
    assert edits_of(warehouse, "main", other) == [(Edit("", {}, person), None)]


def test_the_journal_names_nobody(warehouse, journal):
    call_id = journal.intend(Call("update", [Edit("kQBeXDWeyK", {"name": "Jane Doe"}, {"name": "Jane Roe"})]))
    journal.settle(call_id, [("kQBeXDWeyK", Outcome.CONFLICT)])
    told = json.dumps([list(map(str, row)) for row in rows(warehouse)])
    assert not any(word in told for word in ("Jane", "Doe", "kQBeXDWeyK"))


def test_each_source_has_numbers_of_its_own(warehouse, journal):
    other = WarehouseJournal("other", lambda: nullcontext(warehouse), operator="bob@desk", now=lambda: MOMENT)
    for one in (journal, other, journal, other):
        one.intend(BULK)
    assert rows(warehouse, "source, number") == [("main", 1), ("main", 2), ("other", 1), ("other", 2)]
    assert len(open_calls(warehouse, "other")) == 2


def test_nothing_is_noted_where_the_note_fails_half_way(warehouse, journal):
    with pytest.raises(TypeError):
        journal.intend(Call("update", [Edit("a1", {"x": object()}, {})]))
    assert rows(warehouse) == []
    journal.intend(BULK)


def test_several_writers_on_postgres_get_a_number_a_row(postgres_place):
    def write(operator):
        with open_place(postgres_place) as opened:
            journal = WarehouseJournal("main", lambda: nullcontext(opened), operator=operator)
            for _ in range(15):
                journal.settle(journal.intend(BULK), [(edit.client_id, Outcome.APPLIED) for edit in BULK.edits])

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, ("ann", "bob", "eve")))
    with open_place(postgres_place) as opened:
        assert [number for (number,) in rows(opened, "number")] == list(range(1, 91))
        assert open_calls(opened, "main") == []


def test_an_erased_client_has_no_edits_left_and_its_calls_stay(warehouse, journal):
    call_id = journal.intend(BULK)
    journal.settle(call_id, [(edit.client_id, Outcome.APPLIED) for edit in BULK.edits])
    erase(warehouse, "main", "b2", reason="asked for", keep_balances=False, now=MOMENT + timedelta(days=1))
    assert [edit.client_id for edit, _ in edits_of(warehouse, "main", call_id)] == ["a1", "c3"]
    assert rows(warehouse, "number, state") == [(1, "intended"), (2, "settled")]


def test_an_open_call_of_which_a_client_was_erased_is_settled_for_the_others(warehouse, journal):
    call_id = journal.intend(BULK)
    erase(warehouse, "main", "a1", reason="asked for", keep_balances=False, now=MOMENT)
    (found,) = open_calls(warehouse, "main")
    journal.settle(call_id, [(edit.client_id, Outcome.APPLIED) for edit in found.call.edits])
    assert [(edit.client_id, outcome) for edit, outcome in edits_of(warehouse, "main", call_id)] == [
        ("b2", Outcome.APPLIED), ("c3", Outcome.APPLIED),
    ]  # fmt: skip


def test_a_call_all_of_whose_clients_were_erased_can_be_settled(warehouse, journal):
    call_id = journal.intend(Call("purge", [Edit("a1", {}, {"gone": True})]))
    erase(warehouse, "main", "a1", reason="purged", keep_balances=False, now=MOMENT)
    journal.settle(call_id, [])
    assert open_calls(warehouse, "main") == []

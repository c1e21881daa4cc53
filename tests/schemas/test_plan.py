"""Plans as values: every cell in exactly one call, no more calls than client by client, a digest over every value."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.plan import (
    ASSIGN_GROUP,
    BULK_UPDATE,
    UPDATE,
    Cell,
    Plan,
    calls_for,
    calls_without_grouping,
    edits_of,
    with_fewest_calls,
)

NOW = datetime(2026, 11, 28, tzinfo=UTC)
COLUMNS = ["custom_value1", "custom_value2", "country_id", "group_settings_id", "city", "name", "currency_id"]
CELLS = st.lists(
    st.builds(
        Cell, st.sampled_from("abcdefgh"), st.sampled_from(COLUMNS), st.none(), st.sampled_from([None, "x", "y"]),
        st.booleans(),
    ),
    max_size=30, unique_by=lambda cell: (cell.client_id, cell.column),
)  # fmt: skip


def plan(*cells, **more):
    told = {"plan_id": "P", "source": "main", "author": "me", "reason": "why", "company": "c", "undoes": None, **more}
    return Plan(kind="push", made_at=NOW, expires_at=NOW, base_at=NOW, newest_at=NOW, cells=cells, **told)


@given(cells=CELLS, chunk=st.integers(1, 5))
def test_every_cell_is_in_exactly_one_call_and_calls_are_of_one_kind(cells, chunk):
    calls = calls_for(cells, chunk=chunk)
    assert sorted(cell for call in calls for cell in call.cells) == sorted(cells)
    for call in calls:
        if call.verb == UPDATE:
            assert len(call.client_ids) == 1
        else:
            assert len({(cell.column, cell.after) for cell in call.cells}) == 1
            assert len(call.client_ids) == len(call.cells) <= chunk
    assert len([c for c in calls if c.verb == UPDATE]) == len({c.client_ids[0] for c in calls if c.verb == UPDATE})


@given(cells=CELLS)
def test_the_calls_do_not_depend_on_the_order_of_the_cells(cells):
    assert calls_for(cells) == calls_for(cells[::-1])


@given(cells=CELLS)
def test_choosing_puts_never_makes_more_calls(cells):
    chosen = with_fewest_calls(cells)
    assert [(c.client_id, c.column, c.before, c.after) for c in chosen] == [
        (c.client_id, c.column, c.before, c.after) for c in cells
    ]
    assert len(calls_for(chosen)) <= len(calls_for(cells))
    assert calls_for(with_fewest_calls(cells, without_put=set("abcdefgh"))) == calls_for(cells)


@given(cells=CELLS)
def test_a_country_is_never_emptied_by_a_put(cells):
    for call in calls_for(with_fewest_calls(cells)):
        if call.verb == UPDATE:
            assert not any(cell.column == "country_id" and cell.after is None for cell in call.cells)


def test_one_value_for_many_is_one_call_and_a_clients_other_cells_go_along():
    cells = [Cell(f"c{n}", "custom_value1", None, "VIP") for n in range(1200)] + [Cell("c0", "city", "A", "B")]
    calls = calls_for(cells)
    assert [(call.verb, len(call.cells)) for call in calls] == [
        (BULK_UPDATE, 500), (BULK_UPDATE, 500), (BULK_UPDATE, 199), (UPDATE, 2),
    ]  # fmt: skip
    assert calls_without_grouping(cells) == 1200


def test_groups_are_assigned_and_taken_away_by_a_put():
    calls = calls_for([Cell("a", "group_settings_id", None, "g"), Cell("b", "group_settings_id", "g", None)])
    assert [call.verb for call in calls] == [ASSIGN_GROUP, UPDATE]


def test_a_client_alone_with_many_values_gets_one_put():
    cells = [Cell("a", f"custom_value{n}", None, f"only {n}") for n in (1, 2, 3)]
    assert [call.verb for call in calls_for(cells)] == [BULK_UPDATE] * 3
    assert [call.verb for call in calls_for(with_fewest_calls(cells))] == [UPDATE]
    assert [call.verb for call in calls_for(with_fewest_calls(cells, {"a"}))] == [BULK_UPDATE] * 3


def test_edits_hold_what_was_and_what_will_be_client_by_client():
    (edit,) = edits_of([Cell("a", "city", "A", "B"), Cell("a", "name", None, "N")])
    assert (edit.client_id, edit.before, edit.after) == ("a", {"city": "A", "name": None}, {"city": "B", "name": "N"})


CELL = Cell("a", "city", "A", "B")


@pytest.mark.parametrize(
    "other",
    [
        plan(replace(CELL, after="C")), plan(replace(CELL, before="C")), plan(replace(CELL, client_id="b")),
        plan(replace(CELL, column="name")), plan(replace(CELL, by_put=True)), plan(), plan(CELL, source="other"),
        plan(CELL, reason="else"), plan(CELL, author="you"), plan(CELL, undoes="Q"), plan(CELL, company="d"),
        plan(CELL, plan_id="Q"),
        replace(plan(CELL), expires_at=datetime(2027, 1, 1, tzinfo=UTC)),
        replace(plan(CELL), base_at=datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_the_digest_is_of_every_value(other):
    assert other.digest != plan(CELL).digest


def test_the_digest_is_the_same_for_the_same_plan_in_another_time_zone_and_order():
    from datetime import timedelta, timezone  # noqa: PLC0415 - here alone

    east, two = timezone(timedelta(hours=5)), [CELL, Cell("b", "city", None, "X")]
    moved = replace(plan(*two[::-1]), made_at=NOW.astimezone(east), base_at=NOW.astimezone(east))
    assert moved.digest == plan(*two).digest


def test_a_value_never_shows_in_a_plan_that_is_printed():
    assert "secret" not in repr(plan(Cell("a", "city", "secret", "secret too")))

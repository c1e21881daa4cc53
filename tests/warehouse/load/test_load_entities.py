"""Each kind of records is loaded alike: merged with its children, kept by version, removed when it vanishes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.billing import CREDITS, INVOICES, PAYMENTS
from schemas.entities import PULLED
from schemas.vanished import Vanished
from tests.records import MOMENT
from tests.schemas.test_documents import KINDS, recorded
from warehouse.control.state import last_begun, read_state

LATER = MOMENT + timedelta(days=400)


def changed(record):
    """The record with another value and a later stamp."""
    return record | {"custom_value1": "changed", "updated_at": record["updated_at"] + 60}


def outcomes(loaded):
    run = loaded.run
    return (run.inserted, run.updated, run.touched, run.unchanged, run.vanished)


def count(warehouse, table, condition="true"):
    return warehouse.rows(f"select count(*) from {table} where {condition}")[0][0]


@pytest.mark.parametrize("name", KINDS)
def test_records_are_inserted_changed_removed_and_return(warehouse, load_records, name):
    entity, records = KINDS[name], recorded(name)
    first, *rest = records
    theirs = f"entity = '{name}' and id = '{first['id']}'"
    load = {"entity": entity, "began": LATER}
    assert outcomes(load_records(records, **load)) == (len(records), 0, 0, 0, 0)
    assert outcomes(load_records(records, **load)) == (0, 0, 0, len(records), 0)
    assert outcomes(load_records([changed(first)], **load)) == (0, 1, 0, 0, 0)
    assert warehouse.rows(f"select custom_value1 from ninja.{name} where id = '{first['id']}'") == [("changed",)]
    assert count(warehouse, "control.record_versions", theirs) == entity.historic
    assert bool(count(warehouse, "control.record_changes", f"{theirs} and field = 'custom_value1'")) == entity.historic
    children = {child.name: count(warehouse, f"ninja.{child.name}") for child in entity.children}
    assert children == {child.name: sum(len(r[child.json_key]) for r in records) for child in entity.children}
    gone = load_records(rest, kind="full", vanished=[Vanished(first["id"], "gone", None, "unknown")], **load)
    assert outcomes(gone) == (0, 0, 0, len(rest), 1)
    assert count(warehouse, f"ninja.{name}") == len(rest)
    for child in entity.children:
        assert count(warehouse, f"ninja.{child.name}") == sum(len(r[child.json_key]) for r in rest)
    assert count(warehouse, "control.vanished_records", f"{theirs} and returned_run_id is null") == 1
    assert outcomes(load_records([first], **load)) == (1, 0, 0, 0, 0)
    assert count(warehouse, "control.vanished_records", f"{theirs} and returned_run_id is null") == 0
    assert read_state(warehouse, "main", entity).mirrored == len(records)
    assert count(warehouse, "control.client_versions") == count(warehouse, "control.redirects") == 0


def test_records_of_two_kinds_with_one_id_do_not_meet(warehouse, load_records):
    twins = {entity: recorded(entity.name)[0] | {"id": "VolejRejNm"} for entity in (INVOICES, CREDITS)}
    for entity, record in twins.items():
        load_records([record], entity=entity)
    load_records([changed(twins[INVOICES])], entity=INVOICES)
    load_records([], entity=INVOICES, kind="full", vanished=[Vanished("VolejRejNm", "gone")])
    assert warehouse.rows("select id from ninja.invoices union all select id from ninja.credits") == [("VolejRejNm",)]
    load_records([changed(twins[CREDITS])], entity=CREDITS)
    kept = warehouse.rows("select entity, ended_by from control.record_versions order by entity, ended_by")
    assert kept == [("credits", "changed"), ("invoices", "changed"), ("invoices", "gone")]
    assert warehouse.rows("select entity, returned_run_id from control.vanished_records") == [("invoices", None)]
    assert [row[0] for row in warehouse.rows("select entity from mart.entity_status order by entity")] == [
        "credits", "invoices",
    ]  # fmt: skip


def test_the_first_load_of_an_entity_starts_its_own_history(warehouse, load_records):
    load_records([], entity=PULLED["clients"])
    record = recorded("payments")[0]
    load_records([record], entity=PAYMENTS, began=LATER)
    assert warehouse.rows("select valid_from from ninja.payments") == [(LATER,)]


def test_a_source_was_read_when_all_its_entities_were(warehouse, load_records):
    names = ["clients", "invoices"]

    def begun():
        return last_begun(warehouse, "main", full=False, entities=names)

    load_records([], entity=PULLED["clients"])
    assert begun() is None
    load_records([], entity=INVOICES)
    first = begun()
    load_records([], entity=INVOICES)
    assert begun() == first
    warehouse.execute("update control.runs set kind = 'idle' where run_id = 'run-003'")
    assert begun() > first

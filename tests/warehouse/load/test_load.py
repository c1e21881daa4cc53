"""The load: one transaction, newest version first, parent and children together."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.entities import PULLED
from schemas.errors import WarehouseError
from schemas.vanished import Vanished
from tests.records import MOMENT, NOW, client, contact
from warehouse.control.state import Binding, State, read_last_load, read_state, state_of
from warehouse.load import load as load_module
from warehouse.load import merge


def counts(loaded):
    return (loaded.run.inserted, loaded.run.updated, loaded.run.touched, loaded.run.unchanged)


def clients(warehouse, source="main"):
    return dict(warehouse.rows("select id, name from ninja.clients where source = $s", {"s": source}))


def contacts(warehouse):
    return sorted(warehouse.rows("select id, client_id from ninja.contacts where source = 'main'"))


def test_a_first_load_inserts_every_record_with_its_children(warehouse, load_records):
    loaded = load_records([client("a"), client("b")], [client("c", contacts=[])])
    assert counts(loaded) == (3, 0, 0, 0)
    assert clients(warehouse) == {"a": "Client a", "b": "Client b", "c": "Client c"}
    assert contacts(warehouse) == [("ca", "a"), ("cb", "b")]


def test_the_same_records_again_change_nothing(warehouse, load_records):
    load_records([client("a"), client("b")])
    before = warehouse.rows("select * from ninja.clients order by id")
    assert counts(load_records([client("b"), client("a")])) == (0, 0, 0, 2)
    assert warehouse.rows("select * from ninja.clients order by id") == before


def test_a_changed_record_replaces_the_old_one_and_is_reported_with_both_versions(warehouse, load_records):
    load_records([client("a"), client("b")])
    loaded = load_records([client("a", name="Renamed", updated_at=NOW)])
    assert counts(loaded) == (0, 1, 0, 0)
    ((change),) = loaded.changes
    assert (change.id, '"Client a"' in change.before, '"Renamed"' in change.after) == ("a", True, True)
    assert clients(warehouse) == {"a": "Renamed", "b": "Client b"}


def test_a_touched_record_gets_its_new_stamp_but_is_no_change(warehouse, load_records):
    load_records([client("a")])
    loaded = load_records([client("a", updated_at=NOW)])
    assert (counts(loaded), loaded.changes) == ((0, 0, 1, 0), [])
    assert warehouse.rows("select updated_at from ninja.clients") == [(MOMENT,)]


def test_of_several_versions_in_one_run_the_newest_is_loaded_with_its_own_children(warehouse, load_records):
    old = client("a", name="Old", updated_at=NOW - 50, contacts=[contact("gone"), contact("stays")])
    new = client("a", name="New", updated_at=NOW - 10, contacts=[contact("stays")])
    load_records([new], [old])
    assert clients(warehouse) == {"a": "New"}
    assert contacts(warehouse) == [("stays", "a")]


def test_of_two_versions_with_one_stamp_the_later_read_is_the_newer(warehouse, load_records):
    load_records([client("a", name="First")], [client("a", name="Second")])
    assert clients(warehouse) == {"a": "Second"}


def test_a_contact_that_left_its_client_is_gone(warehouse, load_records):
    load_records([client("a", contacts=[contact("x"), contact("y")])])
    load_records([client("a", contacts=[contact("y")], updated_at=NOW)])
    assert contacts(warehouse) == [("y", "a")]


def test_a_contact_that_moved_is_moved_although_its_old_client_was_not_sent_again(warehouse, load_records):
    load_records([client("a", contacts=[contact("x"), contact("y")]), client("b")])
    load_records([client("b", contacts=[contact("cb"), contact("x")], updated_at=NOW)])
    assert contacts(warehouse) == [("cb", "b"), ("x", "b"), ("y", "a")]


def test_a_contact_that_comes_under_two_clients_stands_where_it_was_touched_last(warehouse, load_records):
    before = client("a", contacts=[contact("x", updated_at=NOW - 500)])
    after = client("b", contacts=[contact("x", updated_at=NOW - 100)])
    load_records([after], [before])
    assert contacts(warehouse) == [("x", "b")]


def test_documents_are_loaded_without_their_links(warehouse, load_records):
    document = {
        "id": "d1", "user_id": "u", "assigned_user_id": "", "project_id": "", "vendor_id": "", "url": "planted-url",
        "preview": "planted", "name": "offer.pdf", "type": "pdf", "disk": "local", "hash": "planted-hash", "size": 12,
        "width": 0, "height": 0, "is_default": False, "is_public": True, "link": "planted-doc-link", "created_at": NOW,
        "updated_at": NOW, "archived_at": 0, "is_deleted": False,
    }  # fmt: skip
    load_records([client("a", documents=[document])])
    assert warehouse.rows("select id, client_id, name, size from ninja.documents") == [("d1", "a", "offer.pdf", 12)]
    assert "planted" not in str(warehouse.rows("select * from ninja.clients, ninja.documents"))


def test_two_sources_with_equal_ids_do_not_meet(warehouse, load_records):
    load_records([client("a", name="Of one")], source="one")
    load_records([client("a", name="Of two")], source="two")
    load_records([client("a", name="Of two, changed", updated_at=NOW)], source="two")
    assert (clients(warehouse, "one"), clients(warehouse, "two")) == ({"a": "Of one"}, {"a": "Of two, changed"})


@pytest.mark.parametrize("step", ["_move_watermark", "record_run", "record_quarantine", "take_out"])
def test_a_failure_at_any_step_leaves_everything_as_it_was(warehouse, load_records, monkeypatch, step):
    load_records([client("a"), client("v")])
    tables = ["ninja.clients", "ninja.contacts", "control.runs", "control.watermarks", "control.quarantine"]
    tables += ["control.client_versions", "control.client_changes", "control.redirects"]
    before = [sorted(warehouse.rows(f"select * from {table}"), key=repr) for table in tables]

    def fail(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(load_module, step, fail)
    with pytest.raises(KeyboardInterrupt):
        load_records(
            [client("a", name="Half", updated_at=NOW), client("b"), client("c", balance="nonsense")],
            vanished=[Vanished("v", "merged", "a")],
        )
    assert [sorted(warehouse.rows(f"select * from {table}"), key=repr) for table in tables] == before


def test_an_id_that_would_stand_twice_undoes_the_load(warehouse, load_records, monkeypatch):
    load_records([client("a")])
    step = merge.step

    def twice(warehouse, name, *args):
        for _ in range(2 if name == "insert_parents" else 1):
            step(warehouse, name, *args)

    monkeypatch.setattr(merge, "step", twice)
    with pytest.raises(WarehouseError, match="of clients would be in the warehouse twice"):
        load_records([client("b")])
    assert clients(warehouse) == {"a": "Client a"}


def test_a_record_that_does_not_fit_waits_in_quarantine_until_a_good_version_comes(warehouse, load_records):
    loaded = load_records([client("a", balance="much"), client("b")])
    assert (loaded.run.inserted, loaded.run.quarantined) == (1, 1)
    entry = "select id, field, first_run_id, last_run_id, resolved_run_id from control.quarantine"
    assert warehouse.rows(entry) == [("a", "balance", "run-001", "run-001", None)]
    load_records([client("a", paid_to_date=True)])
    assert warehouse.rows(entry) == [("a", "paid_to_date", "run-001", "run-002", None)]
    assert read_state(warehouse, "main").quarantined == 1
    load_records([client("a")])
    assert warehouse.rows(entry) == [("a", "paid_to_date", "run-001", "run-002", "run-003")]
    assert read_state(warehouse, "main").quarantined == 0


def test_a_full_pass_closes_the_quarantine_of_what_it_did_not_meet(warehouse, load_records):
    load_records([client("a", balance="much"), client("b", balance="more"), client("c")])
    assert load_records([client("c")]).run.quarantine_open == 2
    assert load_records([client("b", balance="more"), client("c")], kind="full").run.quarantine_open == 1
    assert warehouse.rows("select id from control.quarantine where resolved_run_id is null") == [("b",)]


def test_a_record_that_comes_broken_and_then_well_in_one_run_is_loaded_and_not_set_aside(warehouse, load_records):
    loaded = load_records([client("a", balance="much")], [client("a", updated_at=NOW)])
    assert (loaded.run.inserted, loaded.run.quarantined, loaded.run.quarantine_open) == (1, 0, 0)


def test_what_is_known_beyond_the_total_of_the_server_is_counted_once_each(warehouse, load_records):
    load_records([client("a"), client("b")])
    assert load_records([client("a", balance="odd"), client("b")]).surplus == 0  # known, and in quarantine as well
    assert load_records([client("b")], kind="full").surplus == 1


def test_the_state_has_just_the_fields_that_its_statement_names(warehouse, load_records):
    load_records([client("a")])
    for entity in PULLED.values():
        columns, _ = warehouse.answer(state_of(entity), {"source": "main"})
        assert columns == [*Binding.__struct_fields__, *State.__struct_fields__[1:-1]]


def test_the_last_load_is_that_of_the_state(warehouse, load_records):
    assert (read_last_load(warehouse, "main"), read_state(warehouse, "main").run_id) == (None, None)
    load_records([client("a")])
    load_records([client("b")], source="other")
    assert (read_last_load(warehouse, "main"), read_state(warehouse, "main").run_id) == ("run-001", "run-001")


def test_a_record_that_stops_fitting_keeps_its_last_good_version(warehouse, load_records):
    load_records([client("a", name="Good")])
    load_records([client("a", name="Bad", updated_at="soon")])
    assert clients(warehouse) == {"a": "Good"}


def test_a_new_field_is_reported_once_and_kept_in_the_record(warehouse, load_records):
    (drift,) = load_records([client("a", mood="sunny")]).drift
    assert (drift.entity, drift.field, drift.kind) == ("clients", "mood", "new")
    assert load_records([client("a", mood="rainy")]).drift == []
    assert warehouse.rows("select record->>'mood' from ninja.clients") == [("rainy",)]


def test_the_watermark_moves_with_the_rows(warehouse, load_records):
    load_records([client("a")])
    state = read_state(warehouse, "main")
    assert (state.watermark, state.mirrored) == (MOMENT, 1)


amounts = st.decimals(min_value=Decimal("-99999999999999.999999"), max_value=Decimal("99999999999999.999999"), places=6)


@given(st.lists(amounts, min_size=1, max_size=50))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_money_is_equal_to_the_last_digit_in_the_warehouse_and_in_parquet(warehouse, load_records, tmp_path, found):
    load_records([client(f"m{n}", balance=amount) for n, amount in enumerate(found)], source="money")
    stored = dict(warehouse.rows("select id, balance from ninja.clients where source = 'money'"))
    assert [stored[f"m{n}"] for n in range(len(found))] == found
    table = warehouse.table("select id, balance from ninja.clients where source = 'money'")
    duckdb.from_arrow(table).write_parquet(str(tmp_path / "money.parquet"))
    back = dict(duckdb.read_parquet(str(tmp_path / "money.parquet")).fetchall())
    assert {key: back[key] for key in stored} == stored

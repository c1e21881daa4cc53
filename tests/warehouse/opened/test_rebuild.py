"""The mirror built anew from its records: as it was, each id once, whatever the records say and whoever misfits."""

from __future__ import annotations

import json

import pytest

from schemas.errors import WarehouseError
from tests.records import NOW, client, contact
from warehouse.control.state import read_state
from warehouse.engine.seam import POSTGRES
from warehouse.opened import rebuild as rebuilding
from warehouse.opened.rebuild import rebuild
from warehouse.schema.views import drop_views

MIRROR = ("clients", "contacts", "documents")


@pytest.fixture(params=[2, 5000])
def chunk(request, monkeypatch):
    """Records put back at once: more than there are, and fewer."""
    monkeypatch.setattr(rebuilding, "CHUNK", request.param)


def rebuilt(warehouse):
    with warehouse.transaction():
        drop_views(warehouse)  # as an upgrade does; on Postgres no table goes before them
        rebuild(warehouse)
    return mirror(warehouse)


def mirror(warehouse):
    return [warehouse.rows(f"select * from ninja.{table} order by source, id") for table in MIRROR]


@pytest.mark.usefixtures("chunk")
def test_a_rebuilt_mirror_is_the_one_that_was(warehouse, load_records):
    load_records([client("a", name="Zoë"), client("b"), client("c", contacts=[])])
    load_records([client("a"), client("d")], source="other")
    before = mirror(warehouse)
    assert rebuilt(warehouse) == before


@pytest.mark.usefixtures("chunk")
@pytest.mark.parametrize(("old", "new"), [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("moved_at", [NOW, NOW + 5, NOW - 5])
def test_a_contact_that_moved_stands_once_where_it_came_last(warehouse, load_records, old, new, moved_at):
    load_records([client(old, contacts=[contact("k")]), client(new, contacts=[])])
    moved = contact("k", updated_at=moved_at)
    load_records([client(new, contacts=[moved], updated_at=NOW + 9), client("c", contacts=[contact("other")])])
    before = mirror(warehouse)
    assert rebuilt(warehouse) == before
    assert warehouse.rows("select client_id from ninja.contacts where id = 'k'") == [(new,)]


@pytest.mark.usefixtures("chunk")
def test_a_child_whose_table_was_not_there_gets_its_newest_place(warehouse, load_records):
    load_records([client("a", contacts=[contact("k", updated_at=NOW)]), client("b", contacts=[])])
    load_records([client("b", contacts=[contact("k", updated_at=NOW + 5)], updated_at=NOW + 9)])
    warehouse.execute("delete from ninja.contacts")
    rebuilt(warehouse)
    assert warehouse.rows("select id, client_id from ninja.contacts") == [("k", "b")]


@pytest.mark.usefixtures("chunk")
def test_a_record_that_no_longer_fits_goes_into_quarantine_and_the_others_stay(warehouse, load_records):
    load_records([client(key) for key in "abcde"])
    for key in "bc":
        ((record,),) = warehouse.rows("select cast(record as varchar) from ninja.clients where id = $id", {"id": key})
        odd = json.dumps(json.loads(record) | {"balance": "odd"})
        values = {"record": odd, "id": key}
        warehouse.execute("update ninja.clients set record = cast($record as json) where id = $id", values)
    before = mirror(warehouse)
    after = rebuilt(warehouse)
    assert after[0] == [row for row in before[0] if row[1] not in "bc"]
    assert warehouse.rows("select id, client_id from ninja.contacts order by id") == [
        ("ca", "a"),
        ("cd", "d"),
        ("ce", "e"),
    ]
    entry = "select source, entity, id, field, last_run_id from control.quarantine where resolved_run_id is null"
    assert warehouse.rows(entry + " order by id") == [
        ("main", "clients", "b", "balance", "run-001"),
        ("main", "clients", "c", "balance", "run-001"),
    ]
    state = read_state(warehouse, "main")
    assert (state.mirrored, state.quarantined) == (3, 2)


def test_an_id_that_would_stand_twice_undoes_the_upgrade(warehouse, load_records):
    load_records([client("a")])
    if warehouse.engine == POSTGRES:
        warehouse.execute("drop index ninja.clients_key")
    warehouse.execute("insert into ninja.clients select * from ninja.clients")
    before = mirror(warehouse)
    with pytest.raises(WarehouseError, match="clients would be in the warehouse twice"):
        rebuilt(warehouse)
    assert mirror(warehouse) == before

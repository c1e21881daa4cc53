"""The views for people: names for ids, the effective currency, one contact, one grain."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import duckdb
import pytest

from schemas.entities import COMPANIES, GROUPS, LOOKUPS
from schemas.normalise import normalise
from tests.records import MOMENT, NOW, client, contact
from warehouse.control.state import Run, record_run
from warehouse.engine.seam import DUCKDB
from warehouse.engine.sql import statement
from warehouse.load.load import Reference
from warehouse.publish.publish import publish

LISTS = {
    "countries": [{"id": "276", "name": "Germany", "iso_3166_2": "DE", "iso_3166_3": "DEU"}],
    "currencies": [
        {"id": number, "name": code, "code": code, "symbol": code, "precision": 2}
        for number, code in (("1", "USD"), ("2", "GBP"), ("3", "EUR"))
    ],
    "industries": [{"id": "5", "name": "Automotive"}],
    "sizes": [{"id": "3", "name": "11 - 50"}],
}


@pytest.fixture
def reference():
    """The company is in US dollars, the group in pounds."""
    rows = {lookup: normalise(lookup, LISTS.get(lookup.name, [])).rows for lookup in LOOKUPS}
    times = {"created_at": NOW, "updated_at": NOW, "archived_at": 0}
    company = {"id": "co", "custom_fields": {}, "settings": {"name": "Us", "currency_id": "1"}, **times}
    group = {"id": "g", "name": "Partners", "is_deleted": False, "settings": {"currency_id": "2"}, **times}
    rows[COMPANIES] = normalise(COMPANIES, [company]).rows
    rows[GROUPS] = normalise(GROUPS, [group]).rows
    return Reference(rows)


def one(warehouse, columns, key):
    ((found),) = warehouse.rows(f"select {columns} from mart.clients where id = $id", {"id": key})
    return found


def test_ids_are_decoded(warehouse, load_records, reference):
    load_records([client("a", industry_id="5", size_id="3", group_settings_id="g")], reference=reference)
    found = one(warehouse, "country, country_code, industry, size, group_name", "a")
    assert found == ("Germany", "DE", "Automotive", "11 - 50", "Partners")


@pytest.mark.parametrize(
    ("settings", "group", "effective"),
    [
        ({"currency_id": "3"}, "g", ("EUR", "client")),
        ({"currency_id": ""}, "g", ("GBP", "group")),
        ({"currency_id": None}, "", ("USD", "company")),
        ({}, "gone", ("USD", "company")),
    ],
)
def test_the_currency_is_the_clients_else_its_groups_else_the_companys(
    warehouse, load_records, reference, settings, group, effective
):
    load_records([client("a", settings=settings, group_settings_id=group)], reference=reference)
    assert one(warehouse, "currency_code, currency_from", "a") == effective


def test_a_client_is_one_row_however_many_primary_contacts_it_has(warehouse, load_records):
    pair = [contact("x", created_at=NOW - 5), contact("y", created_at=NOW - 9), contact("z", is_primary=False)]
    load_records([client("a", contacts=pair), client("b", contacts=[])])
    assert warehouse.rows("select id, contact_id, contacts from mart.clients order by id") == [
        ("a", "y", 3),
        ("b", None, 0),
    ]


@pytest.mark.parametrize(
    ("fields", "status"),
    [({}, "active"), ({"archived_at": NOW}, "archived"), ({"archived_at": NOW, "is_deleted": True}, "deleted")],
)
def test_status_says_archived_and_deleted_apart(warehouse, load_records, fields, status):
    load_records([client("a", **fields)])
    assert one(warehouse, "status", "a") == (status,)
    assert warehouse.rows("select count(*) from mart.client_balances") == [(0 if status == "deleted" else 1,)]


def test_balances_are_those_of_the_server_to_the_last_digit(warehouse, load_records):
    load_records([client("a", balance=Decimal("-0.000001")), client("b", balance=Decimal("12345678901234.123456"))])
    found = warehouse.rows("select balance from mart.client_balances order by id")
    assert found == [(Decimal("-0.000001"),), (Decimal("12345678901234.123456"),)]


def test_reference_tables_are_replaced_whole(warehouse, load_records, reference):
    load_records([client("a")], reference=reference)
    load_records([client("a")], reference=reference)
    assert warehouse.rows("select count(*), count(distinct id) from ninja.currencies") == [(3, 3)]


def test_load_status_has_one_row_per_source_with_its_last_load(warehouse, load_records):
    load_records([client("a"), client("b", balance="odd")], source="one")
    load_records([client("a")], source="two")
    load_records([client("a"), client("c")], source="two")
    columns = "source, clients, contacts, last_inserted, quarantined"
    assert warehouse.rows(f"select {columns} from mart.load_status order by source") == [
        ("one", 1, 1, 1, 1),
        ("two", 2, 2, 1, 0),
    ]


def test_load_status_of_a_quiet_source_says_when_it_last_loaded_and_status_when_it_last_ran(warehouse, load_records):
    load_records([client("a")])
    folder = publish(warehouse) if warehouse.engine == DUCKDB else None
    idle = MOMENT + timedelta(days=3)
    record_run(warehouse, Run("run-idle", "main", "idle", idle, idle, 0.1, 1, server_total=1, mirrored=1))
    loaded = [(MOMENT + timedelta(seconds=1), "pull", 1)]
    asked = "select last_load_at, last_load_kind, last_inserted from"
    assert warehouse.rows(f"{asked} mart.load_status") == loaded
    if folder:
        with duckdb.connect() as reader:
            assert reader.sql(f"{asked} '{folder}/load_status.parquet'").fetchall() == loaded
    columns, (row,) = warehouse.answer(statement("read/status"))
    status = dict(zip(columns, row, strict=True))
    assert (status["last_run_at"], status["last_run_kind"]) == (idle, "idle")
    assert (status["last_load_at"], status["last_load_kind"]) == loaded[0][:2]

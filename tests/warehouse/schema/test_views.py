"""The views for people reach every warehouse, whatever it had; what people made themselves stays."""

from __future__ import annotations

import hashlib

import pytest

from schemas.errors import WarehouseError
from tests.records import MOMENT, client
from warehouse.engine.seam import DUCKDB
from warehouse.engine.sql import named, statement
from warehouse.opened.migrate import migrate
from warehouse.publish.publish import publish, publish_if_due
from warehouse.schema import functions, personal, views
from warehouse.schema.public import SCHEMAS


@pytest.fixture
def give(monkeypatch):
    """Let a version have other texts: {name: text}; None takes the view out."""

    def other(texts):
        names = sorted((set(named("mart")) | set(texts)) - {name for name, text in texts.items() if text is None})
        monkeypatch.setattr(views, "named", lambda _: names)
        monkeypatch.setattr(views, "statement", lambda name: texts.get(name.removeprefix("mart/")) or statement(name))

    return other


def columns(warehouse, view):
    return warehouse.answer(f"select * from mart.{view} limit 0")[0]


def test_a_changed_view_reaches_an_existing_warehouse_with_columns_removed_and_reordered(warehouse, load_records, give):
    load_records([client("a")])
    if warehouse.engine == DUCKDB:
        publish(warehouse)
    give({"contacts": "create view mart.contacts as select client_id, id, 1 as added from ninja.contacts"})
    migrate(warehouse, now=MOMENT)
    assert columns(warehouse, "contacts") == ["client_id", "id", "added"]
    assert (publish_if_due(warehouse, now=MOMENT) is not None) == (warehouse.engine == DUCKDB)


def test_a_new_view_and_one_that_it_stands_on_are_made_in_order(warehouse, give):
    give({"aa": "create view mart.aa as select * from mart.zz", "zz": "create view mart.zz as select 1 as n"})
    migrate(warehouse, now=MOMENT)
    assert warehouse.rows("select * from mart.aa") == [(1,)]


def test_a_view_that_this_version_no_longer_has_is_dropped_and_one_that_people_made_stays(warehouse, give):
    warehouse.execute("create view mart.mine as select 7 as n")
    give({"load_status": None})
    migrate(warehouse, now=MOMENT)
    made = warehouse.rows("select table_name from information_schema.tables where table_schema = 'mart'")
    assert {name for (name,) in made} == {*named("mart"), "mine"} - {"load_status"}


@pytest.mark.parametrize("schema", SCHEMAS[2:])
def test_a_view_that_someone_dropped_comes_back(warehouse, schema):
    warehouse.execute(f"drop view {schema}.client_balances cascade")
    migrate(warehouse, now=MOMENT)
    assert columns(warehouse, "client_balances")
    assert warehouse.rows("select * from mart_public.client_balances") == []


def test_a_function_of_another_version_is_replaced_and_one_that_is_new_is_made(warehouse, monkeypatch):
    kept = functions.texts()
    text = "create function mart.mine_as_of(as_of_day date) returns table (\n    n integer\n) as\nselect {}\n"
    for number in (1, 2):
        monkeypatch.setattr(views, "texts", lambda number=number: kept | {"mine_as_of": text.format(number)})
        assert not views.views_are_current(warehouse)
        migrate(warehouse, now=MOMENT)
        assert views.views_are_current(warehouse)
        assert warehouse.rows("select * from mart.mine_as_of(current_date)") == [(number,)]
    monkeypatch.setattr(views, "texts", lambda: kept)
    migrate(warehouse, now=MOMENT)
    with pytest.raises(WarehouseError):
        warehouse.rows("select * from mart.mine_as_of(current_date)")
    assert warehouse.rows("select count(*) from mart.aging_as_of(current_date)") == [(0,)]


def test_a_view_that_cannot_be_made_leaves_the_old_ones(warehouse, give):
    before = columns(warehouse, "contacts")
    give({"contacts": "create view mart.contacts as select nonsense from nowhere"})
    with pytest.raises(WarehouseError, match=r"CatalogException|UndefinedTable"):
        migrate(warehouse, now=MOMENT)
    assert columns(warehouse, "contacts") == before


def test_the_views_without_personal_data_reach_a_warehouse_that_had_none(warehouse, load_records):
    load_records([client("a")])
    warehouse.execute("drop schema mart_public cascade")
    for name in named("mart"):
        digest = hashlib.sha256(statement(f"mart/{name}").encode()).hexdigest()  # as the version before noted it
        values = {"name": name, "digest": digest}
        warehouse.execute("update control.views set digest = $digest where name = $name", values)
    migrate(warehouse, now=MOMENT)
    assert warehouse.rows("select id from mart_public.clients") == warehouse.rows("select id from mart.clients") != []
    assert warehouse.rows("select * from mart_public.aging_as_of(current_date)") == []
    before = warehouse.rows("select * from control.views order by place")
    migrate(warehouse, now=MOMENT)
    assert warehouse.rows("select * from control.views order by place") == before


def test_a_column_that_becomes_personal_leaves_the_views_without_personal_data(warehouse, monkeypatch):
    assert "size" in warehouse.answer("select * from mart_public.clients limit 0")[0]
    monkeypatch.setattr(personal, "DERIVED", personal.DERIVED | {"size"})
    personal.rule.cache_clear()
    try:
        migrate(warehouse, now=MOMENT)
        assert "size" not in warehouse.answer("select * from mart_public.clients limit 0")[0]
    finally:
        personal.rule.cache_clear()

"""The tables and views for SQLAlchemy, on either warehouse: what is there, exact values, joins, the ORM."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Session

from flows import engine, metadata
from flows.ask.ask import ask
from flows.configuration.load import place_of
from tests.engines import address
from warehouse.engine.sql import named
from warehouse.opened.open import open_place
from warehouse.schema.marts import KEYS
from warehouse.schema.personal import is_personal


@pytest.fixture
def loaded(settings, pulls, place, server):
    """Settings of a warehouse with documents, changes and a merge, once on each engine."""
    source = msgspec.structs.replace(settings.sources["main"], entities=("clients", "invoices", "payments", "credits"))
    chosen = msgspec.structs.replace(settings, warehouse=address(place), publish=False, sources={"main": source})
    pulls(using=chosen)
    edited, loser, kept, *_ = server.clients(status="active").values()
    server.edit(edited, city="Bern")
    server.merge(loser["id"], kept["id"])
    pulls(using=chosen, full=True)
    return chosen


def test_every_view_and_every_table_is_there(kept):
    tables = metadata(settings=kept).tables
    views = {f"mart.{view}" for view in named("mart")}
    assert views <= set(tables)
    assert {"ninja.clients", "ninja.quotes", "ninja.invoice_items"} <= set(tables)
    assert set(KEYS) == set(named("mart"))
    for view in views:
        assert not [column.name for column in tables[view].columns if isinstance(column.type, sa.types.NullType)]
        assert [column.name for column in tables[view].primary_key] == [
            column.name for column in tables[view].columns if column.name in KEYS[view.removeprefix("mart.")]
        ]


def test_every_view_has_a_twin_without_personal_data_and_all_are_described(kept):
    tables = metadata(settings=kept).tables
    for view in named("mart"):
        whole, public = tables[f"mart.{view}"], tables[f"mart_public.{view}"]
        assert [column.name for column in public.columns] == [
            column.name for column in whole.columns if not is_personal(view, column.name)
        ]
        assert whole.comment
        assert public.comment
        assert all(column.comment for column in (*whole.columns, *public.columns))
        assert "personal data" not in " ".join(column.comment for column in public.columns)
        assert " mart." not in public.comment


def test_each_view_is_read_with_its_values_as_the_warehouse_has_them(loaded):
    tables = metadata(settings=loaded).tables
    with engine(settings=loaded).connect() as connection:
        for view in named("mart"):
            table = tables[f"mart.{view}"]
            order = [table.c[name] for name in KEYS[view]]
            rows = connection.execute(sa.select(table).order_by(*order)).all()
            told = ask(loaded, f"select * from mart.{view} order by {', '.join(KEYS[view])}").rows
            assert [tuple(row) for row in rows] == [tuple(row) for row in told], view
            for column in (column for column in table.columns if isinstance(column.type, sa.Numeric)):
                values = [row._mapping[column.name] for row in rows]
                if not isinstance(column.type, sa.Float):
                    assert all(isinstance(value, Decimal | None) for value in values), column
            for column in (column for column in table.columns if isinstance(column.type, sa.TIMESTAMP)):
                moments = [row._mapping[column.name] for row in rows]
                assert all(moment is None or moment.utcoffset() == timedelta(0) for moment in moments)


def test_the_keys_tell_the_rows_apart(loaded):
    with open_place(place_of(loaded)) as warehouse:  # a company that has changed its currency has rates in both
        for currency in ("EUR", "CHF"):
            warehouse.execute(
                "insert into control.exchange_rates "
                "values ('main', current_date, 'USD', $currency, 0.9, 'file', now())",
                {"currency": currency},
            )
    empty = 0
    for view, key in KEYS.items():
        empty += ask(loaded, f"select count(*) from mart.{view}").rows == [(0,)]
        doubled = f"select {', '.join(key)}, count(*) from mart.{view} group by {', '.join(key)} having count(*) > 1"
        assert ask(loaded, doubled).rows == [], view
    assert empty < 12


def test_views_are_joined_by_their_references(kept):
    tables = metadata(settings=kept).tables
    clients, invoices = tables["mart.clients"], tables["mart.invoices"]
    joined = sa.select(clients.c.id, sa.func.sum(invoices.c.amount)).join(invoices).group_by(clients.c.id)
    by_hand = ask(kept, "select client_id, sum(amount) from mart.invoices group by client_id").rows
    with engine(settings=kept).connect() as connection:
        assert sorted(map(tuple, connection.execute(joined))) == sorted(map(tuple, by_hand))
    assert by_hand


def test_the_orm_maps_a_view_to_a_class(kept):
    class Base(DeclarativeBase):
        metadata = metadata(settings=kept)

    class Client(Base):
        __table__ = Base.metadata.tables["mart.clients"]

    with Session(engine(settings=kept)) as session:
        owing = session.scalars(sa.select(Client).where(Client.balance > 0).order_by(Client.balance.desc())).all()
        told = ask(kept, "select count(*), max(balance) from mart.clients where balance > 0").rows
        assert [(len(owing), owing[0].balance)] == [tuple(row) for row in told]
        assert session.get(Client, (owing[0].source, owing[0].id)) is owing[0]


def test_a_table_is_reflected_by_sqlalchemy_itself(kept):
    """Tools such as Superset ask the database, not us."""
    ours = metadata(settings=kept).tables
    with engine(settings=kept).connect() as connection:
        assert {"mart", "ninja"} <= {name.rpartition(".")[2] for name in sa.inspect(connection).get_schema_names()}
        for name in ("mart.clients", "mart.aging", "ninja.invoices"):
            schema, _, table = name.partition(".")
            found = sa.Table(table, sa.MetaData(), schema=schema, autoload_with=connection)
            assert [column.name for column in found.columns] == [column.name for column in ours[name].columns]
            kinds = {column.name: column.type for column in found.columns}
            money = [column.name for column in ours[name].columns if isinstance(column.type, sa.Numeric)]
            assert money
            assert all(isinstance(kinds[column], sa.Numeric) for column in money)


def test_a_view_of_a_persons_own_is_no_view_of_ours(loaded):
    with open_place(place_of(loaded)) as warehouse:
        warehouse.execute("create view mart.clients_top as select id as client_id, balance from mart.clients")
    assert "mart.clients_top" not in metadata(settings=loaded).tables

"""SQLAlchemy's engine on either warehouse: it reads, exactly, and cannot write."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pandas as pd
import pytest
import sqlalchemy as sa

from flows import engine, table
from flows.configuration.load import place_of
from flows.configuration.values import Settings
from schemas.errors import SettingsError, WarehouseError
from tests.engines import address

OWED = "select name, balance, created_at from mart.clients order by name, id"


@pytest.fixture
def loaded(settings, pulls, place):
    """Settings of a warehouse that was pulled, once on each engine."""
    chosen = msgspec.structs.replace(settings, warehouse=address(place), publish=False)
    pulls(using=chosen)
    return chosen


def test_money_is_exact_and_moments_are_in_utc(loaded, server):
    with engine(settings=loaded).connect() as connection:
        rows = connection.execute(sa.text(OWED)).all()
    assert sorted(row.balance for row in rows) == sorted(Decimal(c["balance"]) for c in server.clients().values())
    assert all(row.created_at.astimezone(UTC).utcoffset() == row.created_at.utcoffset() for row in rows)


def test_pandas_reads_through_it_with_exact_money(loaded, server):
    frame = pd.read_sql(sa.text(OWED), engine(settings=loaded), coerce_float=False)
    assert len(frame) == 120
    assert sum(frame["balance"]) == sum(Decimal(c["balance"]) for c in server.clients().values())
    assert isinstance(frame["balance"].iloc[0], Decimal)


def test_it_cannot_write(loaded):
    with engine(settings=loaded).connect() as connection, pytest.raises(sa.exc.DBAPIError, match=r"(?i)read.only"):
        connection.execute(sa.text("delete from control.runs"))


@pytest.mark.publishes
def test_of_duckdb_the_published_copy_is_read(settings, pulls):
    pulls(using=settings)
    assert engine(settings=settings).url.database.endswith(".published/reader.duckdb")


@pytest.mark.publishes
def test_each_new_reader_sees_the_newest_copy_while_others_keep_theirs(settings, pulls, server):
    pulls(using=settings)
    opened = engine(settings=settings)
    count = sa.text("select count(*) from mart.clients")
    with opened.connect() as held:
        before = held.execute(count).scalar()
        server.call("POST", "/api/v1/clients", {"name": "new"})
        pulls(using=settings)
        assert table("clients", settings=settings).num_rows == before + 1
        with opened.connect() as later:
            assert later.execute(count).scalar() == before + 1
            assert held.execute(count).scalar() == before


def test_without_a_warehouse_or_with_a_damaged_one_connecting_says_what_to_do(tmp_path):
    file = tmp_path / "none.duckdb"
    opened = engine(settings=Settings(warehouse=str(file)))
    with pytest.raises(WarehouseError, match=r"no warehouse at .*none.duckdb yet: `ninja-sync pull`"):
        opened.connect()
    file.write_text("no warehouse\n" * 1000)
    with pytest.raises(WarehouseError, match="cannot be opened") as failed:
        opened.connect()
    assert "publish" not in str(failed.value)


@pytest.mark.publishes
def test_a_published_copy_that_is_damaged_or_missing_is_to_be_published_again(settings, pulls):
    pulls(using=settings)
    opened = engine(settings=settings)
    copy = Path(opened.url.database)
    copy.write_text("no warehouse\n" * 1000)
    with pytest.raises(WarehouseError, match="`ninja-sync publish` writes the published copy again"):
        opened.connect()
    copy.unlink()
    with pytest.raises(WarehouseError, match="`ninja-sync publish` writes the published copy again"):
        opened.connect()


def test_pandas_makes_floats_of_money_unless_it_is_told_not_to(loaded):
    """The trap that docs/python.md names; when pandas mends it, the page can be shorter."""
    assert pd.read_sql(sa.text(OWED), engine(settings=loaded))["balance"].dtype == "float64"


def test_no_connection_of_it_can_write_not_even_a_raw_one(loaded):
    raw = engine(settings=loaded).raw_connection()
    with pytest.raises(Exception, match=r"(?i)read.only"):
        raw.cursor().execute("delete from control.runs")
    raw.close()


def test_it_cannot_write_without_transactions_either(loaded):
    connection = engine(settings=loaded).connect().execution_options(isolation_level="AUTOCOMMIT")
    with connection, pytest.raises((SettingsError, sa.exc.DBAPIError), match=r"(?i)read"):
        connection.execute(sa.text("delete from control.runs"))


def test_on_postgres_values_arrive_whatever_the_environment_says(postgres_place, monkeypatch):
    for name, value in (("CLIENTENCODING", "LATIN1"), ("DATESTYLE", "German"), ("OPTIONS", "-c extra_float_digits=-9")):
        monkeypatch.setenv(f"PG{name}", value)
    asked = "select chr(321) || 'd', date '2026-01-02', timestamptz '2026-06-30 12:00:00+00', float8 '0.123456789'"
    with engine(settings=Settings(warehouse=address(postgres_place))).connect() as connection:
        values = tuple(connection.execute(sa.text(asked)).one())
    assert values == ("Łd", date(2026, 1, 2), datetime(2026, 6, 30, 12, tzinfo=UTC), 0.123456789)


def test_on_postgres_moments_are_in_utc_whatever_the_role_says(postgres_place, postgres):
    with postgres.admin(address(postgres_place).rpartition("/")[2]) as connection:
        connection.execute("alter role current_user set timezone = 'Asia/Tokyo'")
    try:
        with engine(settings=Settings(warehouse=address(postgres_place))).connect() as connection:
            (moment,) = connection.execute(sa.text("select timestamptz '2026-06-30 12:00:00+00'")).one()
            assert (moment.utcoffset(), moment.hour) == (timedelta(0), 12)
    finally:
        with postgres.admin() as connection:
            connection.execute("alter role current_user reset timezone")


def test_a_password_of_the_warehouse_is_not_shown():
    opened = engine(settings=Settings(warehouse="postgresql://loader:s3cret@127.0.0.1:1,127.0.0.1:2/books"))
    assert "s3cret" not in f"{opened!r} {opened.url}"
    with pytest.raises(sa.exc.OperationalError) as failed:
        opened.connect()
    assert "s3cret" not in str(failed.value)


def test_a_sqlalchemy_url_names_the_same_warehouse_as_one_of_postgres(postgres_place):
    theirs = address(postgres_place).replace("postgresql://", "postgresql+psycopg://")
    assert place_of(Settings(warehouse=theirs)) == place_of(Settings(warehouse=address(postgres_place)))

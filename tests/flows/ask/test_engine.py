"""SQLAlchemy's engine on either warehouse: it reads, exactly, and cannot write."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal

import msgspec
import pandas as pd
import pytest
import sqlalchemy as sa

from flows import engine
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

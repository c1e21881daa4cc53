"""The connection strings, commands, queries and files of docs/bi.md work."""

from __future__ import annotations

import re
import shlex
from decimal import Decimal

import duckdb
import msgspec
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from flows.configuration.load import place_of
from tests.docs.pages import ROOT, blocks_of
from tests.engines import address, name_of
from tests.postgres import PASSWORD
from tests.records import MOMENT
from warehouse.engine.place import reader_of
from warehouse.engine.seam import DUCKDB
from warehouse.engine.sql import named
from warehouse.opened.open import open_place
from warehouse.publish.publish import publish
from warehouse.schema.grants import ANALYST, grant

PAGE = ROOT / "docs" / "bi.md"
URLS = dict(re.findall(r"^ {6}((duckdb|postgresql)\S*://\S+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
BY_ENGINE = {engine: url for url, engine in URLS.items()}


def block(language, word):
    (text,) = (one.text for one in blocks_of(PAGE) if one.language == language and word in one.text)
    return text


@pytest.fixture
def loaded(settings, pulls, place):
    chosen = msgspec.structs.replace(settings, warehouse=address(place), publish=False)
    pulls(using=chosen)
    return chosen


@pytest.fixture
def connected(loaded, place, request):
    """The engine of the page's connection string, with the names of this machine put in."""
    with open_place(place) as warehouse:
        if warehouse.engine == DUCKDB:
            publish(warehouse)
            url = BY_ENGINE["duckdb"].replace(
                "/srv/books/warehouse.duckdb.published/reader.duckdb", str(reader_of(place))
            )
            url = sa.make_url(url)
        else:
            postgres, role = request.getfixturevalue("postgres"), "superset"
            warehouse.execute(f"drop role if exists {role}")
            grant(warehouse, role, ANALYST, now=MOMENT)
            warehouse.execute(f"alter role {role} login password '{PASSWORD}'")
            url = sa.make_url(BY_ENGINE["postgresql"])  # psycopg2 is not installed here; psycopg takes the same URL
            url = url.set(
                drivername="postgresql+psycopg", host="127.0.0.1", port=postgres.port, database=name_of(place),
                password=PASSWORD,
            )  # fmt: skip
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()
    with open_place(place) as warehouse:
        if warehouse.engine != DUCKDB:
            warehouse.execute("drop owned by superset")
            warehouse.execute("drop role superset")


def test_a_connection_string_of_the_page_opens_lists_every_view_with_its_columns_and_only_reads(connected):
    assert set(BY_ENGINE) == {"duckdb", "postgresql"}
    found = sa.inspect(connected)
    assert sorted(found.get_view_names(schema="mart_public")) == named("mart")
    balance = {one["name"]: one for one in found.get_columns("client_balances", schema="mart_public")}["balance"]
    assert (balance["type"].precision, balance["type"].scale) == (20, 6)
    assert balance["comment"]
    with connected.connect() as connection:
        assert len(connection.execute(sa.text("select * from mart_public.clients")).all()) == 120
    with connected.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(sa.text("create table mart_public.mine (n integer)"))


def test_the_first_question_of_the_page_has_both_sides_and_the_net_of_each_currency(loaded):
    with open_place(place_of(loaded)) as warehouse:
        for _, owed, late, overpaid, net in warehouse.rows(block("sql", "over_90_days")):
            assert owed - overpaid == net
            assert late <= owed


def test_the_views_and_columns_of_the_page_are_there(loaded):
    begin = PAGE.read_text(encoding="utf-8").partition("## Where to begin")[2].partition("\n## ")[0]
    views = re.findall(r"^\| [^|]+ \| `(\w+)` \|", begin, re.MULTILINE)
    assert len(views) == 5
    with open_place(place_of(loaded)) as warehouse:
        for view in views:
            warehouse.rows(f"select source, currency_code from mart_public.{view} limit 1")
        for view, column in re.findall(r"`(\w+)\.(\w+)`", begin):
            warehouse.rows(f"select {column} from mart_public.{view} limit 1")


def test_the_panel_of_the_page_sums_one_currency_by_day(loaded):
    with open_place(place_of(loaded)) as warehouse:
        rows = warehouse.rows(block("sql", "client_balance_daily"))
        assert rows
        assert all(owed - overpaid == net for _, owed, overpaid, net in rows)


def test_the_files_of_the_page_open_with_exact_amounts(command, tmp_path):
    assert command("pull")[0] == 0
    for line in block("sh", "publish --to").splitlines():
        program, *words = shlex.split(line)
        assert (program, command(*words)[0]) == ("ninja-sync", 0)
    file = tmp_path / "shared" / "source=main" / "client_balances.parquet"
    exact = duckdb.read_parquet(str(file)).query("t", "select balance from t order by id").fetchall()
    wanted = [amount for (amount,) in exact]
    assert any(amount != amount.to_integral_value() for amount in wanted)
    assert pq.read_schema(file).field("balance").type == pa.decimal128(20, 6)
    assert pq.read_table(file, partitioning=None).sort_by("id")["balance"].to_pylist() == wanted
    assert pl.read_parquet(file, hive_partitioning=False).sort("id")["balance"].to_list() == wanted
    for backend in ({}, {"dtype_backend": "pyarrow"}):
        balances = pd.read_parquet(file, partitioning=None, **backend).sort_values("id")["balance"]
        assert list(balances) == wanted
        assert isinstance(balances.iloc[0], Decimal)
    sheet = pd.read_excel(tmp_path / "owed.xlsx")
    assert list(sheet.columns) == ["country", "currency_code", "owed", "overpaid", "net"]
    assert len(sheet) > 0

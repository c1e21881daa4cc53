"""Each value of each view arrives unchanged in pandas, Arrow, polars and Ibis, from either engine."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal

import ibis
import pandas as pd
import polars as pl
import psycopg
import pyarrow as pa
import pytest

from flows.ask.frames import aging, frame, table
from flows.configuration.load import place_of
from tests.docs.pages import ROOT, blocks_of
from warehouse.engine.place import exports_of
from warehouse.opened.open import open_place

LARGEST, SMALLEST = Decimal("9999999999999.999999"), Decimal("-0.000001")
FLOATS = {("duplicate_candidates", "probability")}


@pytest.fixture
def books(kept):
    """The drawn books: one balance has more digits than a float, one is minus a millionth, and one is zero."""
    with open_place(place_of(kept)) as warehouse:
        clients = warehouse.rows("select id from ninja.clients where not is_deleted order by id limit 3")
        for (client,), balance in zip(clients, (LARGEST, SMALLEST, Decimal(0)), strict=True):
            warehouse.execute("update ninja.clients set balance = $to where id = $id", {"to": balance, "id": client})
    return kept


def views_of(settings):
    """The rows of each view in the warehouse, by its name."""
    views = {}
    with open_place(place_of(settings), read_only=True) as warehouse:
        names = warehouse.rows("select table_name from information_schema.tables where table_schema = 'mart'")
        for (name,) in names:
            columns, rows = warehouse.answer(f'select * from mart."{name}"')
            views[name] = [dict(zip(columns, row, strict=True)) for row in rows]
    return views


def in_pandas(view, settings):
    rows = frame(view, settings=settings).to_dict("records")
    return [{name: _of_pandas(value) for name, value in row.items()} for row in rows]


def _of_pandas(value):
    if isinstance(value, pd.Timestamp):
        return None if pd.isna(value) else value.to_pydatetime()
    return None if pd.isna(value) else value


READERS = {
    "arrow": lambda view, settings: table(view, settings=settings).to_pylist(),
    "pandas": in_pandas,
    "polars": lambda view, settings: pl.from_arrow(table(view, settings=settings)).to_dicts(),
    "ibis": lambda view, settings: ibis.memtable(table(view, settings=settings)).to_pyarrow().to_pylist(),
}


def sorted_rows(rows):
    return sorted(rows, key=lambda row: [str(value) for value in row.values()])


@pytest.mark.parametrize("reader", READERS)
def test_each_value_of_each_view_is_read_unchanged(books, reader):
    kinds = set()
    for view, rows in views_of(books).items():
        read = READERS[reader](view, books)
        assert sorted_rows(read) == sorted_rows(rows), view
        for row in read:
            for name, value in row.items():
                assert is_well_typed(value) or (view, name) in FLOATS, (view, name, value)
                kinds.add(type(value))
    assert kinds == {str, int, bool, Decimal, date, datetime, type(None)}


def is_well_typed(value):
    if isinstance(value, Decimal):
        return value.as_tuple().exponent in (-6, -8, -1)  # money, a rate, an average of days
    if isinstance(value, datetime):
        return value.utcoffset() == timedelta(0)
    return type(value) in (str, int, bool, date, type(None))


@pytest.mark.parametrize("reader", READERS)
def test_the_largest_and_the_smallest_amounts_are_exact(books, reader):
    balances = {row["balance"] for row in READERS[reader]("client_balances", books)}
    assert {LARGEST, SMALLEST} < balances


def test_sums_by_currency_are_exact_in_each_of_them(books):
    with open_place(place_of(books), read_only=True) as warehouse:
        by = "select currency_code, sum(balance) from mart.client_balances group by currency_code"
        sums = {code: Decimal(total) for code, total in warehouse.rows(by)}
    assert max(sums.values()) > LARGEST
    rows = table("client_balances", settings=books)
    in_pandas = frame("client_balances", settings=books).groupby("currency_code", dropna=False)["balance"].sum()
    assert {_of_pandas(code): total for code, total in in_pandas.items()} == sums
    assert dict(pl.from_arrow(rows).group_by("currency_code").agg(pl.col("balance").sum()).iter_rows()) == sums
    lazy = ibis.memtable(rows)
    totals = lazy.group_by("currency_code").agg(total=lazy["balance"].sum()).to_pyarrow()
    assert {row["currency_code"]: row["total"] for row in totals.to_pylist()} == sums


def test_columns_of_sums_can_be_added_subtracted_and_multiplied_by_decimals_in_pandas(books):
    ages = aging(settings=books)
    rows = ages.to_dict("records")
    assert list(ages["owed"] - ages["overpaid"]) == [row["net"] for row in rows] == list(ages["net"])
    late = ages["overdue_31_60"] + ages["overdue_61_90"] + ages["overdue_over_90"]
    assert list(late) == [row["overdue_31_60"] + row["overdue_61_90"] + row["overdue_over_90"] for row in rows]
    assert list(ages["owed"] * Decimal("1.1")) == [row["owed"] * Decimal("1.1") for row in rows]


def test_the_page_says_what_pandas_refuses_and_what_to_write(books):
    balance = frame("client_balances", settings=books)["balance"]
    for refused in (lambda: balance * 2, lambda: balance / 3):
        with pytest.raises(pa.ArrowInvalid, match="precision"):
            refused()
    for refused in (balance.cumsum, lambda: balance.nlargest(3), balance.describe):
        with pytest.raises(TypeError):
            refused()
    exact = balance.astype(object)
    assert list(exact * 2) == [value * 2 for value in balance]
    assert exact.cumsum().iloc[-1] == balance.sum() == sum(balance)
    assert balance.sort_values(ascending=False).iloc[0] == balance.max() == LARGEST


def test_means_are_floats_in_polars_and_look_like_decimals_in_ibis(books):
    rows = table("client_balances", settings=books)
    exact = sum(rows["balance"].to_pylist()) / rows.num_rows
    assert isinstance(pl.from_arrow(rows)["balance"].mean(), float)
    mean = ibis.memtable(rows)["balance"].mean().to_pyarrow().as_py()
    assert isinstance(mean, Decimal)
    assert 0 < abs(mean - exact) < 1


def test_pandas_groups_leave_out_rows_without_a_currency_unless_they_are_asked_to_keep_them(books):
    rows = frame("client_balances", settings=books)
    kept, all_rows = (rows.groupby("currency_code", dropna=drop)["balance"].size() for drop in (True, False))
    assert kept.sum() == rows["currency_code"].notna().sum() < all_rows.sum() == len(rows)


def test_a_float_in_a_product_makes_floats_and_a_decimal_does_not(books):
    rows = table("client_balances", settings=books)
    pandas, polars = frame("client_balances", settings=books), pl.from_arrow(rows)
    assert pandas["balance"].mul(1.1).dtype == pd.ArrowDtype(pa.float64())
    assert isinstance((pandas["balance"] * Decimal("1.1")).dtype.pyarrow_dtype, pa.Decimal128Type)
    products = polars.select(floats=pl.col("balance") * 1.1, decimals=pl.col("balance") * Decimal("1.1"))
    assert (products["floats"].dtype, products["decimals"].dtype.is_decimal()) == (pl.Float64, True)


def test_the_difference_of_two_sums_needs_decimals_of_python(books):
    sums = aging(settings=books).groupby("currency_code", dropna=False)[["owed", "overpaid", "net"]].sum()
    with pytest.raises(pa.ArrowInvalid, match="precision"):
        sums["owed"] - sums["overpaid"]
    exact = sums.astype(object)
    assert list(exact["owed"] - exact["overpaid"]) == list(sums["net"])


@pytest.mark.only(where=lambda place: place == "postgres")
def test_ibis_asks_postgres_itself_with_exact_values_and_cannot_write(books):
    (block,) = (b for b in blocks_of(ROOT / "docs" / "python.md") if "ibis.connect" in b.text)
    address = books.warehouse + "?options"
    names = {}
    exec(re.sub(r"postgresql://[^?]*\?options", lambda _: address, block.text), names)  # noqa: S102 - our own page
    balances = names["balances"]
    read = balances.to_pyarrow()
    assert read.schema == table("client_balances", settings=books).schema
    assert sorted_rows(read.to_pylist()) == sorted_rows(table("client_balances", settings=books).to_pylist())
    tiny = balances.filter(balances["balance"].isin([SMALLEST, Decimal(0)]))["balance"]
    with pytest.raises(pa.ArrowInvalid, match="data loss"):
        tiny.mean().to_pyarrow()
    assert tiny.sum().to_pyarrow().as_py() == SMALLEST
    assert tiny.mean().round(6).to_pyarrow().as_py() in (SMALLEST, Decimal(0))
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        names["server"].create_table("mine", schema=ibis.schema({"a": "int64"}), database="mart")
    names["server"].disconnect()


@pytest.mark.publishes
def test_polars_scans_the_published_files_and_the_connection_of_ibis_does_not_open_them(settings, pulls):
    pulls(using=settings)
    folder = exports_of(place_of(settings))
    rows = table("client_balances", settings=settings)
    scanned = pl.scan_parquet(folder / "client_balances.parquet").collect()
    assert sorted_rows(scanned.to_dicts()) == sorted_rows(rows.to_pylist())
    assert scanned.schema["balance"] == pl.Decimal(20, 6)
    with pytest.raises(AttributeError, match="fetch_arrow_table"):
        ibis.duckdb.connect(folder / "reader.duckdb", read_only=True).list_tables()

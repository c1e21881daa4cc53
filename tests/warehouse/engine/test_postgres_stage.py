"""Arrow into Postgres and back: every value the same, whatever it holds."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse.engine.seam import scratch

SCHEMA = pa.schema([
    ("t", pa.string()), ("m", pa.decimal128(20, 6)), ("w", pa.timestamp("us", tz="UTC")), ("b", pa.bool_()),
    ("n", pa.int64()),
])  # fmt: skip
TEXTS = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(["", "\\.", "a\n\\.\nb", '"', '""', "\\N", "a,b", "\r\n", "\\.\n", '\n"\\.', "NULL", " ", "\\"]),
)
ROWS = st.lists(
    st.tuples(
        st.none() | TEXTS,
        st.none() | st.decimals(min_value=-(10**14) + 1, max_value=10**14 - 1, places=6, allow_nan=False),
        st.none() | st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
        st.none() | st.booleans(),
        st.none() | st.integers(-(2**63), 2**63 - 1),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pages=st.lists(ROWS, max_size=3))
def test_whatever_is_staged_is_there(warehouse, pages):
    batches = [
        pa.RecordBatch.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], SCHEMA)
        for rows in pages
    ]
    with scratch(warehouse):
        warehouse.stage("arrived", SCHEMA, iter(batches))
        found = warehouse.table("select * from arrived")
        assert found.schema.types == SCHEMA.types
        assert sorted(found.to_pylist(), key=repr) == sorted((r for b in batches for r in b.to_pylist()), key=repr)
        assert warehouse.rows("select t from arrived where t = ''") == [("",)] * sum(
            r[0] == "" for rows in pages for r in rows
        )


def test_a_number_that_would_have_to_be_rounded_is_an_error(warehouse):
    if warehouse.engine == "duckdb":
        pytest.skip("DuckDB tells the type of each result")
    assert warehouse.table("select cast(1 as numeric) / 8 as n").to_pylist() == [{"n": Decimal("0.125000")}]
    with pytest.raises(pa.ArrowInvalid):
        warehouse.table("select cast(1 as numeric) / 3 as n")


def test_streamed_batches_are_those_of_the_query(warehouse):
    warehouse.execute("create temp table numbers as select * from generate_series(1, 25) as g(n)")
    with warehouse.transaction():
        batches = list(
            warehouse.streamed(
                "select n, cast(n as varchar) as t from numbers where n > $least order by n", {"least": 5}, rows=8
            )
        )
    assert [row["t"] for batch in batches for row in batch.to_pylist()] == [str(n) for n in range(6, 26)]

"""Money, a million times: from the server's JSON to Parquet files and back without a digit lost."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connector.scan.pages import read_page
from schemas.arrow_types import staged_schema
from schemas.entity import Entity, Field, Kind
from schemas.normalise import normalise
from warehouse.engine.place import exports_of
from warehouse.engine.seam import DUCKDB, scratch
from warehouse.load.arrow_files import staged_batch

AMOUNTS = 1_000_000
COLUMNS = 20
NAMES = [f"amount{n}" for n in range(COLUMNS)]
MICROS = 10**6
LARGEST = 10**20 - 1  # millionths: 14 digits before the point, 6 behind it

WALLETS = Entity(
    name="wallets",
    path="",
    fields=(
        Field("id", Kind.TEXT, "Key.", vital=True),
        *(Field(f"amount{n}", Kind.MONEY, "An amount.", vital=True) for n in range(COLUMNS)),
    ),
)


def spelled(rnd: random.Random, millionths: int) -> str:
    """An amount as a JSON number, in one of the ways in which it can be written."""
    sign, (whole, part) = "-" if millionths < 0 else "", divmod(abs(millionths), MICROS)
    fixed = f"{sign}{whole}.{part:06d}"
    short = fixed.rstrip("0").rstrip(".")  # as PHP writes it
    scientific = f"{sign}{abs(millionths)}e-6"
    return rnd.choice([fixed, short, short, scientific])


@pytest.fixture(scope="module")
def million():
    """The amounts in millionths, in rows, and as they are staged: for both engines the same."""
    rnd = random.Random(20_6)  # noqa: S311 - amounts, not secrets
    drawn = [rnd.choice([-1, 1]) * rnd.randrange(10 ** rnd.randint(1, 20)) for _ in range(AMOUNTS - 4)]
    drawn += [LARGEST, -LARGEST, 0, 1]
    rows = [drawn[at : at + COLUMNS] for at in range(0, AMOUNTS, COLUMNS)]
    batches = []
    for start in range(0, len(rows), 5000):
        records = ",".join(
            f'{{"id":"w{start + number}",'
            + ",".join(f'"amount{n}":{spelled(rnd, amount)}' for n, amount in enumerate(row))
            + "}"
            for number, row in enumerate(rows[start : start + 5000])
        )
        body = f'{{"data":[{records}],"meta":{{"pagination":{{"total":1,"per_page":5000}}}}}}'
        page = read_page(body.encode(), datetime.now(UTC), None)
        batch = normalise(WALLETS, page.records)
        assert batch.quarantined == []
        batches.append(staged_batch(WALLETS, batch.rows, first_arrival=start))
    staged = pa.Table.from_batches(batches)
    exact = [[int(value.scaleb(6)) for value in staged.column(name).to_pylist()] for name in NAMES]
    assert exact == [list(column) for column in zip(*rows, strict=True)]
    return rows, batches


@pytest.mark.proof
def test_a_million_amounts_are_the_same_to_the_bit_from_json_through_arrow_and_the_warehouse_to_parquet(
    warehouse, million
):
    rows, batches = million
    staged = pa.Table.from_batches(batches)
    with scratch(warehouse):  # a temporary table outside a transaction would outlive it on Postgres
        warehouse.stage("wallets", staged_schema(WALLETS, None), iter(batches))
        back = warehouse.table("select * from wallets order by arrival")
        ways = [back]
        if warehouse.engine == DUCKDB:
            file = exports_of(warehouse.path) / "wallets.parquet"
            file.parent.mkdir(exist_ok=True)
            warehouse.execute(f"copy (select * from wallets order by arrival) to '{file}' (format parquet)")
            ways += [pq.read_table(file), warehouse.table(f"select * from '{file}' order by arrival")]
        for found, name in itertools.product(ways, NAMES):
            assert found.schema.field(name).type == pa.decimal128(20, 6)
            before, after = (t.column(name).combine_chunks() for t in (staged, found))
            assert bytes(before.buffers()[1]) == bytes(after.buffers()[1])[: len(before) * 16]
        ((total,),) = warehouse.rows(
            "select " + " + ".join(f"sum(cast({name} as decimal(38, 6)))" for name in NAMES) + " from wallets"
        )
        assert int(total.scaleb(6)) == sum(itertools.chain.from_iterable(rows))

"""Rows as Arrow: exact, typed, and refused rather than rounded."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.arrow_types import ARROW, staged_schema
from schemas.entities import CLIENTS, CONTACTS, DOCUMENTS
from schemas.entity import Kind
from schemas.normalise import normalise
from schemas.shape import GENERIC, Shapes
from tests.schemas.both_roads import rows as rows_of
from tests.schemas.schema_records import bodies, client, quick
from warehouse.load.arrow_files import arrow_files, read_batches, staged_batch, staged_children


def recorded(decode):
    """The batch of all recorded clients."""
    raw = [record for body in bodies("clients_full_pull") for record in msgspec.json.decode(body, type=Page).data]
    return normalise(CLIENTS, [decode(bytes(record)) for record in raw])


class Page(msgspec.Struct):
    """The records of a page as they were sent."""

    data: list[msgspec.Raw]


def as_arrow_gives(entity, values):
    return [
        datetime.fromtimestamp(v, UTC) if f.kind is Kind.TIME and v is not None else v
        for f, v in zip(entity.fields, values, strict=True)
    ]


def test_every_kind_has_a_type():
    assert set(ARROW) == set(Kind)
    assert ARROW[Kind.MONEY] == pa.decimal128(20, 6)


def test_a_parent_has_hash_and_record_a_child_its_parents_id():
    parent, child = staged_schema(CLIENTS, None), staged_schema(CONTACTS, CLIENTS)
    assert parent.names == [*(f.name for f in CLIENTS.fields), "row_hash", "record", "arrival"]
    assert child.names == [*(f.name for f in CONTACTS.fields), "client_id", "arrival"]
    assert [f.name for f in parent if not f.nullable] == [
        "id", "balance", "paid_to_date", "payment_balance", "credit_balance", "is_deleted", "row_hash", "record",
        "arrival",
    ]  # fmt: skip


@pytest.mark.parametrize("decode", [GENERIC.decode, Shapes(CLIENTS).record], ids=["decoded", "shaped"])
def test_recorded_rows_come_back_from_a_file_as_they_went_in(tmp_path, decode):
    batch = recorded(decode)
    rows, tables = rows_of(CLIENTS, batch), {}
    assert bool(batch.columns) == (decode != GENERIC.decode)
    for table, content in arrow_files(CLIENTS, batch, first_arrival=1000):
        (tmp_path / table).write_bytes(content)
        tables[table] = pa.Table.from_batches(list(read_batches(tmp_path / table)))
    assert set(tables) == {"clients", "contacts"}
    assert tables["clients"].schema == staged_schema(CLIENTS, None)
    for number, (row, found) in enumerate(zip(rows, tables["clients"].to_pylist(), strict=True)):
        expected = [*as_arrow_gives(CLIENTS, row.values), row.row_hash, row.record, 1000 + number]
        assert list(found.values()) == expected
    contacts = [
        [*as_arrow_gives(CONTACTS, contact), row.id, 1000 + number]
        for number, row in enumerate(rows)
        for contact in row.children[0]
    ]
    assert [list(found.values()) for found in tables["contacts"].to_pylist()] == contacts


def test_documents_come_with_their_parents_id_and_arrival():
    rows = normalise(CLIENTS, [client(id="one"), client(id="two")]).rows
    batch = staged_children(CLIENTS, rows, CLIENTS.children.index(DOCUMENTS), first_arrival=7)
    assert [(r["client_id"], r["arrival"], r["size"]) for r in batch.to_pylist()] == [("one", 7, 5), ("two", 8, 5)]


def test_no_rows_are_an_empty_batch():
    assert staged_batch(CLIENTS, [], first_arrival=0).num_rows == 0


@quick
@given(st.lists(st.integers(-(10**20) + 1, 10**20 - 1), min_size=4, max_size=4))
def test_every_amount_of_twenty_digits_is_exact_in_arrow(units):
    names = ["balance", "paid_to_date", "payment_balance", "credit_balance"]
    amounts = {name: Decimal(unit).scaleb(-6) for name, unit in zip(names, units, strict=True)}
    (row,) = normalise(CLIENTS, [client(**amounts)]).rows
    (found,) = staged_batch(CLIENTS, [row], first_arrival=0).to_pylist()
    assert {name: found[name] for name in names} == amounts


@pytest.mark.parametrize("seconds", [1, 1795333374, 253402300799])
def test_a_time_is_exact_up_to_the_end_of_the_year_9999(seconds):
    (row,) = normalise(CLIENTS, [client(created_at=seconds)]).rows
    (found,) = staged_batch(CLIENTS, [row], first_arrival=0).to_pylist()
    assert found["created_at"] == datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize("value", [Decimal("0.0000001"), Decimal(10) ** 14, "x", 1.5])
def test_arrow_refuses_what_the_converters_would_have_refused(value):
    (row,) = normalise(CLIENTS, [client()]).rows
    place = [f.name for f in CLIENTS.fields].index("balance")
    values = (*row.values[:place], value, *row.values[place + 1 :])
    row = type(row)(row.id, row.updated_at, values, row.row_hash, row.record, row.children)
    with pytest.raises((pa.ArrowInvalid, pa.ArrowTypeError)):
        staged_batch(CLIENTS, [row], first_arrival=0)

"""`mart_public` has every view and function of `mart`, and no value of a person, whatever the records hold."""

from __future__ import annotations

import itertools

import duckdb
import pyarrow.parquet as pq
import pytest

from schemas.billing import CREDITS, INVOICES, PAYMENTS
from schemas.entities import ACTIVITIES, CLIENTS
from schemas.entity import Entity
from schemas.vanished import HELD, Vanished
from tests.receivables.fill import fill
from tests.receivables.office import TEMPLATES
from tests.records import NOW, client
from tests.warehouse.mart.test_aging import ago, invoice, payment, stamp, use
from tests.warehouse.mart.test_daily import reference
from warehouse.engine.seam import DUCKDB
from warehouse.engine.sql import description_of, named
from warehouse.publish.export import LEFT_OUT, export
from warehouse.schema.comments import PERSONAL, of_view
from warehouse.schema.functions import texts
from warehouse.schema.personal import is_personal
from warehouse.schema.public import public_function

MARK = "Canary"
DAYS = (ago(0), ago(49), ago(70))


def marked(entity: Entity, record: dict, number: int = 1) -> dict:
    """The record and its children, with the mark in every personal field."""
    record = dict(record)
    for field in entity.fields:
        if field.personal:
            record[field.json_key] = f"{MARK} {number} {field.name}"
    for child in entity.children:
        record[child.json_key] = [marked(child, one, number) for one in record.get(child.json_key, [])]
    return record


@pytest.fixture
def books(warehouse, load_records):
    """A warehouse with rows in every view that has personal columns, the mark in every personal field."""
    documents = [{"id": "d", "name": "a file", "created_at": NOW, "updated_at": NOW}]
    first = [marked(CLIENTS, client(key, documents=documents)) for key in "abcd"]
    load_records(first, reference=reference("UTC"), unlisted={"b": HELD})
    later = marked(CLIENTS, client("a", updated_at=NOW + 60), 2)
    load_records([later], kind="full", vanished=[Vanished("c", "merged", "a", f"{MARK} evidence")])
    bills = [
        marked(INVOICES, invoice("i", balance=30, paid_to_date=70, line_items=TEMPLATES["invoices"]["line_items"]))
    ]
    bills.append(marked(INVOICES, invoice("j", balance=0, paid_to_date=30, amount=30, status_id="4")))
    load_records(bills, entity=INVOICES)
    load_records([marked(INVOICES, bills[0] | {"updated_at": stamp(1)}, 2)], entity=INVOICES, unlisted={"i": HELD})
    load_records([marked(PAYMENTS, payment("p", use("u", 70), use("w", 30, of="j")))], entity=PAYMENTS)
    credit = TEMPLATES["credits"] | {"id": "k", "client_id": "a", "balance": 5, "status_id": "2", "is_deleted": False}
    load_records([marked(CREDITS, credit)], entity=CREDITS)
    done = {"id": "x", "activity_type_id": "151", "client_id": "a", "created_at": NOW, "updated_at": NOW}
    fill(warehouse, ACTIVITIES, [marked(ACTIVITIES, done)])
    warehouse.execute(
        "insert into control.duplicate_clusters values ('main', 'a', 'a', now()), ('main', 'a', 'b', now())"
    )
    return warehouse


def columns(warehouse, view):
    return warehouse.answer(f"select * from {view} limit 0")[0]


def has_mark(warehouse, query):
    return MARK.lower() in str(warehouse.rows(query)).lower()


def in_order(rows):
    return sorted(rows, key=repr)


def test_every_view_has_a_twin_with_the_columns_that_are_not_personal_and_their_words(warehouse):
    twins = warehouse.rows("select table_name from information_schema.tables where table_schema = 'mart_public'")
    assert sorted(name for (name,) in twins) == named("mart")
    for view in named("mart"):
        names = [name for name in columns(warehouse, f"mart.{view}") if not is_personal(view, name)]
        assert columns(warehouse, f"mart_public.{view}") == names != []
        assert not any(PERSONAL in text for text in of_view(view, names).values())
    if warehouse.engine == DUCKDB:
        found = "select column_name, comment from duckdb_columns() where schema_name = 'mart_public'"
        whole = "select view_name, comment from duckdb_views() where schema_name = 'mart_public'"
    else:
        found = (
            "select a.attname, col_description(c.oid, a.attnum) from pg_class as c "
            "join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 "
            "where c.relnamespace = 'mart_public'::regnamespace"
        )
        whole = "select relname, obj_description(oid) from pg_class where relnamespace = 'mart_public'::regnamespace"
    described = warehouse.rows(found) + warehouse.rows(whole)
    assert len(described) > 400
    assert not [name for name, text in described if not text or PERSONAL in text or "mart." in text]


def test_a_twin_has_the_rows_of_its_view(books):
    for view in named("mart"):
        listed = ", ".join(f'"{name}"' for name in columns(books, f"mart_public.{view}"))
        rows = books.rows(f"select {listed} from mart.{view}")
        assert in_order(books.rows(f"select * from mart_public.{view}")) == in_order(rows), view


def test_a_function_reads_the_twins_alone_and_equals_the_one_of_mart(books):
    for (name, text), day in itertools.product(texts().items(), DAYS):
        twin = public_function(text)
        assert "mart." not in twin
        assert "personal" not in description_of(twin)
        asked = f"select * from mart_public.{name}(date '{day}')"
        assert in_order(books.rows(asked)) == in_order(books.rows(asked.replace("mart_public.", "mart."))) != []


def test_no_value_of_a_personal_field_is_in_any_view_or_function(books):
    personal = {
        view for view in named("mart") if any(is_personal(view, name) for name in columns(books, f"mart.{view}"))
    }
    missed = {view for view in personal if not has_mark(books, f"select * from mart.{view}")}
    assert missed == set()
    for view in named("mart"):
        assert not has_mark(books, f"select * from mart_public.{view}"), view
    for name, day in itertools.product(texts(), DAYS):
        assert not has_mark(books, f"select * from mart_public.{name}(date '{day}')"), name


@pytest.mark.parametrize("personal", [True, False])
def test_an_export_has_both_schemas_and_the_mark_only_where_it_belongs(books, tmp_path, personal):
    files = export(books, tmp_path / "out", personal=personal)
    parquet = [file for file in files if file.suffix == ".parquet"]
    assert any(MARK in str(pq.read_table(file, partitioning=None).to_pylist()) for file in parquet) == personal
    assert any(MARK.encode() in file.read_bytes() for file in files) == personal
    with duckdb.connect() as reader:
        reader.execute(f"attach '{tmp_path}/out/reader.duckdb' as ours (read_only)")
        for view in [name for name in named("mart") if name not in LEFT_OUT]:
            whole, public = (reader.table(f"ours.{schema}.{view}") for schema in ("mart", "mart_public"))
            assert (whole.columns == public.columns) or personal
            assert public.columns == columns(books, f"mart_public.{view}")
            assert len(whole.fetchall()) == len(public.fetchall())
            assert MARK not in str(public.fetchall())
        found = "select count(*), count(comment) from duckdb_columns() where database_name = 'ours'"
        ((every, described),) = reader.execute(found).fetchall()
        assert every == described > 400
        for schema, (name, day) in itertools.product(("mart", "mart_public"), itertools.product(texts(), DAYS)):
            reader.execute(f"set search_path = 'main,ours.{schema}'")
            asked = f"select * from {schema}.{name}(date '{day}')"
            assert in_order(reader.execute(asked).fetchall()) == in_order(books.rows(asked))

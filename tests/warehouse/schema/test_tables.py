"""SQLAlchemy's tables of the mirror: what both engines create from them, and what Postgres says it has."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.engines import address
from warehouse.schema.comments import of_table
from warehouse.schema.mirror import columns, mirrored, missing_columns
from warehouse.schema.tables import mirror, type_of

COMMENTS = {
    "duckdb": "select table_name || '.' || column_name, comment from duckdb_columns() where schema_name = 'ninja'",
    "postgres": "select c.relname || '.' || a.attname, col_description(c.oid, a.attnum) from pg_attribute as a "
    "join pg_class as c on c.oid = a.attrelid and c.relkind = 'r' "
    "join pg_namespace as n on n.oid = c.relnamespace and n.nspname = 'ninja' where a.attnum > 0",
}


on_postgres = pytest.mark.parametrize("place", ["postgres"], indirect=True)
"""tests/flows/ask/test_metadata.py reflects a DuckDB file."""


@pytest.fixture
def reflected(warehouse, place):
    """The tables of the schema `ninja` as SQLAlchemy reads them out of the database."""
    engine = sa.create_engine(sa.make_url(address(place)).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    metadata = sa.MetaData(schema="ninja")
    metadata.reflect(engine)
    return metadata


@on_postgres
def test_postgres_has_exactly_these_tables_columns_types_and_comments(reflected):
    ours = mirror()
    assert set(reflected.tables) == set(ours.tables)
    for name, table in ours.tables.items():
        found = reflected.tables[name]
        assert [described(column) for column in found.columns] == [described(column) for column in table.columns]


def described(column):
    kind = type_of(column).replace("decimal", "numeric")
    return column.name, kind, column.nullable, column.comment


@on_postgres
def test_postgres_has_exactly_these_indexes(reflected):
    for name, table in mirror().tables.items():
        found = {
            index.name: (list(index.columns.keys()), bool(index.unique)) for index in reflected.tables[name].indexes
        }
        assert found == {index.name: (list(index.columns.keys()), bool(index.unique)) for index in table.indexes}
    (only,) = (index for index in reflected.tables["ninja.invoices"].indexes if index.name == "invoices_due")
    assert str(only.dialect_options["postgresql"]["where"]) == "(balance <> (0)::numeric)"


def test_every_column_has_its_description_as_a_comment(warehouse):
    found = dict(warehouse.rows(COMMENTS[warehouse.engine]))
    wanted = {
        f"{entity.name}.{column}": text
        for entity, parent in mirrored()
        for column, text in of_table(entity, parent).items()
    }
    assert found == wanted
    assert all(wanted.values())


def test_the_columns_are_those_of_the_entities_in_their_order():
    tables = mirror().tables
    for entity, parent in mirrored():
        assert list(tables[f"ninja.{entity.name}"].columns.keys()) == list(columns(entity, parent))


def test_joins_follow_the_references():
    tables = mirror().tables
    joined = sa.select(tables["ninja.clients"].c.name).join(tables["ninja.contacts"])
    on = "ninja.clients.source = ninja.contacts.source AND ninja.clients.id = ninja.contacts.client_id"
    assert on in str(joined) or " AND ".join(reversed(on.split(" AND "))) in str(joined)
    for table in tables.values():
        for reference in table.foreign_keys:
            assert reference.column.table.fullname in tables


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ("alter table ninja.clients drop column website", ["ninja.clients.website"]),
        ("drop table ninja.documents", ["ninja.documents"]),
        ("alter table ninja.clients add column theirs varchar", []),
    ],
)
def test_a_table_or_column_that_somebody_dropped_is_named(warehouse, change, missing):
    from warehouse.schema.views import drop_views  # noqa: PLC0415

    assert missing_columns(warehouse) == []
    drop_views(warehouse)
    warehouse.execute(change)
    assert missing_columns(warehouse) == missing

"""The mirror's version: columns change by raising it, older versions refuse it, and the rows come from the records."""

from __future__ import annotations

import pytest

from schemas.entity import Kind
from schemas.errors import WarehouseError
from tests.records import MOMENT, client
from warehouse.engine.seam import POSTGRES
from warehouse.opened import rebuild
from warehouse.opened.migrate import migrate
from warehouse.publish.publish import publish, publish_if_due
from warehouse.schema import comments, mirror, tables
from warehouse.schema.mirror import MIRROR_FINGERPRINT, MIRROR_VERSION, Column, arriving, columns, mirrored
from warehouse.schema.tables import fingerprint
from warehouse.schema.views import drop_views


def test_whoever_changes_a_column_raises_the_version_and_notes_the_fingerprint():
    assert (5, fingerprint(tables.mirror())) == (MIRROR_VERSION, MIRROR_FINGERPRINT)


@pytest.fixture
def changed(monkeypatch):
    """Change the columns of each table."""

    def change(made):
        for module in (tables, comments):
            monkeypatch.setattr(module, "columns", made)

    return change


@pytest.mark.parametrize(
    "other", [{"name": Column(Kind.COUNT)}, {"name": Column(Kind.TEXT, required=True)}, {"extra": Column(Kind.TEXT)}]
)
def test_the_fingerprint_sees_types_nulls_and_columns(changed, other):
    changed(lambda entity, parent: columns(entity, parent) | other)
    assert fingerprint(tables.mirror()) != MIRROR_FINGERPRINT


def test_the_fingerprint_sees_the_order(changed):
    changed(lambda *of: dict(reversed(columns(*of).items())))
    assert fingerprint(tables.mirror()) != MIRROR_FINGERPRINT


def rows(warehouse):
    return [warehouse.rows(f"select * from ninja.{table} order by id") for table in ("clients", "contacts")]


@pytest.mark.quick(where=lambda made, change, **_: (made == "version = 0") == ("balance" in change))
@pytest.mark.parametrize(
    "change",
    [
        "alter table ninja.clients drop column name",
        "alter table ninja.clients add column old_column varchar",
        "alter table ninja.clients alter balance type double precision",
        "alter table ninja.contacts drop column email",
        "drop table ninja.documents",
    ],
)
@pytest.mark.parametrize("made", ["version = 0", "fingerprint = ''"])
def test_tables_of_an_earlier_version_are_rebuilt_from_the_records_without_the_server(
    warehouse, load_records, change, made
):
    load_records([client("a", name="Zoë"), client("b")])
    before = rows(warehouse)
    drop_views(warehouse)
    warehouse.execute(change)
    warehouse.execute(f"update control.mirror set {made}")
    migrate(warehouse, now=MOMENT)
    assert rows(warehouse) == before
    assert warehouse.rows("select * from control.mirror") == [(MIRROR_VERSION, MIRROR_FINGERPRINT)]
    assert warehouse.rows("select contact_email from mart.clients order by id") == [
        ("ca@example.com",),
        ("cb@example.com",),
    ]
    for entity, parent in mirrored():
        found = warehouse.rows(
            "select column_name from information_schema.columns where table_schema = 'ninja' and table_name = $t "
            "order by ordinal_position",
            {"t": entity.name},
        )
        assert [name for (name,) in found] == list(columns(entity, parent))


def test_the_copies_are_written_anew_after_the_tables_were(duckdb_warehouse):
    publish(duckdb_warehouse)
    duckdb_warehouse.execute("update control.mirror set version = 0")
    migrate(duckdb_warehouse, now=MOMENT)
    assert publish_if_due(duckdb_warehouse, now=MOMENT) is not None


def test_an_older_version_refuses_the_tables_of_a_newer_one_and_touches_nothing(warehouse, load_records, monkeypatch):
    load_records([client("a")])
    with monkeypatch.context() as newer:
        newer.setattr(mirror, "MIRROR_VERSION", MIRROR_VERSION + 1)
        for module in (tables, comments):
            newer.setattr(module, "columns", lambda *of: columns(*of) | {"extra": Column(Kind.TEXT)})
        newer.setattr(rebuild, "arriving", lambda *of: {k: v for k, v in arriving(*of).items() if k != "extra"})
        migrate(warehouse, now=MOMENT)
    before = rows(warehouse)
    with pytest.raises(WarehouseError, match="newer version"):
        migrate(warehouse, now=MOMENT)
    assert rows(warehouse) == before
    assert [len(row) for row in before[0]] == [len(columns(*next(mirrored()))) + 1]


def compressions(warehouse):
    """How DuckDB has stored the texts of the records."""
    warehouse.checkpoint()
    rows = warehouse.rows("select column_name, segment_type, compression from pragma_storage_info('ninja.clients')")
    return {how for column, kind, how in rows if column == "record" and kind != "VALIDITY"}


def test_a_file_keeps_records_in_zstd_before_and_after_a_rebuild(warehouse, load_records):
    if warehouse.engine == POSTGRES:
        pytest.skip("Postgres compresses long values on its own")
    load_records([client(f"c{n}", private_notes=f"note {n} " * 20) for n in range(2000)])
    assert compressions(warehouse) == {"ZSTD"}
    drop_views(warehouse)
    with warehouse.transaction():
        rebuild.rebuild(warehouse)
    assert compressions(warehouse) == {"ZSTD"}

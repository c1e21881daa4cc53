"""A warehouse of an older version is made ready for readers: it is upgraded, and its copies are written again."""

from __future__ import annotations

from msgspec.structs import replace

from flows.ask.ask import reading
from flows.configuration.load import place_of
from flows.session.ready import make_ready
from warehouse.engine.duckdb import open_warehouse
from warehouse.engine.place import reader_of


def last_migration(warehouse):
    return warehouse.rows("select max(number) from control.migrations")[0][0]


def as_of_an_older_version(warehouse):
    """A version knew no rejections before the migration that made their table."""
    warehouse.execute("drop table control.rejections")
    warehouse.execute(
        "delete from control.migrations where number >= (select number from control.migrations where name = $name)",
        {"name": "0063_rejections"},
    )


def test_an_upgraded_warehouse_has_copies_of_its_own_version(settings, pulls):
    using = replace(settings, publish=True)
    pulls(using=using)
    for file in (place_of(using), reader_of(place_of(using))):
        with open_warehouse(file) as older:
            known = last_migration(older)
            as_of_an_older_version(older)
    make_ready(using)
    with reading(using) as copy:
        assert last_migration(copy) == known
        assert copy.rows("select count(*) from control.rejections") == [(0,)]


def test_copies_that_lack_nothing_are_left_alone(settings, pulls):
    using = replace(settings, publish=True)
    pulls(using=using)
    make_ready(using)
    before = reader_of(place_of(using)).stat()
    make_ready(using)
    after = reader_of(place_of(using)).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_warehouse_without_copies_gets_none(settings, pulls):
    pulls()
    make_ready(settings)
    assert not reader_of(place_of(settings)).exists()

"""Warehouses of both engines as tests need them: a new one, a copy of one, one put back as it was."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from tests.histories.quick import forget
from tests.postgres import Cluster
from warehouse.engine.place import Place, PostgresUrl

TABLES = """select n.nspname, c.relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where c.relkind = 'r' and c.oid >= 16384 order by 1, 2"""
SHAPE = """select md5(string_agg(line, ';' order by line)) from (
    select concat_ws(' ', n.nspname, c.relname, c.relkind, c.relowner, c.relacl, c.reloptions, a.attnum, a.attname,
        a.atttypid, a.attnotnull, a.attacl) as line
        from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        left join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 where c.oid >= 16384
    union all select concat_ws(' ', nspname, nspowner, nspacl) from pg_namespace
    union all select concat_ws(' ', proname, proacl) from pg_proc where oid >= 16384
    union all select concat_ws(' ', defaclrole, defaclacl) from pg_default_acl
    union all select concat_ws(' ', datacl, datdba, datconnlimit) from pg_database where datname = current_database()
    union all select concat_ws(' ', setrole, setconfig) from pg_db_role_setting as s
        join pg_database as d on d.oid = s.setdatabase where datname = current_database()) as lines"""
"""All that a test may change about a database, but its rows."""
KEPT = 4
ALONE = """select pg_terminate_backend(pid, 60000) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()"""


def address(place: Place) -> str:
    """What a person would write into NINJA_SYNC_WAREHOUSE."""
    return place.url if isinstance(place, PostgresUrl) else str(place)


class Files:
    """DuckDB: a file a warehouse."""

    def new(self, folder: Path) -> Place:
        """Where a new warehouse is."""
        folder.mkdir(parents=True, exist_ok=True)
        return folder / "warehouse.duckdb"

    def copy(self, of: Place, folder: Path) -> Place:
        """A warehouse that holds the same as another one, which nobody has open."""
        forget(of)
        place = self.new(folder)
        shutil.copyfile(of, place)
        place.chmod(0o600)
        return place

    def put_back(self, of: Place, place: Place) -> None:
        """Have a warehouse hold what another one holds."""
        forget(of)
        forget(place)
        shutil.copyfile(of, place)

    def drop(self, place: Place) -> None:
        """Remove a warehouse; its folder is removed by whoever made it."""


class Databases:
    """Postgres: a database a warehouse, all on one server.

    A copy that is dropped is kept for the next copy: to put rows into it takes a hundredth of making a database.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.kept: list[str] = []

    def new(self, _folder: Path) -> Place:
        """Where a new warehouse is."""
        return self.cluster.place(self.cluster.make_database())

    def copy(self, of: Place, _folder: Path | None = None) -> Place:
        """A warehouse that holds the same as another one, which nobody has open."""
        if self.kept:
            place = self.cluster.place(self.kept.pop())
            self.put_back(of, place)
            return place
        return self.cluster.place(self.cluster.make_database(name_of(of)))

    def put_back(self, of: Place, place: Place) -> None:
        """Have a warehouse hold what another one holds: its rows, or the whole database where it has other tables."""
        with self.cluster.admin(name_of(of)) as source, self.cluster.admin(name_of(place)) as target:
            target.execute(ALONE)
            if _shape(source) == _shape(target):
                _copy_rows(source, target)
                return
        self.cluster.drop_database(name_of(place))
        self.cluster.make_database(name_of(of), name=name_of(place))

    def drop(self, place: Place) -> None:
        """Remove a warehouse, its staged pages and its backups; nobody is connected to it any more."""
        for there in place.state.parent.glob(f"{place.state.name}*"):
            shutil.rmtree(there) if there.is_dir() else there.unlink()
        if len(self.kept) == KEPT:
            self.cluster.drop_database(name_of(place))
            return
        with self.cluster.admin(name_of(place)) as connection:
            connection.execute(ALONE)
        self.kept.append(name_of(place))


Engine = Files | Databases


def _shape(connection: psycopg.Connection) -> str:
    return connection.execute(SHAPE).fetchone()[0]


def _copy_rows(source: psycopg.Connection, target: psycopg.Connection) -> None:
    tables = [Identifier(*names) for names in source.execute(TABLES).fetchall()]
    full = SQL("select array[{}]").format(SQL(", ").join(SQL("exists (select from {})").format(t) for t in tables))
    (filled,) = source.execute(full).fetchone()
    with target.transaction():
        target.execute(SQL("; ").join(SQL("delete from {}").format(table) for table in tables))
        for table in (one for one, is_filled in zip(tables, filled, strict=True) if is_filled):
            with (
                source.cursor().copy(SQL("copy {} to stdout (format binary)").format(table)) as out,
                target.cursor().copy(SQL("copy {} from stdin (format binary)").format(table)) as into,
            ):
                for block in out:
                    into.write(block)


def name_of(place: Place) -> str:
    """The name of a database."""
    assert isinstance(place, PostgresUrl)
    return place.url.rpartition("/")[2]

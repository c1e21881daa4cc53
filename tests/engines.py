"""Warehouses of both engines as tests need them: a new one, a copy of one, one put back as it was."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.postgres import Cluster
from warehouse.engine.place import Place, PostgresUrl


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
        place = self.new(folder)
        shutil.copyfile(of, place)
        place.chmod(0o600)
        return place

    def put_back(self, of: Place, place: Place) -> None:
        """Have a warehouse hold what another one holds."""
        shutil.copyfile(of, place)

    def drop(self, place: Place) -> None:
        """Remove a warehouse; its folder is removed by whoever made it."""


class Databases:
    """Postgres: a database a warehouse, all on one server."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def new(self, _folder: Path) -> Place:
        """Where a new warehouse is."""
        return self.cluster.place(self.cluster.make_database())

    def copy(self, of: Place, _folder: Path) -> Place:
        """A warehouse that holds the same as another one, which nobody has open."""
        return self.cluster.place(self.cluster.make_database(_name(of)))

    def put_back(self, of: Place, place: Place) -> None:
        """Have a warehouse hold what another one holds."""
        self.cluster.drop_database(_name(place))
        with self.cluster.admin() as connection:
            connection.execute(f'create database "{_name(place)}" template "{_name(of)}"')

    def drop(self, place: Place) -> None:
        """Remove a warehouse."""
        self.cluster.drop_database(_name(place))


Engine = Files | Databases


def _name(place: Place) -> str:
    assert isinstance(place, PostgresUrl)
    return place.url.rpartition("/")[2]

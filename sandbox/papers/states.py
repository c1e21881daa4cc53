"""Archived, restored, deleted: the three states that every kind has (BaseRepository), and its stamp."""

from __future__ import annotations

from sandbox.store.database import Row, update
from sandbox.store.world import World


def write(world: World, table: str, number: int, values: Row) -> None:
    """Change columns of one row; its stamp moves."""
    update(world.db, table, values | {"updated_at": world.clock.stamp()}, [number])


def archive(world: World, table: str, row: Row) -> None:
    """Nothing happens to a row that is archived or deleted already."""
    if row["deleted_at"] is None:
        write(world, table, row["id"], {"deleted_at": world.clock.stamp()})


def restore(world: World, table: str, row: Row) -> None:
    """Back from the archive, or from the deleted ones; nothing happens to an active row."""
    if row["deleted_at"] is not None:
        write(world, table, row["id"], {"deleted_at": None, "is_deleted": 0})


def delete(world: World, table: str, row: Row) -> None:
    """Soft; nothing happens the second time."""
    if not row["is_deleted"]:
        write(world, table, row["id"], {"is_deleted": 1, "deleted_at": world.clock.stamp()})

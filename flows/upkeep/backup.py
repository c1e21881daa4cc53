"""Back up the whole warehouse into one file, and restore a warehouse from it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from flows.configuration.load import place_of
from flows.configuration.values import Settings
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.ready import open_ready
from flows.upkeep.erase import clean
from schemas.errors import SettingsError, SyncError
from warehouse.control.kept_erasures import erase_again
from warehouse.engine.place import PostgresUrl, staging_of
from warehouse.engine.private import FULL, aside, check_ours, make_private_folder, reason
from warehouse.engine.seam import DUCKDB, Warehouse
from warehouse.opened.backup import Manifest, fill, opened_backup, write_backup
from warehouse.opened.migrate import migrate
from warehouse.opened.open import open_place
from warehouse.publish.publish import publish


@dataclass(frozen=True, slots=True)
class Restored:
    """The restored backup, and the number of clients erased again because they were erased after the backup."""

    made: Manifest
    erased: int


def back_up(settings: Settings, file: Path, clock: Clock = SYSTEM_CLOCK) -> Manifest:
    """Write the whole warehouse into a file for `restore`, without changing the warehouse.

    Raises Busy while a run has the DuckDB file open, SettingsError if the file cannot be written.
    """
    target = file.absolute()
    if target.is_symlink():
        check_ours(target)
    try:
        with open_place(place_of(settings), read_only=True, wait=settings.wait) as warehouse:
            return write_backup(warehouse, target, now=clock.now())
    except OSError as problem:
        if problem.errno in FULL:
            raise SyncError(f"{target} cannot be written: in {target.parent}, {reason(problem)}.") from None
        raise SettingsError(f"{target} cannot be written: {reason(problem)}.") from None


def restore(settings: Settings, file: Path, clock: Clock = SYSTEM_CLOCK) -> Restored:
    """Restore the warehouse from a backup, which may be of the other engine. A kill leaves all of it or nothing.

    Raises SettingsError if there is a warehouse already, or if the file is not a complete backup of a known version.
    """
    place = place_of(settings)
    with opened_backup(file.absolute()) as (archive, made):
        if isinstance(place, PostgresUrl):
            with open_place(place, wait=settings.wait) as warehouse:
                with warehouse.transaction():
                    fill(warehouse, archive, made, now=clock.now())
                erased = _brought_here(warehouse, settings, clock)
        else:
            _check_free(place)
            make_private_folder(place.parent)
            with aside(place) as beside:
                with open_place(beside, wait=settings.wait) as warehouse:
                    with warehouse.transaction():
                        fill(warehouse, archive, made, now=clock.now())
                    erased = _brought_here(warehouse, settings, clock)
                _put(beside, place)
    shutil.rmtree(staging_of(place), ignore_errors=True)  # pages of an earlier warehouse at this place
    clean(settings, clock)
    with open_ready(settings, clock) as warehouse:
        if settings.publish and warehouse.engine == DUCKDB:
            publish(warehouse, now=clock.now())
    return Restored(made, erased)


def _brought_here(warehouse: Warehouse, settings: Settings, clock: Clock) -> int:
    migrate(warehouse, now=clock.now())
    return erase_again(warehouse, place_of(settings), now=clock.now())


def _check_free(path: Path) -> None:
    log = path.with_name(path.name + ".wal")
    for file in (path, log):
        if file.exists() or file.is_symlink():
            raise SettingsError(
                f"There is a warehouse at {path} already ({file.name}). Move it away with its .wal, or name another "
                "one. Nothing was changed."
            )


def _put(beside: Path, path: Path) -> None:
    """Give the restored file its name. Raises SettingsError if a warehouse has appeared there meanwhile."""
    try:
        os.link(beside, path)
    except FileExistsError:
        _check_free(path)

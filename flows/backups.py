"""Where the backups of clients are kept that are purged or merged away: beside the warehouse, for their owner alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from flows.settings import Settings, place_of
from warehouse.place import staging_of
from warehouse.private import make_private_folder


def backup_file(settings: Settings, source: str, verb: str, client_ids: Sequence[str], now: datetime) -> Path:
    """A file for a backup that is not there yet, in a folder that is; the ids are those of clients just read.

    Of a DuckDB warehouse the folder stands beside it, of Postgres in this machine's state folder.
    """
    folder = _folder(settings)
    make_private_folder(folder)
    moment = now.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return folder / f"{source}-{verb}-{'-'.join(client_ids)}-{moment}.json"


def remove_backups(settings: Settings, source: str, client_id: str) -> int:
    """Remove the backups that hold a client, for one that is erased; returns how many there were."""
    folder, found = _folder(settings), 0
    for file in folder.glob(f"{source}-*.json") if folder.is_dir() else ():
        if client_id in file.stem.removeprefix(f"{source}-").split("-"):
            file.unlink(missing_ok=True)
            found += 1
    return found


def _folder(settings: Settings) -> Path:
    staging = staging_of(place_of(settings))
    return staging.with_name(staging.name.removesuffix(".staging") + ".backups")

"""Name and remove private backups of clients to purge or merge; they are beside the warehouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from flows.configuration.load import place_of
from flows.configuration.values import Settings
from warehouse.engine.place import staging_of
from warehouse.engine.private import make_own_folder

CLIENTS = {"purge": 1, "merge": 2}
"""The number of clients in a backup, by verb. `purge` comes first: no client's id is such a short word."""


def backup_file(settings: Settings, source: str, verb: str, client_ids: Sequence[str], now: datetime) -> Path:
    """Return a new path for a backup of clients just read, and create its folder.

    The folder is beside a DuckDB file, or in this machine's state folder for Postgres.
    """
    folder = _folder(settings)
    make_own_folder(folder)
    moment = now.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return folder / f"{source}-{verb}-{'-'.join(client_ids)}-{moment}.json"


def remove_backups(settings: Settings, source: str, erased: Callable[[str], bool]) -> int:
    """Remove this machine's backups that hold an erased client of a source; return how many there were."""
    folder, removed = _folder(settings), 0
    for file in folder.iterdir() if folder.is_dir() else ():
        if any(erased(client_id) for client_id in _clients_in(file.name, source)):
            file.unlink(missing_ok=True)
            removed += 1
    return removed


def _clients_in(name: str, source: str) -> list[str]:
    """Return the ids in a backup's file name if it is of this source, else none.

    The trap: one source's name may look like the start of another source's file (`main`, `main-merge`). Ids and moments
    contain no `-`, so the name is read from its end.
    """
    *before, _moment = name.split("-")
    for verb, ids in CLIENTS.items():
        if before[-ids - 1 : -ids] == [verb]:
            return before[-ids:] if "-".join(before[: -ids - 1]) == source else []
    return []


def _folder(settings: Settings) -> Path:
    staging = staging_of(place_of(settings))
    return staging.with_name(staging.name.removesuffix(".staging") + ".backups")

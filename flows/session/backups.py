"""Where the backups of clients are kept that are purged or merged away: beside the warehouse, for their owner alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from flows.configuration.load import place_of
from flows.configuration.values import Settings
from warehouse.engine.place import staging_of
from warehouse.engine.private import make_own_folder

CLIENTS = {"purge": 1, "merge": 2}
"""How many clients the backup of each verb holds. A purge is looked for first: no client's id is a word so short."""


def backup_file(settings: Settings, source: str, verb: str, client_ids: Sequence[str], now: datetime) -> Path:
    """A file for a backup that is not there yet, in a folder that is; the ids are those of clients just read.

    Of a DuckDB warehouse the folder stands beside it, of Postgres in this machine's state folder.
    """
    folder = _folder(settings)
    make_own_folder(folder)
    moment = now.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return folder / f"{source}-{verb}-{'-'.join(client_ids)}-{moment}.json"


def remove_backups(settings: Settings, source: str, erased: Callable[[str], bool]) -> int:
    """Remove this machine's backups that hold an erased client of a source; returns how many there were."""
    folder, removed = _folder(settings), 0
    for file in folder.iterdir() if folder.is_dir() else ():
        if any(erased(client_id) for client_id in _clients_in(file.name, source)):
            file.unlink(missing_ok=True)
            removed += 1
    return removed


def _clients_in(name: str, source: str) -> list[str]:
    """The ids of the clients in a backup of this source, by the file's name; none where it is another source's.

    The trap: a source's name may hold what looks like the rest of another one's file (`main`, `main-merge`). Ids and
    moments hold no `-`, so the name is read from its end.
    """
    *before, _moment = name.split("-")
    for verb, ids in CLIENTS.items():
        if before[-ids - 1 : -ids] == [verb]:
            return before[-ids:] if "-".join(before[: -ids - 1]) == source else []
    return []


def _folder(settings: Settings) -> Path:
    staging = staging_of(place_of(settings))
    return staging.with_name(staging.name.removesuffix(".staging") + ".backups")

"""The backup of a client before a purge or merge: everything that can be read of it, but no secret.

Its record with contacts and the list of its documents (not the files), its ledger, its newest activities. Contact links
and keys, gateway tokens, hashes and anything named like a credential are left out: a backup must not open the portal.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from connector.clients.read import data_of
from connector.door.door import Door
from connector.scan.pages import UNREADABLE, narrows
from schemas.entities import ACTIVITIES, CLIENTS
from schemas.errors import SettingsError, UnexpectedShape
from schemas.scrub import scrubbed, searched
from schemas.values import to_json_bytes

Saved = Mapping[str, object]
Backup = Callable[[Saved], None] | Path
"""Where a backup goes: a function that stores it and raises where it cannot, or the path of a new file."""
Extras = Mapping[str, object]
"""The parts of a client's backup besides its record: rows by include."""
INCLUDES: Final = ("ledger", "activities")


def save(backup: Backup, door: Door, record: Mapping[str, object]) -> None:
    """Save one client whose record was just read: see `keep`."""
    keep(backup, [(record, extras_of(door, str(record["id"])))])


def keep(backup: Backup, clients: Iterable[tuple[Mapping[str, object], Extras]]) -> None:
    """Save clients, each as its record and its extras. Raises SettingsError where that fails.

    The backup is safe on the disk when this returns.
    """
    saved = {"clients": [{**scrubbed(CLIENTS, dict(record)), **extras} for record, extras in clients]}
    if isinstance(backup, Path):
        _write(backup, to_json_bytes(saved))
    else:
        backup(saved)


def extras_of(door: Door, client_id: str) -> Extras:
    """A client's ledger and activities without secrets, where the server can send them."""
    extras: dict[str, object] = {}
    for include in INCLUDES:
        rows = _included(door, client_id, include)
        if rows is not None:
            extras[include] = [
                scrubbed(ACTIVITIES, row) if include == "activities" else searched(row)
                for row in rows
                if isinstance(row, dict)
            ]
    return extras


def _included(door: Door, client_id: str, include: str) -> list[object] | None:
    try:
        rows = data_of(door.get(f"/clients/{client_id}", {"include": include}).json()).get(include)
    except UnexpectedShape:
        return None
    except UNREADABLE as problem:
        if not narrows(problem):
            raise
        return None
    return rows if isinstance(rows, list) else None


def _write(file: Path, content: bytes) -> None:
    """Write a new file that only its owner may read, whole and synced; never replaces a file."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as problem:
        raise _unwritten(file, problem) from None
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        _make_last(file.parent)
    except OSError as problem:
        with suppress(OSError):
            file.unlink()
        raise _unwritten(file, problem) from None


def _make_last(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritten(file: Path, problem: OSError) -> SettingsError:
    why = "the disk is full" if problem.errno in (errno.ENOSPC, errno.EDQUOT) else problem.strerror
    return SettingsError(f"The backup {file} cannot be written ({why}), so nothing was sent: name another file.")

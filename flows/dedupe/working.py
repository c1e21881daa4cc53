"""The folder beside the warehouse for data that does not fit into memory; the last process to use it removes it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree

from flows.configuration.load import place_of
from flows.configuration.values import Settings
from warehouse.engine.place import WORKING, staging_of
from warehouse.engine.private import check_ours, make_own_folder


@contextmanager
def working_folder(settings: Settings) -> Iterator[Path]:
    """Make the folder, and remove it at the end, with what killed searches left, unless another search uses it."""
    folder = staging_of(place_of(settings)) / WORKING
    check_ours(folder.parent)
    held = _held(folder)
    try:
        yield folder
    finally:
        with suppress(BlockingIOError):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            rmtree(folder, ignore_errors=True)
        os.close(held)


def _held(folder: Path) -> int:
    """Return a descriptor that locks the folder against removal; once more if it was removed at this moment."""
    while True:
        make_own_folder(folder)
        with suppress(FileNotFoundError):
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(held, fcntl.LOCK_SH)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(held), folder.stat()):
                    return held
            os.close(held)

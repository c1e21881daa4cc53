"""Files and folders that only their owner can read, whatever the umask says."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from threading import Lock

from schemas.errors import WarehouseError

OWNER_ONLY = 0o077
_LOCK = Lock()
_umasks: list[int] = []
"""What the umask was when each holder of `only_private_files` came; the first one's is put back by the last one."""


@contextmanager
def only_private_files() -> Iterator[None]:
    """For this time, every file that the process makes is its owner's alone: for engines that make files of their own.

    The trap: a umask belongs to the process, not to a thread. So holders are counted, and whatever other threads make
    meanwhile is private too.
    """
    with _LOCK:
        _umasks.append(os.umask(OWNER_ONLY))
    try:
        yield
    finally:
        with _LOCK:
            before = _umasks[0]
            _umasks.pop()
            if not _umasks and (now := os.umask(before)) != OWNER_ONLY:
                os.umask(now)  # somebody else has set it meanwhile


def make_private_folder(folder: Path) -> None:
    """Make a folder (0700) and its parents. One that is there keeps its mode: it may be shared on purpose.

    Raises WarehouseError where it cannot be made.
    """
    try:
        for missing in [f for f in (folder, *folder.parents) if not f.exists()][::-1]:
            missing.mkdir(mode=0o700, exist_ok=True)
    except OSError as problem:
        raise WarehouseError(f"The folder {folder} cannot be made: {problem.strerror}.") from None


def make_private_file(path: Path) -> None:
    """Take the rights of group and others away from a file."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o600)


def make_whole(path: Path, make: Callable[[Path], None]) -> None:
    """Have a file that is not there made beside its place, and put it there: no one ever meets half of it.

    Another process may be first. Where the file system has no links, nothing is made.
    """
    remove_halves(path)
    if path.exists():
        return
    try:
        beside = path.with_name(f"{path.name}.{os.getpid()}.part")
        make(beside)
        with suppress(OSError):
            os.link(beside, path)
    finally:
        remove_halves(path)


def remove_halves(path: Path) -> None:
    """Remove what `make_whole` left beside where it was killed; what cannot be removed now is removed next time."""
    for left in path.parent.glob(f"{escape(path.name)}.[0-9]*.part"):
        with suppress(OSError):
            left.unlink()


def write_private(path: Path, content: bytes) -> None:
    """Write a file (0600) whole or not at all: beside, then synced, then renamed into place."""
    beside = path.with_name(path.name + ".part")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    rename_into_place(beside, path)


def rename_into_place(beside: Path, path: Path) -> None:
    """Give a finished file its name, and make the name last over a power cut."""
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

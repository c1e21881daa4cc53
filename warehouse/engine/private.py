"""Create files and folders that only their owner can read, under any umask."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from schemas.errors import WarehouseError

OWNER_ONLY = 0o077
FULL = (errno.ENOSPC, errno.EDQUOT)
"""The disk is full, or this user's quota is."""
HALF = r"\.([0-9]+|[a-z0-9_]{8})\.part"
"""The ending of a file while it is written: the random letters of `mkdtemp`; up to 0.1.0, a process id."""
_LOCK = Lock()
_umasks: list[int] = []
"""The umask that each user of `only_private_files` met; the last one to leave restores the first."""


@contextmanager
def only_private_files() -> Iterator[None]:
    """Make every file private that the process creates meanwhile, for engines that create files of their own.

    The trap: a umask belongs to the process, not to a thread. So users are counted, and files that other threads
    create meanwhile are private too.
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
                os.umask(now)  # other code has set it meanwhile


def make_private_folder(folder: Path) -> None:
    """Create a folder (0700) and its parents. An existing folder keeps its mode: it may be shared on purpose.

    Raises WarehouseError if the folder cannot be created.
    """
    try:
        for missing in [f for f in (folder, *folder.parents) if not f.exists()][::-1]:
            missing.mkdir(mode=0o700, exist_ok=True)
    except OSError as problem:
        raise WarehouseError(f"The folder {folder} cannot be created: {reason(problem)}.") from None


def make_private_file(path: Path) -> None:
    """Remove the rights of group and others from a file."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o600)


def make_own_folder(folder: Path) -> None:
    """Create a folder that belongs to a warehouse (0700). Raises WarehouseError if another user created it."""
    check_ours(folder)
    make_private_folder(folder)
    check_ours(folder)


def check_ours(*paths: Path) -> None:
    """Raises WarehouseError if another user of this machine owns one of these files, folders or links.

    The names beside a warehouse can be guessed. In a shared folder, another user could put a file there first, to read
    our data or to lead us elsewhere. The owner of the folder is trusted, because they can change everything in it.
    """
    for path in paths:
        with suppress(OSError):
            if path.lstat().st_uid not in {os.geteuid(), 0, path.parent.stat().st_uid}:
                raise WarehouseError(
                    f"{path} belongs to another user of this machine, so Ninja Sync neither reads nor writes it. "
                    "Remove it, or choose a folder in which you alone may write."
                )


def reason(problem: OSError) -> str:
    """Return why a file or folder cannot be written, as the end of a sentence."""
    if problem.errno in FULL:
        return "the disk is full. Make room there, and try again"
    return problem.strerror or type(problem).__name__


@contextmanager
def aside(file: Path) -> Iterator[Path]:
    """Yield a path to write to before `file` gets its name, in a new private folder beside it.

    Nobody can guess the folder's name, so nobody can have put a link there. The folder is removed at the end.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"{file.name}.", suffix=".part", dir=file.parent))
    try:
        yield folder / (file.name + ".part")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def written_aside(file: Path) -> Iterator[Path]:
    """Like `aside`; at the end the written file gets its name: complete, synced to disk and private."""
    with aside(file) as beside:
        yield beside
        make_private_file(beside)
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        rename_into_place(beside, file)


def make_whole(path: Path, make: Callable[[Path], None]) -> None:
    """Create a missing file beside its place, then link it there, so that no process ever sees half of it.

    Another process may be first. On a file system without links, nothing is created.
    """
    remove_halves(path)
    if path.exists():
        return
    with aside(path) as beside:
        make(beside)
        with suppress(OSError):
            os.link(beside, path)


def remove_halves(path: Path) -> None:
    """Remove the halves that killed writers left beside a file; skip any that cannot be removed.

    Call it only while nobody else can be writing the same file.
    """
    half = re.compile(re.escape(path.name) + HALF)
    for left in path.parent.iterdir() if path.parent.is_dir() else ():
        if half.fullmatch(left.name):
            with suppress(OSError):
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()


def write_private(path: Path, content: bytes) -> None:
    """Write a file (0600) completely or not at all: beside its place, synced, then renamed. Raises OSError."""
    with written_aside(path) as beside, beside.open("xb") as file:
        file.write(content)


def rename_into_place(beside: Path, path: Path) -> None:
    """Rename a finished file into place, and sync the folder so that the name survives a power cut."""
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

"""Files and folders that only their owner can read, whatever the umask says."""

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
"""The disk is full, or what this user may have of it."""
HALF = r"\.([0-9]+|[a-z0-9_]{8})\.part"
"""How a file ends that is being written: the random letters of `mkdtemp`; up to 0.1.0, the number of a process."""
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
        raise WarehouseError(f"The folder {folder} cannot be made: {reason(problem)}.") from None


def make_private_file(path: Path) -> None:
    """Take the rights of group and others away from a file."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o600)


def make_own_folder(folder: Path) -> None:
    """The same for a folder that belongs to a warehouse: refused where another user of the machine has made it."""
    check_ours(folder)
    make_private_folder(folder)
    check_ours(folder)


def check_ours(*paths: Path) -> None:
    """Raises WarehouseError where another user of this machine has put a file, a folder or a link.

    The owner of the folder may: there, everything is theirs to change anyway. The names beside a warehouse can be
    guessed, so in a folder where others may write they may stand ready, to be read by others or to lead elsewhere.
    """
    for path in paths:
        with suppress(OSError):
            if path.lstat().st_uid not in {os.geteuid(), 0, path.parent.stat().st_uid}:
                raise WarehouseError(
                    f"{path} was put there by another user of this machine, so nothing is read from it or written to "
                    "it. Take it away, or choose a folder in which you alone may write."
                )


def reason(problem: OSError) -> str:
    """Why a file or folder cannot be written, for the end of a sentence."""
    if problem.errno in FULL:
        return "the disk is full. Make room there, and try again"
    return problem.strerror or type(problem).__name__


@contextmanager
def aside(file: Path) -> Iterator[Path]:
    """A path to write to before `file` gets its name, in a new folder beside it that is ours alone.

    Nobody can guess its name, so nobody can have put a link there. It is removed at the end, with all that is in it.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"{file.name}.", suffix=".part", dir=file.parent))
    try:
        yield folder / (file.name + ".part")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def written_aside(file: Path) -> Iterator[Path]:
    """The same; the file that is written there gets the name at the end, whole, on the disk, its owner's alone."""
    with aside(file) as beside:
        yield beside
        make_private_file(beside)
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        rename_into_place(beside, file)


def make_whole(path: Path, make: Callable[[Path], None]) -> None:
    """Have a file that is not there made beside its place, and put it there: no one ever meets half of it.

    Another process may be first. Where the file system has no links, nothing is made.
    """
    remove_halves(path)
    if path.exists():
        return
    with aside(path) as beside:
        make(beside)
        with suppress(OSError):
            os.link(beside, path)


def remove_halves(path: Path) -> None:
    """Remove what was left beside a file where its writing was killed; what cannot be removed now is left.

    Call it where nobody else may be writing the same file.
    """
    half = re.compile(re.escape(path.name) + HALF)
    for left in path.parent.iterdir() if path.parent.is_dir() else ():
        if half.fullmatch(left.name):
            with suppress(OSError):
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()


def write_private(path: Path, content: bytes) -> None:
    """Write a file (0600) whole or not at all: beside, then synced, then renamed into place. Raises OSError."""
    with written_aside(path) as beside, beside.open("xb") as file:
        file.write(content)


def rename_into_place(beside: Path, path: Path) -> None:
    """Give a finished file its name, and make the name last over a power cut."""
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

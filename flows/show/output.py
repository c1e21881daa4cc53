"""Write the files that a person names for output: CSV, plans, pictures. All commands use this.

A plain file is replaced by a complete new file that only its owner can read. A device, a FIFO or the program's own
output is written to. Links are followed. `-` is standard output.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from schemas.errors import SettingsError, SyncError
from warehouse.engine.private import FULL, check_ours, reason, write_private

STANDARD_OUTPUT = "-"


def write_output(target: Path | str, content: bytes) -> None:
    """Write all of a file, or leave it unchanged.

    Raises SettingsError if it cannot be written; SyncError if the disk is full; WarehouseError if another user of the
    machine has put a link or a FIFO there.
    """
    if str(target) == STANDARD_OUTPUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    path = Path(target).absolute()
    try:
        _write(path, content)
    except BrokenPipeError:
        raise
    except OSError as problem:
        if problem.errno in FULL:
            raise SyncError(f"{path} cannot be written: in {path.parent}, {reason(problem)}.") from None
        raise SettingsError(f"{path} cannot be written: {reason(problem)}.") from None


def _write(path: Path, content: bytes) -> None:
    status = _status(path)
    if status is not None and stat.S_ISDIR(status.st_mode):
        raise SettingsError(f"{path} is a folder: name a file in it.")
    if status is not None and (ours := _own_stream(status)) is not None:
        _write_to(ours, content)
        return
    if path.is_symlink() or (status is not None and not stat.S_ISREG(status.st_mode)):
        check_ours(path)
    if status is None or stat.S_ISREG(status.st_mode):
        write_private(path.resolve(), content)
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_NOCTTY)
    try:
        _write_to(descriptor, content)
    finally:
        os.close(descriptor)


def _status(path: Path) -> os.stat_result | None:
    """Return the status of the file at a path, behind links; None if there is no file. Raises OSError for a loop."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _own_stream(status: os.stat_result) -> int | None:
    """Return the descriptor of our own output if a path leads to it, as /dev/stdout does.

    The trap: if the shell has redirected the output into a file, this is a plain file, but must not be replaced: the
    shell would keep writing to the old file.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # a stream that is closed, or not a file
            if os.path.samestat(status, os.fstat(stream.fileno())):
                return stream.fileno()
    return None


def _write_to(descriptor: int, content: bytes) -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # keep the order of the output
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]

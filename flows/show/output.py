"""Files that a person names for an answer: CSV, plans, pictures. All commands write them here.

A plain file is replaced by a whole one, its owner's alone. A device, a FIFO or the program's own output is written to.
Of a link, the target is written. `-` is standard output.
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
    """Write all of a file, or leave what is there as it is.

    Raises SettingsError where this cannot be written to; SyncError where the disk is full; WarehouseError where another
    user of the machine has put a link or a FIFO there.
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
    found = _status(path)
    if found is not None and stat.S_ISDIR(found.st_mode):
        raise SettingsError(f"{path} is a folder: name a file in it.")
    if found is not None and (ours := _own_stream(found)) is not None:
        _write_to(ours, content)
        return
    if path.is_symlink() or (found is not None and not stat.S_ISREG(found.st_mode)):
        check_ours(path)
    if found is None or stat.S_ISREG(found.st_mode):
        write_private(path.resolve(), content)
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_NOCTTY)
    try:
        _write_to(descriptor, content)
    finally:
        os.close(descriptor)


def _status(path: Path) -> os.stat_result | None:
    """What stands at a path, behind its links; None where nothing does. A link that leads in a circle is an OSError."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _own_stream(found: os.stat_result) -> int | None:
    """The descriptor of our own output where a path leads to it, as /dev/stdout does.

    The trap: where the shell has sent the output into a file, that is a plain file, which must not be replaced: the
    shell would go on with the old one.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # a stream that is closed, or that is none of the system's
            if os.path.samestat(found, os.fstat(stream.fileno())):
                return stream.fileno()
    return None


def _write_to(descriptor: int, content: bytes) -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # what was said before comes first
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]

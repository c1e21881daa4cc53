"""Start `ninja-sync`: Ctrl-C ends it with one line, even while the command line is still being imported."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from typing import NoReturn

from schemas.errors import OUT_OF_MEMORY, is_short_of_memory

TOO_EARLY = "ninja-sync: stopped before anything was done.\n"


def main() -> NoReturn:
    """Import the command line and run it."""
    gc.disable()  # what is imported stays: to look for garbage in it takes 0.02 s, until `lazy.py` has the command
    try:
        from flows.cli.app import main as run  # noqa: PLC0415 - takes 0.1 s, when Ctrl-C may come
    except KeyboardInterrupt:
        sys.stderr.write(TOO_EARLY)
        sys.exit(130)
    except (ImportError, MemoryError, OSError) as problem:
        if not is_short_of_memory(problem):
            raise
        sys.stderr.write(f"ninja-sync: {OUT_OF_MEMORY}\n")
        sys.exit(1)
    try:
        run()
    except SystemExit as ended:
        if sys.argv[1:2] == ["pull"]:  # the command that is started most, and that leaves no file open
            _end_quickly(ended.code)
        raise
    finally:
        gc.unfreeze()  # Python's own end looks for garbage everywhere


def _end_quickly(code: object) -> None:
    """End the process like Python, but without its last search for garbage, which takes 0.03 s.

    Everything that a command opens is closed by now. Return if only Python itself can end the process as it should.
    """
    if not isinstance(code, int) or threading.active_count() > 1:
        return
    atexit._run_exitfuncs()  # noqa: SLF001 - as Python does, each once
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):  # nobody reads it any more, or it is closed
        return
    os._exit(code)

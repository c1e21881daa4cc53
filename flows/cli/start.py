"""Start `ninja-sync`: Ctrl-C ends it with one line, even while the command line is still being imported."""

from __future__ import annotations

import sys
from typing import NoReturn

from schemas.errors import OUT_OF_MEMORY, is_short_of_memory

TOO_EARLY = "ninja-sync: stopped before anything was done.\n"


def main() -> NoReturn:
    """Import the command line and run it."""
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
    run()

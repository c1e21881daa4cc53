"""Where `ninja-sync` starts: Ctrl-C ends it in one line, also while the command line itself is still being imported."""

from __future__ import annotations

import sys
from typing import NoReturn

TOO_EARLY = "ninja-sync: stopped before anything was done.\n"


def main() -> NoReturn:
    """Import the command line, and run it."""
    try:
        from flows.cli import main as run  # noqa: PLC0415 - a tenth of a second, in which Ctrl-C may come
    except KeyboardInterrupt:
        sys.stderr.write(TOO_EARLY)
        sys.exit(130)
    run()

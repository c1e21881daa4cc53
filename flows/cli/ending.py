"""How a command ends: by an error in one line with its exit code, or by a signal."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from schemas.errors import OUT_OF_MEMORY, SyncError, is_short_of_memory, raised_at
from warehouse.engine.private import reason

TRACEBACK = "NINJA_SYNC_TRACEBACK"
STOPPED = "stopped; what is stored is whole, and the next run goes on from there."
GRACE = 5.0  # seconds in which a process that was told to end may end in order
STOPPED_BY: list[int] = []
"""The signals by which this process was told to end: then an error is only their consequence."""


def describe(problem: Exception) -> tuple[str, int]:
    """What may be told of an error, and its exit code.

    The text of an error that is not ours could hold people's data: a place is told instead, and of the system's errors
    what the system says about which file.
    """
    if isinstance(problem, SyncError):
        return str(problem), problem.exit_code
    if is_short_of_memory(problem):
        return OUT_OF_MEMORY, 1
    if isinstance(problem, OSError) and problem.strerror:
        return ": ".join(filter(None, (str(problem.filename or ""), reason(problem)))) + ".", 1
    more = f"{TRACEBACK}=1 shows more of it (and may show data of clients)."
    return f"unexpected {type(problem).__name__} at {raised_at(problem)}. This is a bug. {more}", 1


def listen_to(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    """Have this handle the signals that tell a process to end; a hangup that is ignored (`nohup`) stays so."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def stop(number: int, _frame: FrameType | None) -> NoReturn:
    """End in order, on Ctrl-C, SIGTERM and SIGHUP: open transactions roll back, locks are given back.

    The second signal ends the process where it stands, and so does the time of grace: the warehouse is made for that.
    The trap: what is raised here while DuckDB runs a query comes out of it as `RuntimeError("Query interrupted")`.
    """
    if STOPPED_BY:
        _end_at_once()
    STOPPED_BY.append(number)
    signal.signal(signal.SIGALRM, lambda *_: _end_at_once())
    signal.setitimer(signal.ITIMER_REAL, GRACE)
    raise SystemExit(128 + number)


def unraisable(ignored: sys.UnraisableHookArgs) -> None:
    """Python drops what is raised in a finaliser or a weak reference's callback; the order to end counts there too."""
    if STOPPED_BY and ignored.exc_type is SystemExit:
        _end_at_once()
    sys.__unraisablehook__(ignored)


def _end_at_once() -> NoReturn:
    """End without another step of the program: what is left is what a kill leaves, and the next run tidies up."""
    listen_to(signal.SIG_IGN)
    cursor = "\x1b[?25h\n" if sys.stderr.isatty() else ""  # which a progress bar hides
    os.write(2, f"{cursor}ninja-sync: {STOPPED}\n".encode())
    os._exit(128 + STOPPED_BY[0])

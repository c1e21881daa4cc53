"""How a signal ends a command."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

STOPPED = "stopped; all stored data is complete, and the next run continues from there."
GRACE = 5.0  # seconds to end in order after a signal
STOPPED_BY: list[int] = []
"""The signals that asked this process to end; an error after them is only their consequence."""


def listen_to(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    """Handle the signals that ask a process to end; a hangup that is ignored (`nohup`) stays ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def stop(number: int, _frame: FrameType | None) -> NoReturn:
    """End in order, on Ctrl-C, SIGTERM and SIGHUP: open transactions roll back, locks are released.

    A second signal, or the end of GRACE, ends the process at once: the warehouse survives that. The trap: while DuckDB
    runs a query, the exception raised here comes out as `RuntimeError("Query interrupted")`.
    """
    if STOPPED_BY:
        _end_at_once()
    STOPPED_BY.append(number)
    signal.signal(signal.SIGALRM, lambda *_: _end_at_once())
    signal.setitimer(signal.ITIMER_REAL, GRACE)
    raise SystemExit(128 + number)


def unraisable(ignored: sys.UnraisableHookArgs) -> None:
    """End at once if a finaliser or a weak reference's callback was asked to end: Python drops their exceptions."""
    if STOPPED_BY and ignored.exc_type is SystemExit:
        _end_at_once()
    sys.__unraisablehook__(ignored)


def _end_at_once() -> NoReturn:
    """End without another step, as a kill does; the next run tidies up."""
    listen_to(signal.SIG_IGN)
    cursor = "\x1b[?25h\n" if sys.stderr.isatty() else ""  # a progress bar hides it
    os.write(2, f"{cursor}ninja-sync: {STOPPED}\n".encode())
    os._exit(128 + STOPPED_BY[0])

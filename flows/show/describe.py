"""Describe an error in one line for people, with its exit code."""

from __future__ import annotations

from schemas.errors import OUT_OF_MEMORY, SyncError, is_short_of_memory, raised_at
from warehouse.engine.private import reason

TRACEBACK = "NINJA_SYNC_TRACEBACK"


def describe(problem: Exception) -> tuple[str, int]:
    """Return the message for an error, without people's data, and its exit code.

    The text of a foreign error could hold people's data, so the message gives the place in the code instead. For an
    error of the operating system, it gives the file and the system's reason.
    """
    if isinstance(problem, SyncError):
        return str(problem), problem.exit_code
    if is_short_of_memory(problem):
        return OUT_OF_MEMORY, 1
    if isinstance(problem, OSError) and problem.strerror:
        return ": ".join(filter(None, (str(problem.filename or ""), reason(problem)))) + ".", 1
    more = f"{TRACEBACK}=1 shows more (and may show clients' data)."
    return f"unexpected {type(problem).__name__} at {raised_at(problem)}. This is a bug. {more}", 1

"""The progress callback of long work."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int | None], None]
"""Progress callback: the phase, records done, and their total or None."""


def silent(_phase: str, _done: int, _total: int | None) -> None:
    """Report no progress."""

"""The progress callback of long work."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str, int, int | None], None]
"""Progress callback: (phase, records done, total or None)."""


def silent(_doing: str, _done: int, _of: int | None) -> None:
    """Report no progress."""

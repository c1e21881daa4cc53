"""How long work reports its progress."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str, int, int | None], None]
"""Is told how a run goes on: what it does now, how many records are through, of how many."""


def silent(_doing: str, _done: int, _of: int | None) -> None:
    """Tell nobody how a run goes on."""

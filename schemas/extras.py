"""The extras of the package: parts that only some commands need, and how to install them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from schemas.errors import SettingsError, is_short_of_memory

NEEDED_BY: Final = {
    "sandbox": "The stand-in server",
    "postgres": "A warehouse in Postgres",
    "pandas": "A pandas frame",
    "plot": "A picture",
    "sqlalchemy": "The engine for SQLAlchemy",
    "xlsx": "A workbook",
    "dedupe": "Finding duplicates",
    "desk": "The desk",
    "prefect": "Running flows under Prefect",
}
"""The user of each extra, as the beginning of a sentence."""
OURS: Final = frozenset({"connector", "flows", "sandbox", "schemas", "warehouse"})


@contextmanager
def needs(extra: str, what: str | None = None) -> Iterator[None]:
    """Import packages of an extra for `what`. Raises SettingsError, which names the extra, where one is missing.

    with needs("plot"):
        import matplotlib

    A missing module of our own is a bug, and is raised unchanged; so is a library that finds no memory to load.
    """
    try:
        yield
    except ImportError as problem:
        package = (problem.name or "").partition(".")[0]
        if package in OURS or is_short_of_memory(problem):
            raise
        missing = package or str(problem).partition("\n")[0]  # psycopg without libpq names no module
        install = f"pip install 'ninja-sync[{extra}]', or `make install` in a clone"
        advice = f"needs packages that are not installed ({missing}): {install}"
        raise SettingsError(f"{what or NEEDED_BY[extra]} {advice}") from None

"""Where a warehouse is: a DuckDB file, or a Postgres database named by a URL; and how either is opened.

The engines are imported by what opens them: who uses DuckDB needs no Postgres driver.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from schemas.errors import SettingsError
from warehouse.engine import Warehouse

SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
"""What a URL of Postgres may begin with; the last is SQLAlchemy's."""


@dataclass(frozen=True, slots=True)
class PostgresUrl:
    """A Postgres database, and the folder of this machine where pages are staged for it.

    The URL may hold a password, so neither `str` nor `repr` shows it.
    """

    url: str = field(repr=False)
    state: Path

    @classmethod
    def of(cls, text: str, environ: Mapping[str, str] = os.environ) -> PostgresUrl:
        """A URL as a person wrote it. Raises SettingsError where it is none of Postgres."""
        scheme, _, rest = text.partition("://")
        if scheme not in SCHEMES:
            raise SettingsError(
                f"The warehouse {scheme}://… is of no kind that is known: set NINJA_SYNC_WAREHOUSE to the path of a "
                "DuckDB file, or to a URL like postgresql://user@host:5432/database."
            )
        try:
            known = urlsplit(f"postgresql://{rest}")
            _ = known.port
        except ValueError:
            raise SettingsError("The warehouse's URL is not valid: postgresql://user@host:5432/database") from None
        state = Path(environ.get("XDG_STATE_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".local" / "state")
        told = hashlib.sha256(_shown(known.geturl()).encode()).hexdigest()[:16]
        return cls(known.geturl(), (state / "ninja-sync" / f"postgres-{told}").absolute())

    def __str__(self) -> str:
        """The URL without its password and its other secrets."""
        return _shown(self.url)

    @property
    def has_password(self) -> bool:
        """Whether a password stands in the URL."""
        found = urlsplit(self.url)
        return found.password is not None or any(name == "password" for name, _ in parse_qsl(found.query))


Place = Path | PostgresUrl
WORKING = "_dedupe"
"""The folder, among those of the sources, where `dedupe find` works; no source can have this name."""


def staging_of(place: Place) -> Path:
    """The folder of this machine where pages for a warehouse are staged; each source has its own folder in it."""
    if isinstance(place, PostgresUrl):
        return place.state
    return place.absolute().with_name(place.name + ".staging")


def open_place(
    place: Place,
    *,
    read_only: bool = False,
    wait: float = 10.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Warehouse:
    """Open a warehouse, waiting up to `wait` seconds for it. Raises Busy, WarehouseError, SettingsError."""
    if isinstance(place, PostgresUrl):
        from warehouse.postgres_engine import open_postgres  # noqa: PLC0415 - see above

        return open_postgres(place, read_only=read_only, wait=wait, clock=clock, sleep=sleep)
    from warehouse.duckdb_engine import open_warehouse  # noqa: PLC0415 - see above

    return open_warehouse(place, read_only=read_only, wait=wait, clock=clock, sleep=sleep)


def is_there(place: Place) -> bool:
    """Whether there is a file to open; of Postgres only the opening can tell."""
    return isinstance(place, PostgresUrl) or place.exists()


def _shown(url: str) -> str:
    found = urlsplit(url)
    address = found.netloc.rpartition("@")[2]
    user = unquote(found.username) + "@" if found.username else ""
    kept = {name: value for name, value in parse_qsl(found.query) if name in {"host", "port", "dbname", "user"}}
    return f"postgresql://{user}{address}{found.path}" + (f"?{urlencode(kept, safe='/')}" if kept else "")

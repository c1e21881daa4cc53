"""The place of a warehouse: the path of a DuckDB file, or the URL of a Postgres database.

This module imports neither engine, so DuckDB users need no Postgres driver.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from schemas.errors import SettingsError
from warehouse.engine.private import check_ours

KEYWORDS = re.compile(
    r"\s*(application_name|channel_binding|connect_timeout|dbname|host|hostaddr|options|passfile|password|port|"
    r"requirepeer|service|sslcert|sslkey|sslmode|sslrootcert|target_session_attrs|user)\s*=|\w+\s*=\S*\s+\w+\s*="
)
"""The beginning of a list of libpq keywords: `host=... password=...`."""
OTHER_KIND = re.compile(r"[^/.~][^/\s]*:|:")
"""The beginning of a name that DuckDB does not open as a file (`md:x`, `:memory:`, `sqlite:x`)."""
SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
"""The schemes of a Postgres URL; the last is SQLAlchemy's."""


@dataclass(frozen=True, slots=True)
class PostgresUrl:
    """A Postgres database, and the folder on this machine that stages pages for it.

    The URL may hold a password, so neither `str` nor `repr` shows it.
    """

    url: str = field(repr=False)
    state: Path

    @classmethod
    def of(cls, text: str, environ: Mapping[str, str] | None = None) -> PostgresUrl:
        """Parse a URL that a person wrote. Raises SettingsError if it is not a Postgres URL."""
        scheme, _, rest = text.partition("://")
        if scheme not in SCHEMES:
            shown = f" {scheme}://…" if scheme.isalnum() else ""
            raise SettingsError(f"The warehouse{shown} is of an unknown kind: {KINDS}")
        try:
            known = urlsplit(f"postgresql://{rest}")
            for host in known.netloc.rpartition("@")[2].split(","):  # libpq tries one after the other
                _ = urlsplit(f"postgresql://{host}").port
        except ValueError:
            raise SettingsError(
                "The warehouse's URL is not valid. Write postgresql://user@host:5432/database. For several hosts, "
                "name each by name or IPv4: postgresql://user@one:5432,two:5432/database."
            ) from None
        environ = os.environ if environ is None else environ
        state = Path(environ.get("XDG_STATE_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".local" / "state")
        digest = hashlib.sha256(_shown(known.geturl()).encode()).hexdigest()[:16]
        # Not `geturl()`, which removes the empty host from postgresql:///database.
        return cls(f"postgresql://{rest}", (state / "ninja-sync" / f"postgres-{digest}").absolute())

    def __str__(self) -> str:
        """Return the URL without its password and other secrets."""
        return _shown(self.url)

    @property
    def has_password(self) -> bool:
        """Whether the URL contains a password."""
        parts = urlsplit(self.url)
        return parts.password is not None or any(name == "password" for name, _ in parse_qsl(parts.query))


Place = Path | PostgresUrl
KINDS = (
    "name the path of a DuckDB file, or a URL like postgresql://user@host:5432/database, in NINJA_SYNC_WAREHOUSE or as "
    "`warehouse` in the settings."
)
READER = "reader.duckdb"
WORKING = "_dedupe"
"""The folder where `dedupe find` works, beside the folders of the sources; no source can have this name."""


def place_from(text: str, environ: Mapping[str, str] | None = None) -> Place:
    """Return the warehouse that a person named: a Postgres URL, or the path of a file with all links resolved.

    Locks and published copies are named after this path, so that one file has one lock and one published copy.
    Raises SettingsError if the text is neither a URL nor a path.
    """
    check_kind(text)
    if "://" in text:
        return PostgresUrl.of(text, environ)
    named = Path(text).expanduser().absolute()
    try:
        if named.is_symlink():
            check_ours(named)
        path = named.resolve()
    except (OSError, RuntimeError):  # RuntimeError up to Python 3.12
        raise SettingsError("The warehouse is a link that leads in a circle: name another file.") from None
    if not path.name:
        raise SettingsError("The warehouse is the folder /: name a file.")
    return path


def check_kind(text: str) -> None:
    """Check that a text is a path or a URL. Raises SettingsError, without the text, as it may hold a password."""
    if KEYWORDS.match(text):
        raise SettingsError(
            "The warehouse is a list of Postgres' keywords (host=…). Write it as a URL: "
            "postgresql://user@host:5432/database. Put the password into ~/.pgpass or PGPASSWORD."
        )
    if "://" not in text and (OTHER_KIND.match(text) or not text.strip() or "\0" in text):
        raise SettingsError(
            f"The warehouse is neither a path nor a URL of Postgres: {KINDS} If the file's name contains a colon, "
            "write its folder too: ./a:b.duckdb"
        )


def staging_of(place: Place) -> Path:
    """Return the folder on this machine that stages pages for a warehouse, with a folder for each source."""
    if isinstance(place, PostgresUrl):
        return place.state
    file = place.resolve()
    return file.with_name(file.name + ".staging")


def exports_of(path: Path) -> Path:
    """Return the folder beside a warehouse that holds its published copies."""
    return path.with_name(path.name + ".published")


def reader_of(path: Path) -> Path:
    """Return the path of the published copy of a warehouse."""
    return exports_of(path.resolve()) / READER


def is_there(place: Place) -> bool:
    """Whether there is a file to open; True for Postgres, where only opening it shows that."""
    return isinstance(place, PostgresUrl) or place.exists()


def _shown(url: str) -> str:
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    user = unquote(parts.username) + "@" if parts.username else ""
    kept = {name: value for name, value in parse_qsl(parts.query) if name in {"host", "port", "dbname", "user"}}
    return f"postgresql://{user}{address}{parts.path}" + (f"?{urlencode(kept, safe='/')}" if kept else "")

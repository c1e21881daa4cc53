"""Where a warehouse is: a DuckDB file, or a Postgres database named by a URL; and how either is opened.

The engines are imported by what opens them: who uses DuckDB needs no Postgres driver.
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
"""How a list of libpq's keywords begins: `host=... password=...`."""
OTHER_KIND = re.compile(r"[^/.~][^/\s]*:|:")
"""How names begin by which DuckDB opens something that is no file (`md:x`, `:memory:`, `sqlite:x`)."""
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
            shown = f" {scheme}://…" if scheme.isalnum() else ""
            raise SettingsError(f"The warehouse{shown} is of no kind that is known: {KINDS}")
        try:
            known = urlsplit(f"postgresql://{rest}")
            for host in known.netloc.rpartition("@")[2].split(","):  # libpq tries one after the other
                _ = urlsplit(f"postgresql://{host}").port
        except ValueError:
            raise SettingsError(
                "The warehouse's URL is not valid. Write postgresql://user@host:5432/database. Where several hosts are "
                "meant, each by name or IPv4: postgresql://user@one:5432,two:5432/database."
            ) from None
        state = Path(environ.get("XDG_STATE_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".local" / "state")
        told = hashlib.sha256(_shown(known.geturl()).encode()).hexdigest()[:16]
        # Not `geturl()`, which takes the empty host out of postgresql:///database.
        return cls(f"postgresql://{rest}", (state / "ninja-sync" / f"postgres-{told}").absolute())

    def __str__(self) -> str:
        """The URL without its password and its other secrets."""
        return _shown(self.url)

    @property
    def has_password(self) -> bool:
        """Whether a password stands in the URL."""
        found = urlsplit(self.url)
        return found.password is not None or any(name == "password" for name, _ in parse_qsl(found.query))


Place = Path | PostgresUrl
KINDS = (
    "name the path of a DuckDB file, or a URL like postgresql://user@host:5432/database, in NINJA_SYNC_WAREHOUSE or as "
    "`warehouse` in the settings."
)
READER = "reader.duckdb"
WORKING = "_dedupe"
"""The folder, among those of the sources, where `dedupe find` works; no source can have this name."""


def place_from(text: str, environ: Mapping[str, str] = os.environ) -> Place:
    """The warehouse that a person has named: a URL of Postgres, or the path of a file, behind all its links.

    Everything that stands beside a file goes by this path, so that one file has one lock and one published copy.
    Raises SettingsError for what is neither.
    """
    check_kind(text)
    if "://" in text:
        return PostgresUrl.of(text, environ)
    named = Path(text).expanduser().absolute()
    try:
        if named.is_symlink():
            check_ours(named)
        found = named.resolve()
    except (OSError, RuntimeError):  # RuntimeError up to Python 3.12
        raise SettingsError("The warehouse is a link that leads in a circle: name another file.") from None
    if not found.name:
        raise SettingsError("The warehouse is the folder /: name a file.")
    return found


def check_kind(text: str) -> None:
    """Raises SettingsError for what is neither a path nor a URL. It never shows the text, which may hold a password."""
    if KEYWORDS.match(text):
        raise SettingsError(
            "The warehouse is a list of Postgres' keywords (host=…). Write it as a URL: "
            "postgresql://user@host:5432/database. The password belongs into ~/.pgpass or PGPASSWORD."
        )
    if "://" not in text and (OTHER_KIND.match(text) or not text.strip() or "\0" in text):
        raise SettingsError(
            f"The warehouse is neither a path nor a URL of Postgres: {KINDS} A file whose name holds a colon is named "
            "with its folder: ./a:b.duckdb"
        )


def staging_of(place: Place) -> Path:
    """The folder of this machine where pages for a warehouse are staged; each source has its own folder in it."""
    if isinstance(place, PostgresUrl):
        return place.state
    file = place.resolve()
    return file.with_name(file.name + ".staging")


def exports_of(path: Path) -> Path:
    """The folder next to a warehouse where its published copies are."""
    return path.with_name(path.name + ".published")


def reader_of(path: Path) -> Path:
    """The published copy of a warehouse for readers."""
    return exports_of(path.resolve()) / READER


def is_there(place: Place) -> bool:
    """Whether there is a file to open; of Postgres only the opening can tell."""
    return isinstance(place, PostgresUrl) or place.exists()


def _shown(url: str) -> str:
    found = urlsplit(url)
    address = found.netloc.rpartition("@")[2]
    user = unquote(found.username) + "@" if found.username else ""
    kept = {name: value for name, value in parse_qsl(found.query) if name in {"host", "port", "dbname", "user"}}
    return f"postgresql://{user}{address}{found.path}" + (f"?{urlencode(kept, safe='/')}" if kept else "")

"""Write the configuration file: the first source with all other settings, and every further source."""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass
from pathlib import Path

from connector.door.address import server_address
from connector.door.secret import Secret
from flows.configuration.load import check_has_no_password, load_settings, read_text
from flows.configuration.values import SOURCE_NAME
from schemas.errors import SettingsError
from warehouse.engine.private import make_private_folder, write_private

TEMPLATE = """\
# Ninja Sync. Put no secret here, only the name of its environment variable or file (mode 600).
warehouse = {warehouse}      # a DuckDB file; a relative path starts at this file's folder

[sources.{name}]             # any number of [sources.NAME]: one company on one server each
url = {url}
{token}
# entities = ["clients", "invoices", "payments", "credits"]  # also quotes, recurring_invoices, products, projects,
#                            # tasks, expenses, vendors
# page_size = 1000           # records a request, 1 to 5000
# connections = 4            # requests under way at once while everything is read, 1 to 16
# look_back = 7200           # seconds that a change may be committed later than it is stamped
# requests_per_second = 5.0  # hosted Invoice Ninja limits by address, for everyone behind it
# proxy = "http://proxy.example:3128"
# ca_file = "ca.pem"

[prefect.schedules]          # for `ninja-sync serve`, times in UTC
pull = {{ interval = 900, jitter = 60 }}
nightly = {{ cron = "7 2 * * *", jitter = 120 }}
"""


ANOTHER = """
[sources.{name}]
url = {url}
{token}
"""


@dataclass(frozen=True, slots=True)
class NewSource:
    """A source to write: its name, its server, and the place of its token, or the token to store.

    Raises SettingsError if a value cannot be used.
    """

    name: str
    url: str
    token_env: str = ""
    token_file: str = ""
    token: Secret | None = None

    def __post_init__(self) -> None:
        """Check the name, and normalise the address."""
        if not SOURCE_NAME.fullmatch(self.name):
            raise SettingsError(f"The name {self.name!r} may contain only lower-case letters, digits, - and _.")
        object.__setattr__(self, "url", str(server_address(self.url)))

    @property
    def own_file(self) -> str:
        """The name of the file for a typed token, beside the configuration."""
        return f"{self.name}.token"

    @property
    def as_toml(self) -> dict[str, str]:
        """The source's settings as TOML values."""
        file = self.own_file if self.token else self.token_file
        token = f"token_file = {_toml(file)}" if file else f"token_env = {_toml(self.token_env)}"
        return {"name": self.name, "url": _toml(self.url), "token": token}


def write_configuration(file: Path, new: NewSource, warehouse: str) -> None:
    """Write the first source into a new file (0600), or add a source to an existing file.

    A typed token is stored beside the file (0600). Raises SettingsError, and writes nothing, if the file has the source
    already or would not be readable afterwards.
    """
    if file.exists():
        add_source(file, new)
        return
    if file.is_symlink():
        raise SettingsError(
            f"{file} is a link to a file that does not exist: remove it, or choose another with --file."
        )
    check_has_no_password(warehouse)
    kept = warehouse if "://" in warehouse else str(Path(warehouse).expanduser().absolute())
    make_private_folder(file.absolute().parent)
    _store_token(file, new)
    write_private(file, TEMPLATE.format(**new.as_toml, warehouse=_toml(kept)).encode())


def add_source(file: Path, new: NewSource) -> None:
    """Add a source at the end of a file. Raises SettingsError as `write_configuration` does."""
    there = load_settings(file, environ={}).sources
    if new.name in there:
        raise SettingsError(
            f"{file} exists and has the source {new.name!r}, at {there[new.name].url}: edit it, or choose another name "
            "for the new source."
        )
    real = file.resolve()  # the file behind a link
    text = real.read_text(encoding="utf-8").rstrip("\n") + "\n" + ANOTHER.format(**new.as_toml)
    if new.name not in read_text(real, text).sources:
        raise SettingsError(f"Cannot add a source to {file}: write a table [sources.{new.name}] into it by hand.")
    mode = stat.S_IMODE(real.stat().st_mode)
    _store_token(real, new)
    write_private(real, text.encode())
    real.chmod(mode)


def _store_token(file: Path, new: NewSource) -> None:
    """Store a typed token. Raises SettingsError if its file exists: it may hold another token."""
    if new.token is None:
        return
    place = file.absolute().parent / new.own_file
    if place.exists():
        raise SettingsError(f"{place} exists already: remove it, or name it with --token-file.")
    write_private(place, f"{new.token.reveal()}\n".encode())


def _toml(text: str) -> str:
    """Return a TOML basic string: JSON's escapes are TOML's too."""
    return json.dumps(text, ensure_ascii=False)

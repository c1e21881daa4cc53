"""Writing the configuration file: the first source with all that goes with it, and each further one."""

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
# Ninja Sync. A secret stands here only as the name of an environment variable or of a file (mode 600).
warehouse = {warehouse}      # a DuckDB file; a relative path starts at this file's folder

[sources.{name}]             # any number of [sources.NAME]: one company on one server each
url = {url}
{token}
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
    """A source that is to be written: its name, its server, and where its token is, or the token that is to be stored.

    Raises SettingsError where a value cannot be used.
    """

    name: str
    url: str
    token_env: str = ""
    token_file: str = ""
    token: Secret | None = None

    def __post_init__(self) -> None:
        """Check the name, and bring the address into its one form."""
        if not SOURCE_NAME.fullmatch(self.name):
            raise SettingsError(f"The name {self.name!r} may hold small letters, digits, - and _ only.")
        object.__setattr__(self, "url", str(server_address(self.url)))

    @property
    def own_file(self) -> str:
        """The name of the file, beside the configuration, in which a token is stored that was typed."""
        return f"{self.name}.token"

    @property
    def told(self) -> dict[str, str]:
        """What the configuration says of the source, as TOML."""
        file = self.own_file if self.token else self.token_file
        token = f"token_file = {_toml(file)}" if file else f"token_env = {_toml(self.token_env)}"
        return {"name": self.name, "url": _toml(self.url), "token": token}


def write_configuration(file: Path, new: NewSource, warehouse: str) -> None:
    """Write the first source into a new file (0600), or another one into a file that is there.

    A token that was typed is stored beside it (0600). Raises SettingsError, and writes nothing, where the file has the
    source already, or could not be read afterwards.
    """
    if file.exists():
        add_source(file, new)
        return
    if file.is_symlink():
        raise SettingsError(
            f"{file} is a link to a file that is not there: remove it, or write another one with --file."
        )
    check_has_no_password(warehouse)
    kept = warehouse if "://" in warehouse else str(Path(warehouse).expanduser().absolute())
    make_private_folder(file.absolute().parent)
    _store_token(file, new)
    write_private(file, TEMPLATE.format(**new.told, warehouse=_toml(kept)).encode())


def add_source(file: Path, new: NewSource) -> None:
    """Write another source at the end of a file. Raises SettingsError as `write_configuration` does."""
    there = load_settings(file, environ={}).sources
    if new.name in there:
        raise SettingsError(
            f"{file} is there already and has the source {new.name!r}, at {there[new.name].url}: edit it, or choose "
            "another name for the new one."
        )
    real = file.resolve()  # where a link leads to
    text = real.read_text(encoding="utf-8").rstrip("\n") + "\n" + ANOTHER.format(**new.told)
    if new.name not in read_text(real, text).sources:
        raise SettingsError(f"{file} cannot be added to: write a table [sources.{new.name}] into it by hand.")
    mode = stat.S_IMODE(real.stat().st_mode)
    _store_token(real, new)
    write_private(real, text.encode())
    real.chmod(mode)


def _store_token(file: Path, new: NewSource) -> None:
    """Store a token that was typed. Raises SettingsError where its file is there: it may be another one's."""
    if new.token is None:
        return
    place = file.absolute().parent / new.own_file
    if place.exists():
        raise SettingsError(f"{place} is there already: remove it, or name it with --token-file.")
    write_private(place, f"{new.token.reveal()}\n".encode())


def _toml(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's too."""
    return json.dumps(text, ensure_ascii=False)

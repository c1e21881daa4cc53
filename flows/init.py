"""Writing the first configuration file."""

from __future__ import annotations

import json
from pathlib import Path

from connector.address import server_address
from flows.settings import SOURCE_NAME, check_has_no_password
from schemas.errors import SettingsError
from warehouse.private import make_private_folder, write_private

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


def write_configuration(file: Path, *, url: str, name: str, warehouse: str, token_env: str, token_file: str) -> None:
    """Write the file (0600). Raises SettingsError where it is there already, or where a value cannot be used."""
    if file.exists() or file.is_symlink():
        raise SettingsError(f"{file} is there already: edit it, or write another one with --file.")
    if not SOURCE_NAME.fullmatch(name):
        raise SettingsError(f"The name {name!r} may hold small letters, digits, - and _ only.")
    address = str(server_address(url))
    check_has_no_password(warehouse)
    token = f"token_file = {_toml(token_file)}" if token_file else f"token_env = {_toml(token_env)}"
    kept = warehouse if "://" in warehouse else str(Path(warehouse).expanduser().absolute())
    text = TEMPLATE.format(name=name, url=_toml(address), token=token, warehouse=_toml(kept))
    make_private_folder(file.absolute().parent)
    write_private(file, text.encode())


def _toml(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's too."""
    return json.dumps(text, ensure_ascii=False)

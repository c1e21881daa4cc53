"""Settings: from the environment for one source, or from `ninja-sync.toml` for any number of them.

The file is looked for in this order; the first one found is used, and the environment wins over it for one source:

    --config FILE, $NINJA_SYNC_CONFIG
    config/ninja-sync.toml, ninja-sync.toml             below the working folder
    ~/.config/ninja-sync/ninja-sync.toml                ($XDG_CONFIG_HOME)
    /etc/ninja-sync/ninja-sync.toml

A secret stands in it only as the name of an environment variable or of a file.
"""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from connector.address import server_address
from connector.door import Door, DoorSettings
from connector.limits import BURST, Turns
from connector.secret import Secret
from flows.schedules import Prefect, fault_of
from schemas.errors import SettingsError
from warehouse.place import Place, PostgresUrl, check_kind, place_from

SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
DEFAULT_SOURCE = "main"
TOKEN_VARIABLE = "NINJA_SYNC_TOKEN"  # noqa: S105 - the name of a variable, not a token
MINUTE, HOUR = 60, 3600
LARGEST_PAGE = 5000  # records; the server gives no larger one
MOST_CONNECTIONS = 16
MOST_AT_ONCE = 32
SLOWEST = 0.01  # requests a second


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One company on one Invoice Ninja server. Times are seconds, sizes are records."""

    url: str
    token_env: str = ""
    token_file: str = ""
    token_block: str = ""
    password_env: str = ""
    password_file: str = ""
    password_block: str = ""
    page_size: int = 1000
    connections: int = 4
    look_back: int = 2 * HOUR
    sweep_days: float = 7
    activities: bool = False
    requests_per_second: float = 5.0
    retry_budget: float = 300.0
    proxy: str | None = None
    ca_file: str | None = None


class Erasure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `ninja-sync erase` leaves: with `keep_balances`, figures under a pseudonym.

    `after_purge` has pulls erase clients of whose purge there is evidence.
    """

    keep_balances: bool = False
    after_purge: bool = False


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For how many days history is kept, and the whole records in it; 0 is for ever."""

    history_days: int = 0
    record_days: int = 0


class Push(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many clients a plan may change without `--force`: the smaller of a number and a share of the mirrored ones.

    `at_least` are never too many; `valid_hours` is how long a plan may be applied after it was made.
    """

    most_clients: int = 1000
    most_share: float = 0.1
    at_least: int = 20
    valid_hours: float = 24.0


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of an installation. Relative paths are those of the file they stand in."""

    warehouse: str = "warehouse.duckdb"
    publish: bool = True
    wait: float = 10.0
    sources: dict[str, Source] = {}
    prefect: Prefect = Prefect()
    erasure: Erasure = Erasure()
    retention: Retention = Retention()
    push: Push = Push()


def load_settings(
    file: Path | None = None, *, environ: Mapping[str, str] = os.environ, folder: Path | None = None
) -> Settings:
    """The settings in force. Raises SettingsError saying what to correct, and never shows a secret."""
    path = find_file(file, environ=environ, folder=folder)
    settings = _read(path) if path else Settings()
    settings = _with_environment(settings, environ)
    _check(settings)
    return settings


def find_file(file: Path | None, *, environ: Mapping[str, str], folder: Path | None = None) -> Path | None:
    """The configuration file in force; None where there is none. Raises SettingsError where a named one is missing."""
    named = file or (Path(environ["NINJA_SYNC_CONFIG"]) if environ.get("NINJA_SYNC_CONFIG") else None)
    if named is not None:
        if not named.is_file():
            raise SettingsError(f"There is no configuration file {named}.")
        return named
    return next((path for path in places(environ, folder) if path.is_file()), None)


def places(environ: Mapping[str, str], folder: Path | None = None) -> list[Path]:
    """Where a configuration file is looked for, in order."""
    here, home = folder or Path.cwd(), Path(environ.get("HOME", "~")).expanduser()
    own = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    name = "ninja-sync.toml"
    return [here / "config" / name, here / name, own / "ninja-sync" / name, Path("/etc/ninja-sync") / name]


def choose_source(settings: Settings, name: str | None) -> str:
    """The name of the one source meant. Raises SettingsError where that is not clear."""
    if not settings.sources:
        raise SettingsError(
            "No source is configured. Set NINJA_SYNC_URL and NINJA_SYNC_TOKEN, or run `ninja-sync init`."
        )
    if name is None and len(settings.sources) > 1:
        raise SettingsError(f"Several sources are configured; choose one: --source {' | '.join(settings.sources)}")
    if name is not None and name not in settings.sources:
        raise SettingsError(f"There is no source {name!r}; there is: {', '.join(settings.sources)}.")
    return name or next(iter(settings.sources))


def choose_sources(settings: Settings, name: str | None) -> list[str]:
    """The names of the sources meant: the named one, else all. Raises SettingsError where there is none."""
    return [choose_source(settings, name)] if name or not settings.sources else list(settings.sources)


def token_of(source: Source, *, environ: Mapping[str, str] = os.environ) -> Secret:
    """The API token of a source. Raises SettingsError where it is not there."""
    if source.token_file:
        return Secret.from_file(source.token_file)
    if source.token_block:
        from flows.blocks import secret_of_block  # noqa: PLC0415 - Prefect, for who keeps secrets there

        return secret_of_block(source.token_block)
    return Secret.from_environment(source.token_env or TOKEN_VARIABLE, environ)


def base_url_of(source: Source) -> str:
    """The address of a source's server in the one form in which it is compared and stored."""
    return str(server_address(source.url))


def open_door(settings: Settings, name: str, *, environ: Mapping[str, str] = os.environ, attempts: int = 8) -> Door:
    """The door to a source's server, ready for use. Raises SettingsError where URL or token cannot be used.

    On Postgres, it takes turns with all other doors to the same host that have the same warehouse.
    """
    source = settings.sources[name]
    door = DoorSettings(
        base_url=source.url,
        requests_per_second=source.requests_per_second,
        retry_budget=source.retry_budget,
        attempts=attempts,
        proxy=source.proxy,
        ca_file=Path(source.ca_file) if source.ca_file else None,
    )
    return Door(door, token_of(source, environ=environ), turns=_turns(settings, source))


def _turns(settings: Settings, source: Source) -> Turns | None:
    """The turns at a source's host. Nothing is asked yet; what is wrong with the warehouse is told by who opens it."""
    with suppress(SettingsError):
        place = place_of(settings)
        if isinstance(place, PostgresUrl):
            from warehouse.host_turns import HostTurns  # noqa: PLC0415 - who uses DuckDB needs no Postgres driver

            address = server_address(source.url)
            host = f"{address.host}:{address.port}"
            return HostTurns(place, host, per_second=source.requests_per_second, burst=BURST)
    return None


def place_of(settings: Settings) -> Place:
    """Where the warehouse is: the path of a DuckDB file, or a URL of Postgres."""
    return place_from(settings.warehouse)


def check_has_no_password(warehouse: str, where: str = "") -> None:
    """Raises SettingsError for a warehouse that may not stand in a file: one with a password, or none at all."""
    check_kind(warehouse)
    if "://" in warehouse and PostgresUrl.of(warehouse).has_password:
        raise SettingsError(
            f"{where}a password stands in the warehouse's URL. Take it out, and put it into ~/.pgpass, $PGPASSWORD or "
            "$NINJA_SYNC_WAREHOUSE."
        )


def _read(path: Path) -> Settings:
    try:
        found = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Settings)
    except tomllib.TOMLDecodeError as problem:
        raise SettingsError(f"{path} is not valid TOML: {problem}") from None
    except msgspec.ValidationError as problem:
        hint = ", now [prefect.schedules]: pull = { interval = 900 }" if "`$.prefect`" in str(problem) else ""
        raise SettingsError(f"{path}: {problem}{hint}") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{path} cannot be read: {type(problem).__name__}.") from None
    check_has_no_password(found.warehouse, f"{path}: ")
    return msgspec.structs.replace(
        found,
        warehouse=found.warehouse if "://" in found.warehouse else _beside(path, found.warehouse),
        sources={
            name: msgspec.structs.replace(
                source,
                token_file=_beside(path, source.token_file),
                password_file=_beside(path, source.password_file),
                ca_file=_beside(path, source.ca_file or "") or None,
            )
            for name, source in found.sources.items()
        },
    )


def _beside(path: Path, name: str) -> str:
    return str(path.absolute().parent / Path(name).expanduser()) if name else ""


def _with_environment(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """The environment over the file: the warehouse, and the URL and token of a single source."""
    if environ.get("NINJA_SYNC_WAREHOUSE"):
        settings = msgspec.structs.replace(settings, warehouse=environ["NINJA_SYNC_WAREHOUSE"])
    url = environ.get("NINJA_SYNC_URL")
    if url and len(settings.sources) > 1:
        raise SettingsError("NINJA_SYNC_URL is set, but the configuration file has several sources: unset it.")
    if len(settings.sources) > 1 or not (url or settings.sources):
        return settings
    name, source = next(iter(settings.sources.items()), (DEFAULT_SOURCE, Source(url="")))
    if environ.get(TOKEN_VARIABLE):
        source = msgspec.structs.replace(source, token_env=TOKEN_VARIABLE, token_file="", token_block="")
    return msgspec.structs.replace(settings, sources={name: msgspec.structs.replace(source, url=url or source.url)})


def _check(settings: Settings) -> None:
    """Raises SettingsError for a value with which a pull could lose changes, or could never end."""
    _check_range("wait", settings.wait, least=0)
    _check_range("retention.history_days", settings.retention.history_days, least=0)
    _check_range("retention.record_days", settings.retention.record_days, least=0)
    _check_range("push.most_clients", settings.push.most_clients, least=0)
    _check_range("push.most_share", settings.push.most_share, least=0, most=1)
    _check_range("push.at_least", settings.push.at_least, least=0)
    _check_range("push.valid_hours", settings.push.valid_hours, least=0)
    _check_range("prefect.at_once", settings.prefect.at_once, least=1, most=MOST_AT_ONCE)
    for name, when in settings.prefect.schedules.items():
        if fault := fault_of(name, when):
            raise SettingsError(fault)
    for name, source in settings.sources.items():
        if not SOURCE_NAME.fullmatch(name):
            raise SettingsError(f"The source name {name!r} may hold small letters, digits, - and _ only.")
        of = f"of the source {name!r}"
        _check_range(f"page_size {of}", source.page_size, least=1, most=LARGEST_PAGE)
        _check_range(f"connections {of}", source.connections, least=1, most=MOST_CONNECTIONS)
        _check_range(f"look_back {of}", source.look_back, least=MINUTE)
        _check_range(f"retry_budget {of}", source.retry_budget, least=0)
        _check_range(f"requests_per_second {of}", source.requests_per_second, least=SLOWEST)


def _check_range(name: str, value: float, *, least: float, most: float = math.inf) -> None:
    if not least <= value <= most or math.isinf(value):  # TOML knows inf and nan
        limit = f"{least:,} to {most:,}" if most < math.inf else f"at least {least:,}"
        raise SettingsError(f"{name} must be {limit}, not {value:,}.")

"""Load settings from `ninja-sync.toml`, for any number of sources, or from the environment, for one.

The first of these files is used; with one source, the environment overrides it:

    --config FILE, $NINJA_SYNC_CONFIG
    config/ninja-sync.toml, ninja-sync.toml             in the working folder
    ~/.config/ninja-sync/ninja-sync.toml                ($XDG_CONFIG_HOME)
    /etc/ninja-sync/ninja-sync.toml

It holds no secret, only the name of the environment variable or file that does.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from flows.configuration.values import (
    Settings,
    Source,
    check_values,
    in_words,
)
from schemas.errors import SettingsError
from warehouse.engine.place import Place, PostgresUrl, check_kind, place_from

DEFAULT_SOURCE = "main"
TOKEN_VARIABLE = "NINJA_SYNC_TOKEN"  # noqa: S105 - the name of a variable, not a token
ENTITIES_VARIABLE = "NINJA_SYNC_ENTITIES"
PATHS_OF_PREFECT = ("rules", "changes_folder", "statements_folder", "export_folder")


def load_settings(
    file: Path | None = None, *, environ: Mapping[str, str] | None = None, folder: Path | None = None
) -> Settings:
    """Return the settings in force. Raises SettingsError with the correction to make, but never with a secret."""
    environ = os.environ if environ is None else environ
    path = find_file(file, environ=environ, folder=folder)
    settings = _read(path) if path else Settings()
    settings = _with_environment(settings, environ)
    check_values(settings)
    return settings


def find_file(file: Path | None, *, environ: Mapping[str, str], folder: Path | None = None) -> Path | None:
    """Return the configuration file in force; None if there is none. Raises SettingsError if a named one is missing."""
    named = file or (Path(environ["NINJA_SYNC_CONFIG"]) if environ.get("NINJA_SYNC_CONFIG") else None)
    if named is not None:
        if not named.is_file():
            raise SettingsError(f"There is no configuration file {named}.")
        return named
    return next((path for path in places(environ, folder) if path.is_file()), None)


def places(environ: Mapping[str, str], folder: Path | None = None) -> list[Path]:
    """Return the places to look for a configuration file, in order."""
    here, home = folder or Path.cwd(), Path(environ.get("HOME", "~")).expanduser()
    own = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    name = "ninja-sync.toml"
    return [here / "config" / name, here / name, own / "ninja-sync" / name, Path("/etc/ninja-sync") / name]


def choose_source(settings: Settings, name: str | None) -> str:
    """Return the name of the source meant. Raises SettingsError if that is not clear."""
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
    """Return the names of the sources meant: the named one, else all. Raises SettingsError if there is none."""
    return [choose_source(settings, name)] if name or not settings.sources else list(settings.sources)


def place_of(settings: Settings) -> Place:
    """Return the place of the warehouse: the path of a DuckDB file, or a URL of Postgres."""
    return place_from(settings.warehouse)


def check_has_no_password(warehouse: str, where: str = "") -> None:
    """Raises SettingsError for a warehouse that must not be in a file: one with a password, or of an unknown kind."""
    check_kind(warehouse)
    if "://" in warehouse and PostgresUrl.of(warehouse).has_password:
        raise SettingsError(
            f"{where}the warehouse's URL has a password. Remove it, and put it into ~/.pgpass, $PGPASSWORD or "
            "$NINJA_SYNC_WAREHOUSE."
        )


def _read(path: Path) -> Settings:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{path} cannot be read: {type(problem).__name__}.") from None
    return read_text(path, text)


def read_text(path: Path, text: str) -> Settings:
    """Return the settings in the text of a file. Raises SettingsError."""
    try:
        settings = msgspec.convert(tomllib.loads(text), Settings)
    except tomllib.TOMLDecodeError as problem:
        raise SettingsError(f"{path} is not valid TOML: {problem}") from None
    except msgspec.ValidationError as problem:
        raise SettingsError(f"{path}: {in_words(str(problem))}") from None
    check_has_no_password(settings.warehouse, f"{path}: ")
    return msgspec.structs.replace(
        settings,
        warehouse=settings.warehouse if "://" in settings.warehouse else _beside(path, settings.warehouse),
        prefect=msgspec.structs.replace(
            settings.prefect,
            **{name: _beside(path, getattr(settings.prefect, name)) for name in PATHS_OF_PREFECT},
        ),
        sources={
            name: msgspec.structs.replace(
                source,
                token_file=_beside(path, source.token_file),
                password_file=_beside(path, source.password_file),
                ca_file=_beside(path, source.ca_file or "") or None,
            )
            for name, source in settings.sources.items()
        },
    )


def _beside(path: Path, name: str) -> str:
    return str(path.absolute().parent / Path(name).expanduser()) if name else ""


def _with_environment(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """Return the settings, overridden by the environment: the warehouse; a single source's URL, token and entities."""
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
    if environ.get(ENTITIES_VARIABLE):
        named = tuple(entity.strip() for entity in environ[ENTITIES_VARIABLE].split(","))
        source = msgspec.structs.replace(source, entities=named)
    return msgspec.structs.replace(settings, sources={name: msgspec.structs.replace(source, url=url or source.url)})

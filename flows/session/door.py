"""The door to a source's server: its address, its token, its turns."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from connector.door.address import server_address
from connector.door.door import Door, DoorSettings
from connector.door.limits import BURST, Turns
from connector.door.secret import Secret
from flows.configuration.load import TOKEN_VARIABLE, place_of
from flows.configuration.values import Settings, Source
from schemas.errors import SettingsError
from schemas.extras import needs
from warehouse.engine.place import PostgresUrl
from warehouse.opened.secret_hosts import check_hosts


def token_of(source: Source, *, environ: Mapping[str, str] | None = None) -> Secret:
    """Return the API token of a source. Raises SettingsError if there is none."""
    if source.token_file:
        return Secret.from_file(source.token_file)
    if source.token_block:
        from flows.session.blocks import secret_of_block  # noqa: PLC0415 - Prefect, only for blocks

        return secret_of_block(source.token_block)
    return Secret.from_environment(source.token_env or TOKEN_VARIABLE, environ)


def secrets_of(source: Source) -> list[str]:
    """Return the names of the places of a source's secrets, as the warehouse notes them; a typed password has none."""
    places = [("file", source.token_file), ("block", source.token_block), ("env", source.token_env or TOKEN_VARIABLE)]
    token = next(f"{kind} {name}" for kind, name in places if name)
    places = [("file", source.password_file), ("block", source.password_block), ("env", source.password_env)]
    return [token, *(f"{kind} {name}" for kind, name in places if name)]


def base_url_of(source: Source) -> str:
    """Return the address of a source's server in the form to compare and store."""
    return str(server_address(source.url))


def open_door(
    settings: Settings,
    name: str,
    *,
    environ: Mapping[str, str] | None = None,
    attempts: int = 8,
    allowed: bool = False,
) -> Door:
    """Open the door to a source's server. Raises SettingsError if URL or token cannot be used.

    Before the first request, it checks in the warehouse that source and secrets belong to this server, unless a person
    has `allowed` it. On Postgres, all doors to the same host with the same warehouse take turns.
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
    check = None if allowed else lambda: check_server(settings, name)
    return Door(door, token_of(source, environ=environ), turns=_turns(settings, source), check=check)


def check_server(settings: Settings, name: str) -> None:
    """Raises SettingsError if a source or its secrets belong to another server than the settings'."""
    source = settings.sources[name]
    check_hosts(place_of(settings), name, base_url_of(source), secrets_of(source), wait=settings.wait)


def _turns(settings: Settings, source: Source) -> Turns | None:
    """Return the turns at a source's host, without connecting yet. Opening the warehouse reports its problems."""
    with suppress(SettingsError):
        place = place_of(settings)
        if isinstance(place, PostgresUrl):
            with needs("postgres"):
                from warehouse.locks.host_turns import HostTurns  # noqa: PLC0415 - not for DuckDB

            address = server_address(source.url)
            host = f"{address.host}:{address.port}"
            return HostTurns(place, host, per_second=source.requests_per_second, burst=BURST)
    return None

"""The door to a source's server: its address, its token, its turns."""

from __future__ import annotations

import os
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


def token_of(source: Source, *, environ: Mapping[str, str] = os.environ) -> Secret:
    """The API token of a source. Raises SettingsError where it is not there."""
    if source.token_file:
        return Secret.from_file(source.token_file)
    if source.token_block:
        from flows.session.blocks import secret_of_block  # noqa: PLC0415 - Prefect, for who keeps secrets there

        return secret_of_block(source.token_block)
    return Secret.from_environment(source.token_env or TOKEN_VARIABLE, environ)


def secrets_of(source: Source) -> list[str]:
    """The names of the places of a source's secrets, as the warehouse notes them; the usual password has none."""
    places = [("file", source.token_file), ("block", source.token_block), ("env", source.token_env or TOKEN_VARIABLE)]
    token = next(f"{kind} {name}" for kind, name in places if name)
    places = [("file", source.password_file), ("block", source.password_block), ("env", source.password_env)]
    return [token, *(f"{kind} {name}" for kind, name in places if name)]


def base_url_of(source: Source) -> str:
    """The address of a source's server in the one form in which it is compared and stored."""
    return str(server_address(source.url))


def open_door(
    settings: Settings,
    name: str,
    *,
    environ: Mapping[str, str] = os.environ,
    attempts: int = 8,
    allowed: bool = False,
) -> Door:
    """The door to a source's server, ready for use. Raises SettingsError where URL or token cannot be used.

    Before the first request, the warehouse is asked whether source and secrets belong to this server, unless a person
    has `allowed` it. On Postgres, it takes turns with all other doors to the same host that have the same warehouse.
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
    """Raises SettingsError where a source or its secrets belong to another server than the settings lead to."""
    source = settings.sources[name]
    check_hosts(place_of(settings), name, base_url_of(source), secrets_of(source), wait=settings.wait)


def _turns(settings: Settings, source: Source) -> Turns | None:
    """The turns at a source's host. Nothing is asked yet; what is wrong with the warehouse is told by who opens it."""
    with suppress(SettingsError):
        place = place_of(settings)
        if isinstance(place, PostgresUrl):
            with needs("postgres"):
                from warehouse.locks.host_turns import HostTurns  # noqa: PLC0415 - not for DuckDB

            address = server_address(source.url)
            host = f"{address.host}:{address.port}"
            return HostTurns(place, host, per_second=source.requests_per_second, burst=BURST)
    return None

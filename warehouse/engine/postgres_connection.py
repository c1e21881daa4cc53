"""Connect to Postgres with this project's options, or raise an error with the reason."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from typing import Any

import psycopg

from schemas.errors import WarehouseError
from warehouse.engine.place import PostgresUrl
from warehouse.engine.postgres_errors import words
from warehouse.engine.postgres_session import adapt

OLDEST = 14
"""The oldest supported major version of Postgres."""
TRANSIENT = (
    "starting up", "shutting down", "too many", "refused", "timeout", "timed out", "No such file", "recovery",
    "accepting connections", "closed the connection", "reset by peer",
)  # fmt: skip
"""Words in the messages of a server that is away for a moment: restarting, or full."""


def connected(
    place: PostgresUrl,
    *,
    wait: float = 10.0,
    patience: float = 0.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> psycopg.Connection[Any]:
    """Connect in UTF-8, with keepalives that notice a dead peer. Other settings come with each transaction.

    The connection counts as lost after `patience` seconds without an acknowledgement from the network. 0 leaves the
    system's default, which may be a quarter of an hour. Raises WarehouseError.
    """
    until = clock() + wait
    while True:
        try:
            return _connected(place, patience=patience)
        except psycopg.OperationalError as problem:
            reason = _reason(problem, place)
            if clock() >= until or not any(word in reason for word in TRANSIENT):
                raise WarehouseError(f"{place} cannot be reached: {reason}") from None
            sleep(0.2)
        except psycopg.Error as problem:
            raise WarehouseError(f"{place} cannot be used: {words(problem)}") from None


def _connected(place: PostgresUrl, *, patience: float) -> psycopg.Connection[Any]:
    """Try once. The encoding is a startup parameter: it overrides environment, role and database; poolers keep it."""
    name = f"ninja-sync {os.getpid()}@{socket.gethostname()}"[:63]
    connection = psycopg.connect(
        place.url, autocommit=True, prepare_threshold=None, cursor_factory=psycopg.RawCursor, client_encoding="UTF8",
        application_name=name, connect_timeout=10, keepalives_idle=30, keepalives_interval=10, keepalives_count=3,
        tcp_user_timeout=round(patience * 1000) or None,
    )  # fmt: skip
    try:
        _check_server(connection, place)
        adapt(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_server(connection: psycopg.Connection[Any], place: PostgresUrl) -> None:
    """Raises WarehouseError for a server that is too old, or a database that cannot store every name."""
    version = connection.info.server_version // 10_000
    if version < OLDEST:
        raise WarehouseError(f"{place} is Postgres {version}; {OLDEST} or newer is needed.")
    if connection.info.parameter_status("server_encoding") != "UTF8":
        raise WarehouseError(f"{place} does not store UTF-8: create a database with `encoding 'UTF8'`.")
    if connection.info.parameter_status("client_encoding") != "UTF8":
        raise WarehouseError(
            f"{place} does not talk UTF-8 although it was asked to: connect to Postgres itself, not through a pooler."
        )


def _reason(problem: psycopg.Error, place: PostgresUrl) -> str:
    """Return why connecting failed, in one line of the server or the library, without the URL's password."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    chosen = next((line for line in lines if "FATAL" in line), lines[0] if lines else "no reason given")
    return chosen.replace(place.url, str(place))[:300]

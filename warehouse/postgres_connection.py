"""How Postgres is reached: one connection as this project wants it, and the reason where there is none."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.types.string import StrDumper, TextLoader

from schemas.errors import WarehouseError
from warehouse.place import PostgresUrl

OLDEST = 14
"""The oldest major version that is supported."""
SETTINGS = (
    "set timezone = 'UTC'; set synchronous_commit = on; set jit = off; set lock_timeout = '60s'; "
    "set client_min_messages = warning; set tcp_keepalives_idle = 30; set tcp_keepalives_interval = 10; "
    "set tcp_keepalives_count = 3"
)
"""What is committed is on disk; a dead client is noticed within a minute."""
TRANSIENT = ("starting up", "shutting down", "too many", "refused", "timeout", "timed out", "No such file", "recovery")


def connected(
    place: PostgresUrl,
    *,
    read_only: bool = False,
    wait: float = 10.0,
    patience: float = 0.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> psycopg.Connection[Any]:
    """A connection as this project wants them: UTC, durable, noticing a dead peer. Raises WarehouseError.

    After `patience` seconds in which the network takes nothing, the connection is lost; 0 is the system's own, which
    may be a quarter of an hour.
    """
    until = clock() + wait
    while True:
        try:
            return _connected(place, read_only=read_only, patience=patience)
        except psycopg.OperationalError as problem:
            reason = _reason(problem, place)
            if clock() >= until or not any(word in reason for word in TRANSIENT):
                raise WarehouseError(f"{place} cannot be reached: {reason}") from None
            sleep(0.2)
        except psycopg.Error as problem:
            raise WarehouseError(f"{place} cannot be used: {words(problem)}") from None


def _connected(place: PostgresUrl, *, read_only: bool, patience: float) -> psycopg.Connection[Any]:
    name = f"ninja-sync {os.getpid()}@{socket.gethostname()}"[:63]
    connection = psycopg.connect(
        place.url, autocommit=True, prepare_threshold=None, cursor_factory=psycopg.RawCursor,
        application_name=name, connect_timeout=10, keepalives_idle=30, keepalives_interval=10, keepalives_count=3,
        tcp_user_timeout=round(patience * 1000) or None,
    )  # fmt: skip
    try:
        _check_server(connection, place)
        connection.execute(SETTINGS)
        if read_only:
            connection.execute("set default_transaction_read_only = on")
        else:
            connection.execute("set search_path = pg_temp, pg_catalog")  # nobody's table takes the place of ours
        connection.adapters.register_dumper(
            str, StrDumper
        )  # as text: one of no type has to fit each place that it is in
        for kind in ("json", "jsonb"):
            connection.adapters.register_loader(kind, TextLoader)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_server(connection: psycopg.Connection[Any], place: PostgresUrl) -> None:
    """Raises WarehouseError for a server that is too old, or a database that cannot hold every name."""
    version = connection.info.server_version // 10_000
    if version < OLDEST:
        raise WarehouseError(f"{place} is Postgres {version}; {OLDEST} or newer is needed.")
    if connection.info.parameter_status("server_encoding") != "UTF8":
        raise WarehouseError(f"{place} does not store UTF-8: make a database with `encoding 'UTF8'`.")


def _reason(problem: psycopg.Error, place: PostgresUrl) -> str:
    """Why no connection came to be, in the server's or the library's words, in one line and without the URL."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    told = next((line for line in lines if "FATAL" in line), lines[0] if lines else "no reason is told")
    return told.replace(place.url, str(place))[:300]


def words(problem: psycopg.Error) -> str:
    """The first message of an error, and its hint; never the detail, which shows whole rows."""
    told = problem.diag.message_primary or type(problem).__name__
    return f"{told}. {problem.diag.message_hint}" if problem.diag.message_hint else told

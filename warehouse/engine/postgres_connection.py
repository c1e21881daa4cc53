"""Connect to Postgres with this project's options, or raise an error with the reason."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from typing import Any

import psycopg

from schemas.errors import Busy, WarehouseError
from warehouse.engine.place import PostgresUrl
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


def words(problem: psycopg.Error) -> str:
    """Return the message of an error and its hint, never the detail, which shows whole rows."""
    message = problem.diag.message_primary or type(problem).__name__
    return f"{message}. {problem.diag.message_hint}" if problem.diag.message_hint else message


def refused_by_pooler(problem: psycopg.Error) -> WarehouseError | None:
    """Return the error, with the remedy, if PgBouncer itself refused; None for any other problem."""
    reason = problem.diag.message_primary or ""
    if "statement pooling" in reason:
        return WarehouseError(
            "The connection pooler allows no transactions (pool_mode=statement), so nothing could be stored safely. "
            "Use a pool with pool_mode=transaction or session, or the address of Postgres itself."
        )
    if "query_wait_timeout" in reason:
        return Busy(
            "The connection pooler has no free connection (query_wait_timeout). A pull needs up to three for each "
            "source: allow more in the pool, or use the address of Postgres itself."
        )
    return None


TIMEOUTS = {
    "25P03": "idle_in_transaction_session_timeout", "25P04": "transaction_timeout", "57P05": "idle_session_timeout",
}  # fmt: skip
"""The setting behind each SQLSTATE."""


def timed_out(problem: psycopg.Error) -> str | None:
    """Return which timeout ended a statement and the remedy; None for any other problem."""
    named = TIMEOUTS.get(problem.sqlstate or "")
    if problem.sqlstate == "57014":  # query_canceled: the server's language decides its words
        if "user request" in (problem.diag.message_primary or ""):
            return "somebody cancelled the statement (pg_cancel_backend); it stored nothing. Try again."
        named = "statement_timeout"
    if named is None:
        return None
    return (
        f"{named} of this user, database or server ended the statement, which stored nothing. Raise it for the user "
        f"of Ninja Sync: alter role USER set {named} = '1h', or 0 for no limit."
    )

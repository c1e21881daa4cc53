"""Errors of Postgres as ours, each with what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg

from schemas.errors import Busy, ConnectionLost, WarehouseError
from warehouse.engine.sql import promise_of

SAFE_CLASSES = ("08", "28", "3D", "3F", "42", "53", "55", "57", "58")
"""SQLSTATE classes whose messages name objects, rights and limits. Other messages may hold values of rows."""
NOT_MADE = ("42P01", "3F000", "42703")
"""Undefined table, schema, column."""
NOT_ALLOWED = "42501"
"""Insufficient privilege."""
HINTS: Mapping[str, str] = {
    **dict.fromkeys(NOT_MADE, " Has anything been pulled yet? `ninja-sync pull` creates the tables."),
    NOT_ALLOWED: (
        ". This command needs the role that pulls, or a member of it. A role of `ninja-sync grant` reads with "
        "`ninja-sync sql`, frames and BI tools."
    ),
}
"""What to do next, by SQLSTATE."""


@contextmanager
def translated(sql: str) -> Iterator[None]:
    """Raise Postgres' errors as ours, without texts that may hold values of rows."""
    try:
        yield
    except psycopg.errors.LockNotAvailable:
        raise Busy(f"Postgres: another session holds a lock that is needed ({promise_of(sql)}). Try again.") from None
    except psycopg.errors.DiskFull as problem:
        raise WarehouseError(
            f"Postgres: the disk of the database server is full: {words(problem)} Make room there, and try again."
        ) from None
    except psycopg.errors.DependentObjectsStillExist as problem:
        raise WarehouseError(
            f"Postgres: other objects depend on a view or table that is to be replaced: {problem.diag.message_detail} "
            "Drop them, try again, and create them again."
        ) from None
    except psycopg.errors.ReadOnlySqlTransaction:
        raise WarehouseError(
            "Postgres is read-only here: the server is a standby, or default_transaction_read_only is on for this "
            "database or user. Nothing was stored. `ninja-sync doctor` says which."
        ) from None
    except psycopg.errors.UniqueViolation as problem:
        raise WarehouseError(
            f"An id of {problem.diag.table_name} would be in the warehouse twice; nothing was stored."
        ) from None
    except psycopg.Error as problem:
        state = problem.sqlstate or ""
        if refused := refused_by_pooler(problem):
            raise refused from None
        if ended := timed_out(problem):
            raise WarehouseError(f"Postgres: {ended}") from None
        if _is_lost(problem):
            raise ConnectionLost from None
        detail = words(problem) + HINTS.get(state, "") if state.startswith(SAFE_CLASSES) else f"({promise_of(sql)})"
        raise WarehouseError(f"Postgres: {type(problem).__name__} {detail}") from None


def _is_lost(problem: psycopg.Error) -> bool:
    """Whether the connection is closed: by the network, the server, or an administrator (57P0x)."""
    state = problem.sqlstate
    return isinstance(problem, psycopg.OperationalError) and (state is None or state.startswith(("08", "57P0")))


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

"""One run at a time for each source, across machines: an advisory lock of Postgres on a connection of its own.

An open transaction holds the lock, so a transaction pooler keeps the session for us. The transaction has no snapshot,
so it does not hold up vacuum. Postgres releases the lock when the connection ends; keepalives notice a dead machine
within a minute. The run's other connections may live on: so a run asks before each call whether it still has the lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from schemas.errors import Busy, WarehouseError
from warehouse.engine.place import PostgresUrl
from warehouse.engine.postgres_connection import connected
from warehouse.engine.postgres_errors import refused_by_pooler, words
from warehouse.engine.postgres_session import HELD, Settings

TRY = "select pg_try_advisory_xact_lock(hashtextextended($1, 0))"
NEVER_ENDED = "select set_config(name, '0', true) from pg_settings where name = any($1)"
LET_GO = "select 1"
"""A query without values uses the simple protocol, which drops the last query's portal, and with it its snapshot.

With that snapshot, Postgres could not vacuum rows deleted while we hold the lock: an erasure would leave them on disk.
"""
HOLDER = """
select a.application_name, a.client_addr, a.pid
from pg_locks as l join pg_stat_activity as a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.objsubid = 1
    and ((cast(l.classid as bigint) << 32) | cast(l.objid as bigint)) = hashtextextended($1, 0)
    and l.database = (select oid from pg_database where datname = current_database())
"""


@contextmanager
def one_run_on_postgres(
    place: PostgresUrl, source: str, *, wait: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> Iterator[Callable[[], bool]]:
    """Hold the lock of a source; yields a function that asks whether it is still held.

    Raises Busy, naming the session that holds it, after `wait` seconds.
    """
    until = clock() + wait
    connection = connected(place, wait=wait, clock=clock, sleep=sleep)
    try:
        _asked(connection, Settings(read_only=True).begin)
        _asked(connection, NEVER_ENDED, (list(HELD),))
        name = (f"ninja-sync run of {source}",)
        while not _asked(connection, TRY, name)[0][0]:
            if clock() >= until:
                raise Busy(f"Another run of the source {source!r} is under way: {_holder(connection, name)}.")
            sleep(0.2)
        _asked(connection, LET_GO)
        yield lambda: _is_held(connection)
    finally:
        with suppress(psycopg.Error):
            connection.close()  # releases the lock


def _is_held(connection: psycopg.Connection[Any]) -> bool:
    """Whether the transaction that holds the lock is still open."""
    try:
        connection.execute(LET_GO.encode())
    except psycopg.Error:
        return False
    return connection.info.transaction_status == TransactionStatus.INTRANS


def _holder(connection: psycopg.Connection[Any], name: tuple[str]) -> str:
    for program, address, session in _asked(connection, HOLDER, name):
        return (
            f"{program or 'a program without a name'}" + (f" at {address}" if address else "") + f", session {session}"
        )
    return "it has just ended"


def _asked(
    connection: psycopg.Connection[Any], sql: str, values: tuple[object, ...] | None = None
) -> list[tuple[Any, ...]]:
    try:
        cursor = connection.execute(sql.encode(), values)
        return cursor.fetchall() if cursor.description else []
    except psycopg.Error as problem:
        refused = refused_by_pooler(problem)
        raise refused or WarehouseError(f"Postgres: the source cannot be locked: {words(problem)}") from None

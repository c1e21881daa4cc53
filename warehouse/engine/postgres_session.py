"""Settings of a Postgres session for one transaction at a time, and loaders that do not depend on the session.

A transaction pooler (PgBouncer with `pool_mode=transaction`) may run each transaction in another session, and give our
session to another program. So nothing outlives a transaction: settings are LOCAL, and an open transaction holds a lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.abc import AdaptContext, Buffer
from psycopg.types.datetime import DateLoader, IntervalLoader, TimestampLoader, TimestamptzLoader
from psycopg.types.string import StrDumper, TextLoader

FORMS = {
    "timezone": "UTC", "datestyle": "ISO, YMD", "intervalstyle": "postgres", "extra_float_digits": "1",
    "bytea_output": "hex", "standard_conforming_strings": "on", "array_nulls": "on", "transform_null_equals": "off",
}  # fmt: skip
"""The forms of texts and values that our statements expect, even if role or database set others."""
SETTINGS = {
    **FORMS,
    # A commit waits for the disk, a wait for a lock ends, the server notices a dead client within a minute.
    "synchronous_commit": "on", "lock_timeout": "60s", "tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3", "jit": "off", "client_min_messages": "warning",
}  # fmt: skip
WRITER = {"search_path": "pg_temp, pg_catalog"}
"""A search path in which no other table can take the place of ours."""
HELD = ("idle_in_transaction_session_timeout", "transaction_timeout", "idle_session_timeout")
"""Timeouts that would end a transaction that only holds a lock. The middle one is new in Postgres 17."""


class Settings:
    """The SQL that begins a transaction: `begin` as one text, or `first` and `then` in a pipeline."""

    def __init__(self, *, read_only: bool, more: Mapping[str, str] | None = None) -> None:
        chosen = {**SETTINGS, **({} if read_only else WRITER), **(more or {})}
        self.read_only = read_only
        self.first = "begin isolation level read committed" + " read only" * read_only
        self.then = set_for_a_transaction(chosen)
        local = (f"set local {name} = {_listed(value)}" for name, value in chosen.items())
        self.begin = "; ".join((self.first, *local))
        """No query, so that a caller may still choose another isolation level."""


def set_for_a_transaction(settings: Mapping[str, str]) -> str:
    """Return one query that makes settings until the end of the transaction."""
    return "select " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())


def _listed(value: str) -> str:
    return ", ".join(f"'{item.strip()}'" for item in value.split(","))


def adapt(connection: psycopg.Connection[Any]) -> None:
    """Have a connection read and write values by our settings, not by those that the session reports.

    The two differ outside transactions. A text goes out without a type, so that it fits any column. JSON stays text.
    """
    connection.adapters.register_dumper(str, StrDumper)
    for kind in ("json", "jsonb"):
        connection.adapters.register_loader(kind, TextLoader)
    for kind, loader in (("date", _Date), ("timestamp", _Timestamp), ("timestamptz", _Moment), ("interval", _Interval)):
        connection.adapters.register_loader(kind, loader)


class _Date(DateLoader):
    def __init__(self, oid: int, _context: AdaptContext | None = None) -> None:
        super().__init__(oid, None)


class _Timestamp(TimestampLoader):
    def __init__(self, oid: int, _context: AdaptContext | None = None) -> None:
        super().__init__(oid, None)


class _Interval(IntervalLoader):
    def load(self, data: Buffer) -> timedelta:
        return self._load_postgres(self, data)


class _Moment(TimestamptzLoader):
    """Load aware times in UTC. Python's parser is six times as fast as psycopg's, which still loads BC and infinity."""

    def __init__(self, oid: int, _context: AdaptContext | None = None) -> None:
        super().__init__(oid, None)

    def load(self, data: Buffer) -> datetime:
        try:
            return datetime.fromisoformat(str(bytes(data), "ascii")).astimezone(UTC)
        except ValueError:
            return super().load(data)

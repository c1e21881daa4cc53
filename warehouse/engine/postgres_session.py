"""The settings of a Postgres session, made for one transaction at a time, and values read without asking the session.

A transaction pooler (PgBouncer with `pool_mode=transaction`) may give each transaction another session, and our session
to another program. So nothing outlives a transaction: settings are LOCAL, locks are held by an open transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.abc import AdaptContext, Buffer
from psycopg.types.datetime import DateLoader, IntervalLoader, TimestampLoader, TimestamptzLoader
from psycopg.types.string import StrDumper, TextLoader

SETTINGS = {
    # The forms of texts and values: our statements are written for these, whatever role or database say.
    "timezone": "UTC", "datestyle": "ISO, YMD", "intervalstyle": "postgres", "extra_float_digits": "1",
    "bytea_output": "hex", "standard_conforming_strings": "on", "array_nulls": "on", "transform_null_equals": "off",
    # A commit is on disk; a wait for a lock ends; a dead client is noticed within a minute.
    "synchronous_commit": "on", "lock_timeout": "60s", "tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3", "jit": "off", "client_min_messages": "warning",
}  # fmt: skip
WRITER = {"search_path": "pg_temp, pg_catalog"}
"""Nobody's table takes the place of ours."""
HELD = ("idle_in_transaction_session_timeout", "transaction_timeout", "idle_session_timeout")
"""Time-outs that would end a transaction that is open only to hold a lock. The middle one came with Postgres 17."""


class Settings:
    """The texts that begin a transaction: `begin` in several statements, or `first` and `then` in a pipeline."""

    def __init__(self, *, read_only: bool, more: Mapping[str, str] | None = None) -> None:
        chosen = {**SETTINGS, **({} if read_only else WRITER), **(more or {})}
        self.read_only = read_only
        self.first = "begin isolation level read committed" + " read only" * read_only
        self.then = "select " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in chosen.items())
        local = (f"set local {name} = {_listed(value)}" for name, value in chosen.items())
        self.begin = "; ".join((self.first, *local))
        """Without a query, so that a caller may still choose another isolation."""


def _listed(value: str) -> str:
    return ", ".join(f"'{one.strip()}'" for one in value.split(","))


def adapt(connection: psycopg.Connection[Any]) -> None:
    """Read and write values by our settings, not by those that the session reports: they differ outside transactions.

    A text is sent as text: a value without a type has to fit each place that it is in. JSON stays text.
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
    """Aware and in UTC. Python's own parser is six times as fast as psycopg's; the rest (BC, infinity) is psycopg's."""

    def __init__(self, oid: int, _context: AdaptContext | None = None) -> None:
        super().__init__(oid, None)

    def load(self, data: Buffer) -> datetime:
        try:
            return datetime.fromisoformat(str(bytes(data), "ascii")).astimezone(UTC)
        except ValueError:
            return super().load(data)

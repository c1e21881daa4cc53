"""List the sources in the configuration and in the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flows.ask.ask import reading
from flows.configuration.load import place_of
from flows.configuration.values import Settings
from flows.session.door import secrets_of
from warehouse.engine.place import is_there
from warehouse.engine.sql import statement


@dataclass(frozen=True, slots=True)
class Listed:
    """One source. `state` is bound, not pulled yet, or only in the warehouse; `secret` is the place of its token."""

    source: str
    state: str
    configured_url: str | None
    secret: str | None
    base_url: str | None = None
    company_id: str | None = None
    server_version: str | None = None
    skew_seconds: int | None = None
    bound_at: datetime | None = None
    reference_at: datetime | None = None


def listed(settings: Settings) -> list[Listed]:
    """Return all sources. A warehouse that does not exist yet, or is empty, is bound to none."""
    bound = {str(row["source"]): row for row in _bound(settings)}
    sources = []
    for name, source in settings.sources.items():
        binding: dict[str, Any] = bound.pop(name, {})
        state = "bound" if binding else "not pulled yet"
        sources.append(
            Listed(**{**binding, "source": name}, state=state, configured_url=source.url, secret=secrets_of(source)[0])
        )
    return sources + [
        Listed(**row, state="only in the warehouse", configured_url=None, secret=None) for row in bound.values()
    ]


def _bound(settings: Settings) -> list[dict[str, Any]]:
    if not is_there(place_of(settings)):
        return []
    with reading(settings, newest=True) as warehouse:
        if not warehouse.rows("select 1 from information_schema.tables where table_schema = 'control'"):
            return []
        columns, rows = warehouse.answer(statement("read/sources"), {})
    return [dict(zip(columns, row, strict=True)) for row in rows]

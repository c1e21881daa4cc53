"""Open the warehouse of an installation."""

from __future__ import annotations

from flows.configuration.load import place_of
from flows.configuration.values import Settings
from flows.session.clock import SYSTEM_CLOCK, Clock
from warehouse.engine.seam import Warehouse
from warehouse.opened.migrate import open_migrated


def open_ready(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> Warehouse:
    """Open the warehouse of an installation, upgraded to this version."""
    return open_migrated(place_of(settings), now=clock.now(), wait=settings.wait)


def make_ready(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> None:
    """Upgrade the warehouse, and write the copies for readers if they lack anything.

    After an upgrade they do: an older version wrote them, without the views that pages and queries read now.
    """
    from warehouse.publish.publish import publish_if_due  # noqa: PLC0415 - DuckDB, which a command on Postgres spares

    with open_ready(settings, clock) as warehouse:
        if settings.publish:
            publish_if_due(warehouse, now=clock.now())

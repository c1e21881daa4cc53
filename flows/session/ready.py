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

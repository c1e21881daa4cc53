"""The day that it is for a company now, in its own time zone."""

from __future__ import annotations

from datetime import date

from flows.ask.ask import reading
from flows.ask.rights import sight_of
from flows.configuration.load import place_of
from flows.configuration.values import Settings
from flows.session.clock import SYSTEM_CLOCK, Clock
from schemas.errors import Busy, WarehouseError
from warehouse.engine.place import is_there


def company_day(settings: Settings, source: str | None, *, clock: Clock = SYSTEM_CLOCK) -> date:
    """Return the day that it is for a company, or the earliest of all; in UTC where the warehouse knows none.

    Raises Busy if a run holds the warehouse: the time zone is only not at hand then.
    """
    now = clock.now()
    try:
        days = _days(settings, source, now) if is_there(place_of(settings)) else []
    except Busy:
        raise
    except (
        WarehouseError
    ):  # no server there, or nothing that this role may read: who gives no day gets one all the same
        days = []
    return next(iter(days), now.date())


def _days(settings: Settings, source: str | None, now: object) -> list[date]:
    with reading(settings) as warehouse:
        sight = sight_of(warehouse)
        if sight is None:
            return []
        rows = warehouse.rows(sight.statement("today/company_day"), {"source": source, "now": now})
    return [day for (day,) in rows if isinstance(day, date)]

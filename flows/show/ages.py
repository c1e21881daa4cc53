"""Say in words how long ago something was."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from flows.show.counted import counted

UNITS: Final = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))
FROM_TWO: Final = 2
"""One day is said as hours, up to 47: `1 day ago` may be nearly two days."""


def ago(moment: datetime, now: datetime) -> str:
    """Return the age of a moment, rounded down: `just now`, `5 minutes ago`, `26 hours ago`, `3 days ago`."""
    for unit, noun in UNITS:
        number = (now - moment) // unit
        if number >= (FROM_TWO if noun == "day" else 1):
            return f"{counted(number, noun)} ago"
    return "just now"

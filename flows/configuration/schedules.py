"""When flows run under Prefect: `[prefect]` of the settings."""

from __future__ import annotations

from typing import Final

import msgspec

FLOWS: Final = ("pull", "sweep", "push", "dedupe", "merge", "statements", "publish", "nightly")
LONGEST_JITTER: Final = 3600.0  # seconds


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a flow runs: a cron line in UTC, or every so many seconds; up to `jitter` seconds later, by chance."""

    cron: str = ""
    interval: int = 0
    jitter: float = 0


def usual_schedules() -> dict[str, When]:
    """The schedules where the settings name none."""
    return {"pull": When(interval=900, jitter=60), "nightly": When(cron="7 2 * * *", jitter=120)}


class Prefect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How flows run under Prefect: each on its schedule; those without one when somebody starts them.

    `at_once` is how many sources one run reads side by side, on Postgres. Rules and folders stand here, and not among
    the parameters of a run: those come from Prefect's API. `changes_folder` has the files that a `push` may name.
    """

    at_once: int = 4
    rules: str = ""
    changes_folder: str = ""
    statements_folder: str = "statements"
    export_folder: str = ""
    export_personal_data: bool = True
    schedules: dict[str, When] = msgspec.field(default_factory=usual_schedules)


def fault_of(name: str, when: When) -> str:
    """What is wrong with the schedule of a flow, in words; empty where nothing is."""
    place = f"prefect.schedules.{name}"
    if name not in FLOWS:
        return f"{place} must be one of the flows {', '.join(FLOWS)}."
    if bool(when.cron) == bool(when.interval):
        return f"{place} must be cron or interval, and not both."
    if not when.cron and when.interval < 1:
        return f"{place}.interval must be at least 1, not {when.interval:,}."
    if not 0 <= when.jitter <= LONGEST_JITTER:
        return f"{place}.jitter must be 0 to {LONGEST_JITTER:,.0f}, not {when.jitter:,}."
    return ""

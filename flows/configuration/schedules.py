"""The settings in `[prefect]`: the schedules of flows under Prefect."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

FLOWS: Final = ("pull", "sweep", "push", "dedupe", "merge", "statements", "publish", "nightly")


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The schedule of a flow: a cron line in UTC, or an interval in seconds; up to `jitter` seconds are added."""

    cron: str = ""
    interval: Annotated[int, Meta(ge=0)] = 0
    jitter: Annotated[float, Meta(ge=0, le=3600)] = 0


def usual_schedules() -> dict[str, When]:
    """Return the schedules if the settings have none."""
    return {"pull": When(interval=900, jitter=60), "nightly": When(cron="7 2 * * *", jitter=120)}


class Prefect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings for Prefect. A flow without a schedule runs when somebody starts it.

    `at_once` is the number of sources that one run reads side by side, on Postgres. Rules and folders are settings, not
    parameters of a run, because those come from Prefect's API. `changes_folder` has the files that a `push` may name.
    """

    at_once: Annotated[int, Meta(ge=1, le=32)] = 4
    rules: str = ""
    changes_folder: str = ""
    statements_folder: str = "statements"
    export_folder: str = ""
    export_personal_data: bool = True
    schedules: dict[str, When] = msgspec.field(default_factory=usual_schedules)


def fault_of(name: str, when: When) -> str:
    """Return the fault in a flow's schedule as a sentence; '' if there is none."""
    place = f"prefect.schedules.{name}"
    if name not in FLOWS:
        return f"{place} must be one of the flows {', '.join(FLOWS)}."
    if bool(when.cron) == bool(when.interval):
        return f"{place} must be cron or interval, but not both."
    return ""

"""Pull a source by its name: open its server, pull, and note a failure in the warehouse."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from flows.configuration.load import place_of
from flows.configuration.values import Settings
from flows.pull.job import Job, Pulled
from flows.pull.pull import pull
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.door import open_door
from flows.session.progress import Progress, silent
from flows.show.describe import describe
from schemas.errors import ReadAlready, SyncError, WarehouseError
from warehouse.control.failed_pulls import note_failure
from warehouse.engine.place import is_there
from warehouse.opened.open import open_place


def pull_source(
    settings: Settings,
    name: str,
    *,
    full: bool = False,
    at_most: int | None = None,
    due: datetime | None = None,
    progress: Progress = silent,
    clock: Clock = SYSTEM_CLOCK,
) -> Pulled:
    """Bring the mirror of a source up to date (see `Job` for the arguments). Raises the errors of `schemas.errors`.

    A failure is noted in the warehouse, with its reason. A failure of the warehouse itself cannot be noted there.
    """
    began = clock.now()
    try:
        with open_door(settings, name) as door:
            job = Job(settings, name, door, full=full, at_most=at_most, due=due, progress=progress, clock=clock)
            return pull(job)
    except (ReadAlready, WarehouseError):
        raise
    except Exception as problem:
        with suppress(SyncError):  # the first error is the one to raise
            _note(settings, name, problem, began, clock)
        raise


def pull_each(
    settings: Settings, names: Sequence[str], *, progress: Progress = silent
) -> dict[str, Pulled | SyncError]:
    """Bring the mirrors of several sources up to date, one after the other; return each result, or why it failed."""
    results: dict[str, Pulled | SyncError] = {}
    for name in names:
        try:
            results[name] = pull_source(settings, name, progress=_named(name, progress) if len(names) > 1 else progress)
        except SyncError as problem:  # the other sources are still pulled
            results[name] = problem
    return results


def _named(name: str, progress: Progress) -> Progress:
    """Return a progress callback that names the source."""
    return lambda phase, done, total: progress(f"{name}: {phase}", done, total)


def _note(settings: Settings, name: str, problem: Exception, began: datetime, clock: Clock) -> None:
    """Note a failure in a warehouse that is there. This neither creates nor upgrades it."""
    place = place_of(settings)
    if not is_there(place):
        return
    message, exit_code = describe(problem)
    with open_place(place, wait=settings.wait) as warehouse:
        note_failure(warehouse, name, began=began, now=clock.now(), exit_code=exit_code, message=message)

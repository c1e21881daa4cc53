"""`nightly` under Prefect: read everything, find duplicates, write copies."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.configuration.values import Settings
from flows.scheduled.dedupe import deduped
from flows.scheduled.publish import published
from flows.scheduled.pull import ending, pull_all, side_by_side
from flows.scheduled.states import ended, run_name


@flow(
    name="nightly",
    flow_run_name=run_name,
    task_runner=side_by_side(),
    retries=0,
    persist_result=False,
    log_prints=False,
)
def nightly(source: str | None = None) -> State[Any]:
    """Read everything, find duplicates, and write copies where the settings name an `export_folder`.

    Where a source fails the others go on, and the run fails at its end and names it.
    """
    return ended(lambda settings: _night(settings, source))


def _night(settings: Settings, source: str | None) -> State[Any]:
    states = [ending(pull_all(settings, source, full=True)), deduped(settings, source)]
    if settings.prefect.export_folder:
        states.append(published())
    told = " | ".join(str(one.message) for one in states)
    if failed := [one for one in states if one.is_failed()]:
        return Failed(name=failed[0].name if len({one.name for one in failed}) == 1 else None, message=told)
    names = [one.name for one in states if one.name != "Completed"]
    return Completed(name=names[0] if names else None, message=told)

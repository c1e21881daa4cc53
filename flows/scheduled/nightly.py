"""The flow `nightly`: read everything, find duplicates, compare figures with documents, write copies."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.configuration.values import Settings
from flows.scheduled.dedupe import deduped
from flows.scheduled.publish import published
from flows.scheduled.pull import ending, pull_all, side_by_side
from flows.scheduled.reconciliation import reconciled
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
    """Read everything, find duplicates, compare figures with documents, and write copies into any `export_folder`.

    If a source fails, the others go on; the run fails at its end and names the source.
    """
    return ended(lambda settings: _night(settings, source))


def _night(settings: Settings, source: str | None) -> State[Any]:
    states = [ending(pull_all(settings, source, full=True)), deduped(settings, source), reconciled(source)]
    if settings.prefect.export_folder:
        states.append(published())
    message = " | ".join(str(state.message) for state in states)
    if failed := [state for state in states if state.is_failed()]:
        return Failed(name=failed[0].name if len({state.name for state in failed}) == 1 else None, message=message)
    names = [state.name for state in states if state.name != "Completed"]
    return Completed(name=names[0] if names else None, message=message)

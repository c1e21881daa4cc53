"""The flow `publish`: write copies for readers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.scheduled.states import ended, own_words, read_settings, run_name
from flows.session.ready import open_ready
from flows.show.counted import counted
from warehouse.publish.export import export
from warehouse.publish.publish import publish as write_copies


@task(name="publish", retries=0, cache_policy=NO_CACHE, persist_result=False)
def publish_copies() -> int:
    """Write the published copies, or those in the export folder; return the number of files."""
    try:
        settings = read_settings()
        folder = settings.prefect.export_folder
        with open_ready(settings) as warehouse:
            if not folder:
                return len(list(write_copies(warehouse).iterdir()))
            return len(export(warehouse, Path(folder).absolute(), personal=settings.prefect.export_personal_data))
    except Exception as problem:  # noqa: BLE001 - Prefect stores every message
        failed = own_words(problem)
    raise failed


@flow(name="publish", flow_run_name=run_name, retries=0, persist_result=False, log_prints=False)
def publish() -> State[Any]:
    """Write the published copies, or copies in the `export_folder` if the settings name one."""
    return ended(lambda _: published())


def published() -> State[Any]:
    """Write the copies, and return a state with the number of files."""
    run: Callable[..., State[int]] = publish_copies
    outcome = run(return_state=True).result(raise_on_failure=False)
    if isinstance(outcome, int):
        return Completed(message=f"{counted(outcome, 'file')} published")
    return Failed(message=f"not published: {outcome}")

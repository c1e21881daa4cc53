"""What is told to Prefect: one line an event, progress by counts, errors without what they choked on."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar
from uuid import UUID

from prefect import Task, get_run_logger, runtime, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import FlowRunContext
from prefect.events import emit_event
from prefect.states import Failed
from prefect.tasks import exponential_backoff
from prefect.utilities.urls import url_for

from flows.job import Tell
from flows.settings import Settings, load_settings
from schemas.errors import OUT_OF_MEMORY, Busy, Retryable, SettingsError, SyncError, is_short_of_memory, place_of

if TYPE_CHECKING:
    from flows.dedupe.rules import Rules

P = ParamSpec("P")
R = TypeVar("R")
LOOK: Final = "Needs a look"
RETRIES: Final = 3
FIRST_DELAY: Final = 30.0
"""Seconds, then twice as long each time; the door itself has waited for `retry_budget` before."""
JITTER: Final = 0.5
STEP: Final = 10_000
"""Records between two log lines."""


def read_settings() -> Settings:
    """The settings of this process: no run chooses them, as a run's parameters come from Prefect's API."""
    return load_settings()


def read_rules(settings: Settings) -> Rules:
    """The rules for duplicates that the settings name. Raises SettingsError where the extra is missing."""
    try:
        from flows.dedupe.rules import load_rules  # noqa: PLC0415 - of an extra
    except ModuleNotFoundError as missing:
        raise SettingsError(f"{missing.name} is missing: pip install 'ninja-sync[dedupe]'") from None
    return load_rules(Path(settings.prefect.rules) if settings.prefect.rules else None)


def ended(work: Callable[[Settings], State[Any]]) -> State[Any]:
    """The state in which a flow's work ends; an error becomes a state, which leaves no traceback in the database."""
    try:
        settings = read_settings()
        spread(settings)
        return work(settings)
    except Exception as problem:  # noqa: BLE001 - whatever it says goes into Prefect's database
        return Failed(message=str(own_words(problem)))


def worth_retrying(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether the same may succeed later: server, network or warehouse were not available."""
    return isinstance(state.data, Retryable | Busy)


def retried(name: str, run_name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """A task that may be done again, and is, where waiting helps. Nothing of it is cached or stored as a result."""
    return task(
        name=name,
        task_run_name=run_name,
        retries=RETRIES,
        retry_delay_seconds=exponential_backoff(FIRST_DELAY),
        retry_jitter_factor=JITTER,
        retry_condition_fn=worth_retrying,
        cache_policy=NO_CACHE,
        persist_result=False,
    )


def run_name() -> str:
    """The name of a flow run: `pull main 2026-11-22 14:45`, the time being the scheduled one in UTC."""
    run = runtime.flow_run
    return f"{run.flow_name} {run.parameters.get('source') or 'all'} {run.scheduled_start_time:%Y-%m-%d %H:%M}"


def own_words(problem: Exception) -> SyncError:
    """An error without its history: our own message, or, for any other error, only its type and place.

    Messages of `SyncError` hold no secret and no person's data; those of databases and decoders quote what they choked
    on, and so do the errors that an error came from.
    """
    if not isinstance(problem, SyncError) and is_short_of_memory(problem):
        return SyncError(OUT_OF_MEMORY)
    if not isinstance(problem, SyncError):
        return SyncError(f"Unexpected {type(problem).__name__} at {place_of(problem)}: the command line shows more.")
    problem.__cause__ = problem.__context__ = problem.__traceback__ = None
    return problem


def spread(settings: Settings, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Before a scheduled run: wait for a random part of its jitter, so that not all installations ask at once.

    A run that was suspended, and starts anew, has waited already.
    """
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    told = settings.prefect.schedules.get(runtime.flow_run.flow_name or "")
    if run and run.auto_scheduled and run.run_count <= 1 and told and told.jitter:
        sleep(random.uniform(0, told.jitter))  # noqa: S311 - no secret


def keep(artifact: Callable[[], object]) -> None:
    """Make an artifact; where Prefect cannot keep it, what was done is done all the same."""
    try:
        artifact()
    except Exception as problem:  # noqa: BLE001 - of many libraries
        get_run_logger().warning("An artifact could not be kept: %s", type(problem).__name__)


def emit(event: str, source: str, message: str, **more: str) -> None:
    """Send Prefect's automations an event that somebody may want to hear of; in our own words."""
    emit_event(
        f"ninja-sync.{event}", resource={"prefect.resource.id": f"ninja-sync.source.{source}"},
        payload={"source": source, "message": message, **more},
    )  # fmt: skip


def with_links(markdown: str) -> str:
    """A report with a link to its flow run, from which its log, its state and its other reports are one step away."""
    page = url_for("flow-run", obj_id=runtime.flow_run.id) if runtime.flow_run.id else None
    return f"{markdown}\n[This flow run]({page})\n" if page else markdown


def told_to(log: logging.Logger | logging.LoggerAdapter[Any], name: str) -> Tell:
    """Writes a log line where a run begins something else, and every 10,000 records, with progress as an artifact."""
    last = ("", 0)
    artifact: UUID | None = None

    def tell(doing: str, done: int, of: int | None) -> None:
        nonlocal last, artifact
        if (doing, done // STEP) == last:
            return
        last = (doing, done // STEP)
        log.info("%s%s%s", doing, f": {done:,} records" if done else "", f" of {of:,}" if done and of else "")
        if not done or (of or 0) <= STEP:
            return
        part = min(100.0, 100 * done / (of or done))
        if artifact is None:
            key = f"ninja-sync-progress-{name.replace('_', '-')}"
            made = create_progress_artifact(part, key=key, description=f"{name}: {doing}")
            artifact = made if isinstance(made, UUID) else None
        else:
            update_progress_artifact(artifact, part, description=f"{name}: {doing}")

    return tell


def teller(name: str) -> Tell:
    """The teller of the task that runs now."""
    return told_to(get_run_logger(), name)

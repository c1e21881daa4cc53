"""The start and end of a flow run: settings, retries, the final state, errors without quoted data."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from prefect import Task, runtime, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import FlowRunContext
from prefect.states import Failed
from prefect.tasks import exponential_backoff

from flows.configuration.load import load_settings
from flows.configuration.values import Settings
from schemas.errors import OUT_OF_MEMORY, Busy, Retryable, SyncError, is_short_of_memory, raised_at

if TYPE_CHECKING:
    from flows.dedupe.rules import Rules

P = ParamSpec("P")
R = TypeVar("R")
LOOK: Final = "Needs a look"
RETRIES: Final = 3
FIRST_DELAY: Final = 30.0
"""Seconds, doubled each time. By then the door has retried for `retry_budget` seconds on its own."""
JITTER: Final = 0.5


def read_settings() -> Settings:
    """Return the settings of this process. No run may choose them: its parameters come from Prefect's API."""
    return load_settings()


def read_rules(settings: Settings) -> Rules:
    """Return the rules for duplicates that the settings name. Raises SettingsError if the extra is missing."""
    from flows.dedupe.rules import load_rules  # noqa: PLC0415 - an extra

    return load_rules(Path(settings.prefect.rules) if settings.prefect.rules else None)


def ended(work: Callable[[Settings], State[Any]]) -> State[Any]:
    """Return the final state of a flow's work. An error becomes a state, so no traceback reaches the database."""
    try:
        settings = read_settings()
        spread(settings)
        return work(settings)
    except Exception as problem:  # noqa: BLE001 - Prefect stores every message
        return Failed(message=str(own_words(problem)))


def worth_retrying(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a retry may succeed: the server, network or warehouse was not available."""
    return isinstance(state.data, Retryable | Busy)


def retried(name: str, run_name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Return a decorator for a task that is retried if waiting helps. No result is cached or stored."""
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
    """Return the name of a flow run, with its scheduled time in UTC: `pull main 2026-11-22 14:45`."""
    run = runtime.flow_run
    return f"{run.flow_name} {run.parameters.get('source') or 'all'} {run.scheduled_start_time:%Y-%m-%d %H:%M}"


def own_words(problem: Exception) -> SyncError:
    """Return an error without its causes: our own message, or for any other error only its type and place.

    Messages of `SyncError` hold no secret and no person's data. Those of databases and decoders quote the data that
    they failed on, and so may the causes of an error.
    """
    if not isinstance(problem, SyncError) and is_short_of_memory(problem):
        return SyncError(OUT_OF_MEMORY)
    if not isinstance(problem, SyncError):
        return SyncError(f"Unexpected {type(problem).__name__} at {raised_at(problem)}: the command line shows more.")
    problem.__cause__ = problem.__context__ = problem.__traceback__ = None
    return problem


def spread(settings: Settings, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Before a scheduled run, wait for a random part of its jitter, so that installations do not all start at once.

    A resumed run has waited already.
    """
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    schedule = settings.prefect.schedules.get(runtime.flow_run.flow_name or "")
    if run and run.auto_scheduled and run.run_count <= 1 and schedule and schedule.jitter:
        sleep(random.uniform(0, schedule.jitter))  # noqa: S311 - no secret

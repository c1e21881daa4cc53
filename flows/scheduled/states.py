"""How a flow run begins and ends: its settings, its retries, its final state, errors without what they quote."""

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
"""Seconds, then twice as long each time; the door itself has waited for `retry_budget` before."""
JITTER: Final = 0.5


def read_settings() -> Settings:
    """The settings of this process: no run chooses them, as a run's parameters come from Prefect's API."""
    return load_settings()


def read_rules(settings: Settings) -> Rules:
    """The rules for duplicates that the settings name. Raises SettingsError where the extra is missing."""
    from flows.dedupe.rules import load_rules  # noqa: PLC0415 - of an extra

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
        return SyncError(f"Unexpected {type(problem).__name__} at {raised_at(problem)}: the command line shows more.")
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

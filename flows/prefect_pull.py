"""The pull as a Prefect flow: one task a source, retried where waiting helps, and a report of what changed.

Prefect keeps what it is given, in clear: parameters, messages, tracebacks, log lines, artifacts. So names alone go in
(of a source, of a file), counts alone come out, and an error is told in our own words. Nothing is cached or stored as
a result. Secrets are read inside the task, from where the settings say they are.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prefect import Task, flow, get_run_logger, runtime, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.states import Completed, Failed
from prefect.tasks import exponential_backoff

from flows.job import Job, Pulled, Tell
from flows.pull import pull as pull_source
from flows.settings import choose_source, choose_sources, load_settings, open_door
from flows.summary import Summary, as_markdown, summary_of
from schemas.errors import Busy, Retryable, SyncError, place_of

ARTIFACT = "ninja-sync-pull"
RETRIES = 3
FIRST_DELAY = 30.0  # seconds, then twice as long each time; the door itself has waited for `retry_budget` before
LOOK = "Needs a look"
STEP = 10_000  # records between two log lines


def worth_retrying(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether the same pull may succeed later: server, network or warehouse were not available."""
    return isinstance(state.data, Retryable | Busy)


@task(
    name="pull one source",
    task_run_name="pull {source}",
    retries=RETRIES,
    retry_delay_seconds=exponential_backoff(FIRST_DELAY),
    retry_jitter_factor=0.5,
    retry_condition_fn=worth_retrying,
    cache_policy=NO_CACHE,
    persist_result=False,
)
def pull_one(source: str, config: str | None, full: bool) -> Summary:
    """Bring the mirror of one source up to date; the same pull again does no harm, so it may be retried."""
    log = get_run_logger()
    try:
        summary = summary_of(_pulled(source, config, told_to(log), full=full))
    except Exception as problem:  # noqa: BLE001 - whatever it says goes into Prefect's database
        failed = own_words(problem)
    else:
        log.info("%s", summary)
        return summary
    raise failed


def _run_name() -> str:
    """The name of a flow run: `pull main 2026-11-22 14:45`, the time being the scheduled one in UTC."""
    source = runtime.flow_run.parameters.get("source") or "all"
    return f"pull {source} {runtime.flow_run.scheduled_start_time:%Y-%m-%d %H:%M}"


@flow(name="pull", flow_run_name=_run_name, persist_result=False, log_prints=False)
def pull(source: str | None = None, config: str | None = None, full: bool = False) -> State[Any]:
    """Bring the warehouse up to date: one source, or all of them one after the other.

    `source` is a configured name, `config` the path of a configuration file, `full` reads everything anew. A source
    that fails does not keep the others from running; the run fails at its end and names it. Where records are in
    quarantine or the server's fields are not the known ones, the run completes as "Needs a look".
    """
    try:
        found = _pull_each(source, config, full=full)
        create_markdown_artifact(as_markdown(found), key=ARTIFACT, description="What the last pull changed, in counts.")
    except Exception as problem:  # noqa: BLE001 - as above; a returned state leaves no traceback in the database
        return Failed(message=str(own_words(problem)))
    return ending(found)


def ending(found: dict[str, Summary | str]) -> State[Any]:
    """The state in which a run ends that found this; a text in place of a summary says why that source failed."""
    failed = [name for name, one in found.items() if isinstance(one, str)]
    looks = [name for name, one in found.items() if isinstance(one, Summary) and one.needs_a_look]
    told = "; ".join(f"{name} failed: {one}" if isinstance(one, str) else str(one) for name, one in found.items())
    if failed:
        return Failed(message=f"{len(failed)} of {len(found)} sources failed: {', '.join(failed)}. {told}")
    return Completed(name=LOOK if looks else None, message=told)


def own_words(problem: Exception) -> SyncError:
    """An error without its history: our own message, or, for any other error, only its type and place.

    Messages of `SyncError` hold no secret and no person's data; those of databases and decoders quote what they choked
    on, and so do the errors that an error came from.
    """
    if not isinstance(problem, SyncError):
        return SyncError(f"Unexpected {type(problem).__name__} at {place_of(problem)}: `ninja-sync pull` shows more.")
    problem.__cause__ = problem.__context__ = problem.__traceback__ = None
    return problem


def told_to(log: logging.Logger | logging.LoggerAdapter[Any]) -> Tell:
    """Writes one log line where a pull begins something else, and one every 10,000 records."""
    last = ("", 0)

    def tell(doing: str, done: int, of: int | None) -> None:
        nonlocal last
        if (doing, done // STEP) != last:
            last = (doing, done // STEP)
            log.info("%s%s%s", doing, f": {done:,} records" if done else "", f" of {of:,}" if done and of else "")

    return tell


def _pull_each(source: str | None, config: str | None, *, full: bool) -> dict[str, Summary | str]:
    """What each source came to. One after the other: they share one warehouse, which is one file."""
    settings = load_settings(Path(config) if config else None)
    run: Callable[..., State[Summary]] = pull_one
    found: dict[str, Summary | str] = {}
    for name in choose_sources(settings, source):
        outcome = run(name, config, full, return_state=True).result(raise_on_failure=False)
        found[name] = outcome if isinstance(outcome, Summary) else f"{type(outcome).__name__}: {outcome}"
    return found


def _pulled(source: str, config: str | None, tell: Tell, *, full: bool) -> Pulled:
    settings = load_settings(Path(config) if config else None)
    with open_door(settings, choose_source(settings, source)) as door:
        return pull_source(Job(settings, source, door, full=full, tell=tell))

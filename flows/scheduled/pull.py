"""The flows `pull` and `sweep`: one task per source, retried if waiting helps, and a report of the changes.

On Postgres several sources are read side by side, and any number of runs on any number of machines share the work. A
run skips the sources that another run has read since this one was due, or is reading now. A lock in the warehouse keeps
two runs from reading the same source, even if one is killed.
"""

from __future__ import annotations

import random
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import Any, Final, cast

from prefect import flow, get_run_logger, runtime
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.states import Completed, Failed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.ask.ask import asked
from flows.configuration.load import choose_source, choose_sources, place_of
from flows.configuration.values import Settings
from flows.pull.by_name import pull_source
from flows.pull.summary import Summary, as_markdown, summary_of
from flows.scheduled.notices import emit, keep, task_progress, with_links
from flows.scheduled.states import LOOK, ended, own_words, read_settings, retried, run_name
from flows.session.progress import Progress
from flows.session.ready import open_ready
from flows.show.counted import counted
from schemas.entities import CLIENTS
from schemas.errors import Busy, ReadAlready
from warehouse.control.state import last_begun
from warehouse.engine.place import PostgresUrl

ARTIFACT: Final = "ninja-sync-pull"
FRESHNESS: Final = "ninja-sync-freshness"
HELD: Final = "Brake held"
STALE: Final = timedelta(hours=1)
"""A source held by another process is left to it, and reported if it was last read longer ago than this."""
THREADS: Final = 64
"""The most tasks at once; `at_once` of them read their source, the others wait for a turn or the next attempt."""


def side_by_side() -> TaskRunner[PrefectFuture[Any]]:
    """Return a runner that runs the tasks of many sources in threads."""
    return cast("TaskRunner[PrefectFuture[Any]]", ThreadPoolTaskRunner(max_workers=THREADS))


_turns: ContextVar[BoundedSemaphore] = ContextVar("turns")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A source left to another process, which has read it since this run was due (`done`), or holds it now.

    `stale` means that it is held and was last read long ago, at `last_begun`. A first load is never stale.
    """

    done: bool
    last_begun: datetime | None = None
    stale: bool = False


Found = Summary | Elsewhere | str
"""The result of a source; a text is the reason of its failure."""


@retried("pull one source", "pull {source}")
def pull_one(source: str, full: bool, due: datetime | None = None) -> Summary | Elsewhere:
    """Bring the mirror of one source up to date. A retry does no harm.

    If runs share their work, `due` is the time this run was due: a source read since, or being read, is left alone.
    """
    log = get_run_logger()
    try:
        with _turns.get():
            result = _pulled(source, task_progress(source), full=full, due=due)
    except Exception as problem:  # noqa: BLE001 - Prefect stores every message
        failed = own_words(problem)
    else:
        log.info("%s", as_line(source, result))
        return result
    raise failed


@flow(
    name="pull",
    flow_run_name=run_name,
    task_runner=side_by_side(),
    retries=0,
    persist_result=False,
    log_prints=False,
)
def pull(source: str | None = None) -> State[Any]:
    """Bring the warehouse up to date: one source, or all of them.

    `source` is a configured name. If a source fails, the others go on; the run fails at its end and names the source.
    If records are in quarantine, or the server has unknown fields, the run completes as "Needs a look".
    """
    return ended(lambda settings: ending(pull_all(settings, source)))


@flow(
    name="sweep",
    flow_run_name=run_name,
    task_runner=side_by_side(),
    retries=0,
    persist_result=False,
    log_prints=False,
)
def sweep(source: str | None = None) -> State[Any]:
    """Read all records of one source, or of all sources, and find those that have vanished.

    Purged and merged clients are removed from the mirror with their invoices and the like, and stay in the history. If
    more have vanished than a run may remove, it ends as "Brake held". Allow them on the command line:
    `ninja-sync sweep --at-most N`.
    """
    return ended(lambda settings: ending(pull_all(settings, source, full=True)))


def pull_all(settings: Settings, source: str | None, *, full: bool = False) -> dict[str, Found]:
    """Pull the sources and return the result of each. On DuckDB they take turns, because they share one file.

    On Postgres, runs of all sources share the work; a run that names its source reads it in any case.
    """
    names = choose_sources(settings, source)
    on_postgres = isinstance(place_of(settings), PostgresUrl)
    due = runtime.flow_run.scheduled_start_time if on_postgres and source is None else None
    _turns.set(BoundedSemaphore(settings.prefect.at_once if on_postgres else 1))
    # random, so that runs that share the work do not get in each other's way
    order = random.sample(names, len(names)) if due else names
    results = _each(order, full=full, due=due)
    left = [name for name, result in results.items() if isinstance(result, Elsewhere) and not result.done]
    if left:  # the processes that held them may have been killed meanwhile
        results |= _each(left, full=full, due=due)
    results = {name: results[name] for name in names}
    for name, result in results.items():
        _emit_findings(name, result)
    keep(
        lambda: create_markdown_artifact(
            with_links(as_markdown(_own(results))), key=ARTIFACT, description="The changes, in counts."
        )
    )
    keep(lambda: tell_freshness(settings))
    return results


def tell_freshness(settings: Settings) -> None:
    """Store a table of each mirror's age and size as an artifact: a row for each source, with all kinds of records."""
    rows = {
        row["source"]: {key: _plain(row[key]) for key in FRESH}
        for row in asked(settings, "read/status", {}, newest=True).records()
    }
    for kind in asked(settings, "read/entity_status", {}, newest=True).records():
        if kind["entity"] != CLIENTS.name and kind["source"] in rows:
            row = rows[kind["source"]]
            row[str(kind["entity"])] = _plain(kind["records"])
            row["not_listed"] = int(str(row["not_listed"] or 0)) + int(str(kind["not_listed"] or 0))
    create_table_artifact(list(rows.values()), key=FRESHNESS, description="Age and size of each mirror.")


def ending(results: dict[str, Found]) -> State[Any]:
    """Return the final state of a run with these results."""
    own = _own(results)
    failed = [name for name, result in own.items() if isinstance(result, str)]
    summaries = [result for result in own.values() if isinstance(result, Summary)]
    lines = [as_line(name, result) for name, result in own.items()]
    left = [result for result in results.values() if isinstance(result, Elsewhere)]
    stale = any(result.stale for result in left)
    lines += [
        as_line(name, result) for name, result in results.items() if isinstance(result, Elsewhere) and not result.done
    ]
    if left:
        lines.append(f"{len(left):,} of {counted(len(results), 'source')} left to other runs")
    if failed:
        count = f"{len(failed)} of {counted(len(results), 'source')} failed"
        return Failed(message=f"{count}: {', '.join(failed)}. {'; '.join(lines)}")
    if held := [f"{summary.run.source}: {summary.held}" for summary in summaries if summary.held]:
        return Failed(name=HELD, message="; ".join([*held, *lines]))  # red in Prefect's UI: somebody has to decide
    looks = stale or any(summary.needs_a_look for summary in summaries)
    return Completed(name=LOOK if looks else None, message="; ".join(lines))


def as_line(name: str, result: Found) -> str:
    """Return the result of a source in one line."""
    if isinstance(result, Elsewhere):
        last = (
            f"it was last read {result.last_begun:%Y-%m-%d %H:%M} UTC"
            if result.last_begun
            else "it was not read before"
        )
        return f"{name}: read by another run" if result.done else f"{name}: another process is reading it; {last}"
    return f"{name} failed: {result}" if isinstance(result, str) else str(result)


FRESH: Final = (
    "source", "clients", "contacts", "clients_on_server", "not_listed", "newest_change_at", "last_run_at",
    "last_run_kind", "quarantined", "unknown_fields",
)  # fmt: skip


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, int | str) else str(value)


def _own(results: dict[str, Found]) -> dict[str, Summary | str]:
    return {name: result for name, result in results.items() if not isinstance(result, Elsewhere)}


def _emit_findings(name: str, result: Found) -> None:
    if isinstance(result, str):
        emit("source.failed", name, result)
    elif isinstance(result, Elsewhere) and result.stale:
        emit("source.unread", name, as_line(name, result))
    elif isinstance(result, Summary):
        if result.held:
            emit("brake.held", name, f"{result}. {result.held}")
        if result.merged:
            emit("merges.found", name, f"merged away on the server: {counted(result.merged, 'client')}")


def _each(names: list[str], *, full: bool, due: datetime | None) -> dict[str, Found]:
    futures = {name: pull_one.submit(name, full, due) for name in names}
    return {name: _outcome(future) for name, future in futures.items()}


def _outcome(future: PrefectFuture[Any]) -> Found:
    outcome = future.result(raise_on_failure=False)
    return outcome if isinstance(outcome, Summary | Elsewhere) else f"{type(outcome).__name__}: {outcome}"


def _pulled(source: str, progress: Progress, *, full: bool, due: datetime | None) -> Summary | Elsewhere:
    settings = read_settings()
    try:
        return summary_of(pull_source(settings, choose_source(settings, source), full=full, due=due, progress=progress))
    except ReadAlready:
        return Elsewhere(done=True)
    except Busy:
        if due is None:
            raise
        with open_ready(settings) as warehouse:
            begun = last_begun(warehouse, source, full=False)
        return Elsewhere(done=False, last_begun=begun, stale=begun is not None and due - begun > STALE)

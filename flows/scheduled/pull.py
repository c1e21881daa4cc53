"""`pull` and `sweep` under Prefect: one task a source, retried where waiting helps, and a report of what changed.

On Postgres several sources are read side by side, and any number of runs, on any number of machines, share the work of
one tick: whatever another run has read since this one was due is left out, and what another is at is left to it. The
lock of the source in the warehouse sees to it that no two read one source together, whoever is killed.
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
from flows.pull.job import Job
from flows.pull.pull import pull as pull_source
from flows.pull.summary import Summary, as_markdown, summary_of
from flows.scheduled.notices import emit, keep, task_progress, with_links
from flows.scheduled.states import LOOK, ended, own_words, read_settings, retried, run_name
from flows.session.door import open_door
from flows.session.progress import Progress
from flows.session.ready import open_ready
from flows.show.counted import counted
from schemas.errors import Busy, ReadAlready
from warehouse.control.state import last_begun
from warehouse.engine.place import PostgresUrl

ARTIFACT: Final = "ninja-sync-pull"
FRESHNESS: Final = "ninja-sync-freshness"
HELD: Final = "Brake held"
STALE: Final = timedelta(hours=1)
"""A source that another process holds is left to it, and told of where it was last read so long ago."""
THREADS: Final = 64
"""Sources that a run has in hand; `at_once` of them are read, the others wait for their turn or their next attempt."""


def side_by_side() -> TaskRunner[PrefectFuture[Any]]:
    """Runs the tasks of many sources in threads."""
    return cast("TaskRunner[PrefectFuture[Any]]", ThreadPoolTaskRunner(max_workers=THREADS))


_turns: ContextVar[BoundedSemaphore] = ContextVar("turns")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A source that this run leaves to another process: it was read since this run was due, or is held by it.

    `stale` where it is held, and was last read long ago, by `last_begun`; a first load may take as long as it takes.
    """

    done: bool
    last_begun: datetime | None = None
    stale: bool = False


Found = Summary | Elsewhere | str
"""What a source came to; a text says why it failed."""


@retried("pull one source", "pull {source}")
def pull_one(source: str, full: bool, due: datetime | None = None) -> Summary | Elsewhere:
    """Bring the mirror of one source up to date; the same pull again does no harm, so it may be retried.

    Where runs share their work, `due` is when this one was: what was read since, or is being read, is left alone.
    """
    log = get_run_logger()
    try:
        with _turns.get():
            found = _pulled(source, task_progress(source), full=full, due=due)
    except Exception as problem:  # noqa: BLE001 - whatever it says goes into Prefect's database
        failed = own_words(problem)
    else:
        log.info("%s", told(source, found))
        return found
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

    `source` is a configured name. A source that fails does not keep the others from running; the run fails at its end
    and names it. Where records are in quarantine or the server's fields are not the known ones, the run completes as
    "Needs a look".
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
    """Read everything, and find the clients that have vanished: of one source, or of all.

    Purged and merged clients are taken out, and stay in the history. Where more have vanished than a run takes out, it
    ends as "Brake held"; `ninja-sync sweep --at-most N` allows them, which no run of Prefect can.
    """
    return ended(lambda settings: ending(pull_all(settings, source, full=True)))


def pull_all(settings: Settings, source: str | None, *, full: bool = False) -> dict[str, Found]:
    """What each source came to. On DuckDB one after the other: they share one warehouse, which is one file.

    On Postgres, a run of all sources shares them with other such runs; one that names its source reads it in any case.
    """
    names = choose_sources(settings, source)
    on_postgres = isinstance(place_of(settings), PostgresUrl)
    due = runtime.flow_run.scheduled_start_time if on_postgres and source is None else None
    _turns.set(BoundedSemaphore(settings.prefect.at_once if on_postgres else 1))
    # by chance, so that runs that share do not stand in each other's way
    order = random.sample(names, len(names)) if due else names
    found = _each(order, full=full, due=due)
    left = [name for name, one in found.items() if isinstance(one, Elsewhere) and not one.done]
    if left:  # whoever was at them may have been killed meanwhile
        found |= _each(left, full=full, due=due)
    found = {name: found[name] for name in names}
    for name, one in found.items():
        _emit_findings(name, one)
    keep(
        lambda: create_markdown_artifact(
            with_links(as_markdown(_own(found))), key=ARTIFACT, description="What was changed, in counts."
        )
    )
    keep(lambda: tell_freshness(settings))
    return found


def tell_freshness(settings: Settings) -> None:
    """How fresh and how full each mirror is, as a table among Prefect's artifacts."""
    status = asked(settings, "read/status", {}, newest=True).records()
    rows = [{key: _plain(one[key]) for key in FRESH} for one in status]
    create_table_artifact(rows, key=FRESHNESS, description="How fresh and how full each mirror is.")


def ending(found: dict[str, Found]) -> State[Any]:
    """The state in which a run ends that found this; a text in place of a summary says why that source failed."""
    own = _own(found)
    failed = [name for name, one in own.items() if isinstance(one, str)]
    summaries = [one for one in own.values() if isinstance(one, Summary)]
    lines = [told(name, one) for name, one in own.items()]
    left = [one for one in found.values() if isinstance(one, Elsewhere)]
    stale = any(one.stale for one in left)
    lines += [told(name, one) for name, one in found.items() if isinstance(one, Elsewhere) and not one.done]
    if left:
        lines.append(f"{len(left):,} of {counted(len(found), 'source')} left to other runs")
    if failed:
        return Failed(
            message=f"{len(failed)} of {counted(len(found), 'source')} failed: {', '.join(failed)}. {'; '.join(lines)}"
        )
    if held := [f"{one.run.source}: {one.held}" for one in summaries if one.held]:
        return Failed(name=HELD, message="; ".join([*held, *lines]))  # red in Prefect's pages: somebody has to decide
    looks = stale or any(one.needs_a_look for one in summaries)
    return Completed(name=LOOK if looks else None, message="; ".join(lines))


def told(name: str, one: Found) -> str:
    """What a source came to, in one line."""
    if isinstance(one, Elsewhere):
        last = f"it was last read {one.last_begun:%Y-%m-%d %H:%M} UTC" if one.last_begun else "it was not read before"
        return f"{name}: read by another run" if one.done else f"{name}: another process is at it; {last}"
    return f"{name} failed: {one}" if isinstance(one, str) else str(one)


FRESH: Final = (
    "source", "clients", "contacts", "clients_on_server", "not_listed", "newest_change_at", "last_run_at",
    "last_run_kind", "quarantined", "unknown_fields",
)  # fmt: skip


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, int | str) else str(value)


def _own(found: dict[str, Found]) -> dict[str, Summary | str]:
    return {name: one for name, one in found.items() if not isinstance(one, Elsewhere)}


def _emit_findings(name: str, one: Found) -> None:
    if isinstance(one, str):
        emit("source.failed", name, one)
    elif isinstance(one, Elsewhere) and one.stale:
        emit("source.unread", name, told(name, one))
    elif isinstance(one, Summary):
        if one.held:
            emit("brake.held", name, f"{one}. {one.held}")
        if one.merged:
            emit("merges.found", name, f"merged away on the server: {counted(one.merged, 'client')}")


def _each(names: list[str], *, full: bool, due: datetime | None) -> dict[str, Found]:
    futures = {name: pull_one.submit(name, full, due) for name in names}
    return {name: _outcome(future) for name, future in futures.items()}


def _outcome(future: PrefectFuture[Any]) -> Found:
    outcome = future.result(raise_on_failure=False)
    return outcome if isinstance(outcome, Summary | Elsewhere) else f"{type(outcome).__name__}: {outcome}"


def _pulled(source: str, progress: Progress, *, full: bool, due: datetime | None) -> Summary | Elsewhere:
    settings = read_settings()
    try:
        with open_door(settings, choose_source(settings, source)) as door:
            job = Job(settings, source, door, full=full, due=due, progress=progress)
            return summary_of(pull_source(job))
    except ReadAlready:
        return Elsewhere(done=True)
    except Busy:
        if due is None:
            raise
        with open_ready(settings) as warehouse:
            begun = last_begun(warehouse, source, full=False)
        return Elsewhere(done=False, last_begun=begun, stale=begun is not None and due - begun > STALE)

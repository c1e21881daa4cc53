"""`ninja-sync serve`: deploy all flows with their schedules, and run them in this process."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import DeploymentStatus
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.runner import Runner
from prefect.schedules import Cron, Interval, Schedule
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.types.entrypoint import EntrypointType

from flows.configuration.load import choose_sources, find_file, place_of
from flows.configuration.schedules import When
from flows.configuration.values import Settings
from flows.scheduled.dedupe import dedupe
from flows.scheduled.merge import merge
from flows.scheduled.nightly import nightly
from flows.scheduled.publish import publish
from flows.scheduled.pull import pull, sweep
from flows.scheduled.push import push
from flows.scheduled.server import api_url, refused
from flows.scheduled.statements import statements
from flows.session.door import token_of
from flows.show.show import say
from schemas.errors import Busy, SettingsError
from warehouse.engine.place import PostgresUrl
from warehouse.locks.lock import one_run_at_a_time

ALL: Final = "all"  # the name of deployments for all sources
FLOWS: Final[dict[str, Flow[Any, Any]]] = {
    flow.name: flow for flow in (pull, sweep, push, dedupe, merge, statements, publish, nightly)
}
OF_ONE_SOURCE: Final = frozenset({push.name, merge.name, statements.name})
"""Flows of one source: each source has its own deployment."""
TAG: Final = "ninja-sync"
SERVED: Final = "Served by `ninja-sync serve`, "
SERVER: Final = re.compile(rf"{SERVED}process ([0-9]+) on (\S+) for ")


def serve_flows(settings: Settings, source: str | None, config: Path | None) -> None:
    """Run the flows on their schedules and on request, until SIGTERM or Ctrl-C.

    The runs use the settings of this process, because they inherit its environment, which names the configuration file.
    On DuckDB there is one run at a time, as the file has one writer. On Postgres there is one for each deployment, and
    the lock of each source keeps them apart. Schedules are paused at the end, so that no late runs pile up, and resumed
    at the next start. Raises SettingsError if settings, secrets or the Prefect server cannot be used. Raises Busy if
    another `serve` has these deployments: the one that ends first would pause the schedules of the other.
    """
    names = choose_sources(settings, source)
    if file := find_file(config, environ=os.environ):
        os.environ["NINJA_SYNC_CONFIG"] = str(file.absolute())
    for name in names:
        token_of(settings.sources[name])  # a missing token is an error now, not in each run
    with temporary_settings({PREFECT_API_URL: api_url()}), only_one(settings, source or ALL):
        runner = Runner(name=source or ALL, limit=_most_runs(settings, names))
        deployments = deployments_of(settings, source, names)
        try:
            check_free(deployments)
            for deployment in deployments:
                _add(runner, deployment)
        except PrefectHTTPStatusError as refusal:
            raise refused(refusal.response.status_code) from None
        say(_greeting(deployments))
        asyncio.run(run_until_told(runner))
    say("Stopped; the schedules are paused until `ninja-sync serve` runs again.")


@dataclass(frozen=True, slots=True)
class Deployed:
    """One deployment: its flow and name, the source of its runs (None for all), its schedule, whom it serves."""

    flow: Flow[Any, Any]
    name: str
    source: str | None
    when: When | None
    tags: list[str]
    served: str

    @property
    def full_name(self) -> str:
        """The name in Prefect's commands: `pull/all`."""
        return f"{self.flow.name}/{self.name}"


def deployments_of(settings: Settings, source: str | None, names: Sequence[str]) -> list[Deployed]:
    """Return the deployments, tagged with their sources: one per source for flows of one source, else a single one."""
    here = f"{SERVED}process {os.getpid()} on {socket.gethostname()}"
    served = f"{here} for the warehouse {place_of(settings)}."
    deployments = []
    for name, flow in FLOWS.items():
        when = settings.prefect.schedules.get(name)
        each = names if name in OF_ONE_SOURCE else [source]
        for owner in each:
            tags = [TAG, *([owner] if owner else names)]
            deployments.append(Deployed(flow, owner or ALL, owner, when, tags, served))
    return deployments


@contextmanager
def only_one(settings: Settings, name: str) -> Iterator[None]:
    """Hold the right to serve these deployments of a warehouse. Raises Busy if another `serve` holds it."""
    with ExitStack() as held:
        try:
            held.enter_context(one_run_at_a_time(place_of(settings), f"{name}.serve", wait=0))
        except Busy as problem:
            raise Busy(f"Another `ninja-sync serve` is running for this warehouse: stop it first. {problem}") from None
        yield


def check_free(deployments: Sequence[Deployed]) -> None:
    """Refuse to take over deployments of another `serve` that is running. Raises SettingsError.

    Either process would run them, each with its own settings.
    """
    with get_client(sync_client=True) as client:
        for deployment in deployments:
            try:
                there = client.read_deployment_by_name(deployment.full_name)
            except ObjectNotFound:
                continue
            is_served = there.status == DeploymentStatus.READY and not there.paused
            if is_served and not has_ended(there.description or ""):
                raise SettingsError(
                    f"The Prefect server has a running deployment {deployment.full_name} already. "
                    f"{there.description} Stop that process (after a crash, wait a minute), or use another Prefect "
                    "server."
                )


def has_ended(served: str) -> bool:
    """Whether the process named by a deployment has ended or is this one. On another machine it counts as running."""
    named = SERVER.match(served)
    if named is None:
        return True
    process, host = int(named[1]), named[2]
    if host != socket.gethostname():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return process == os.getpid()


def _most_runs(settings: Settings, names: Sequence[str]) -> int:
    side_by_side = isinstance(place_of(settings), PostgresUrl)
    return len(FLOWS) + len(OF_ONE_SOURCE) * (len(names) - 1) if side_by_side else 1


def _add(runner: Runner, deployment: Deployed) -> None:
    """Add a deployment with one run at a time. If its source is fixed, no run may choose another one."""
    runner.add_flow(
        deployment.flow,
        name=deployment.name,
        schedule=schedule_of(deployment.when) if deployment.when else None,
        parameters={"source": deployment.source} if deployment.source else {},
        tags=deployment.tags,
        description=deployment.served,
        concurrency_limit=1,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


async def run_until_told(runner: Runner) -> None:
    """Run the flows that are due until SIGTERM or Ctrl-C, then cancel the current runs and leave nothing behind.

    The runner's own handler of SIGTERM calls a coroutine that nobody awaits (3.8.8), so its runs would go on.
    """
    serving, endings = asyncio.create_task(runner.start()), set()

    def end() -> None:
        if runner.started:
            endings.add(asyncio.create_task(runner.astop()))  # a task without a reference may vanish
        else:
            serving.cancel()

    await asyncio.sleep(0)  # let the runner set its handler first
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    with suppress(asyncio.CancelledError):
        await serving
    await asyncio.gather(*endings)


def schedule_of(when: When) -> Schedule:
    """Return the schedule: the cron line (UTC) if there is one, else the interval. Raises SettingsError."""
    try:
        return Cron(when.cron) if when.cron else Interval(timedelta(seconds=when.interval))
    except ValueError:
        raise SettingsError(
            f"The cron of a schedule is not valid: {when.cron!r}. An example: '*/15 * * * *'."
        ) from None


def _greeting(deployments: Sequence[Deployed]) -> str:
    lines = [f"Serving {', '.join(deployment.full_name for deployment in deployments)}."]
    for flow, when in {deployment.flow.name: deployment.when for deployment in deployments}.items():
        if when:
            how = f"by the cron line '{when.cron}' (UTC)." if when.cron else f"every {when.interval:,} s."
            lines.append(f"{flow} runs {how}")
    return "\n".join([*lines, f"To run one now: prefect deployment run '{deployments[0].full_name}'. Ctrl-C stops."])

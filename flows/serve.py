"""`ninja-sync serve`: the deployments of all flows and their schedules, run by this process."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.runner import Runner
from prefect.schedules import Cron, Interval, Schedule
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, get_current_settings, temporary_settings
from prefect.types.entrypoint import EntrypointType

from flows.scheduled.merge import merge
from flows.scheduled.pull import pull, sweep
from flows.scheduled.push import push
from flows.scheduled.work import dedupe, nightly, publish, statements
from flows.schedules import Prefect, When
from flows.settings import Settings, choose_sources, find_file, place_of, token_of
from flows.show import say
from schemas.errors import SettingsError
from warehouse.place import PostgresUrl

ALL: Final = "all"  # the deployments' name where they are for all sources
FLOWS: Final[dict[str, Flow[Any, Any]]] = {
    one.name: one for one in (pull, sweep, push, dedupe, merge, statements, publish, nightly)
}


def serve_flows(settings: Settings, source: str | None, config: Path | None) -> None:
    """Run the flows on their schedules, and whenever Prefect is asked to, until SIGTERM or Ctrl-C.

    On DuckDB one run at a time, as its file has one writer; on Postgres as many as there are flows: the lock of each
    source keeps them apart. Schedules are paused when it ends, so that no late runs pile up, and go on when it starts
    again. Raises SettingsError where settings, secrets or the Prefect server cannot be used.
    """
    names = choose_sources(settings, source)
    file = find_file(config, environ=os.environ)
    with temporary_settings({PREFECT_API_URL: api_url()}):
        for name in names:
            token_of(settings.sources[name])  # says now that it is missing, not at each run
        side_by_side = isinstance(place_of(settings), PostgresUrl)
        runner = Runner(name=source or ALL, limit=len(FLOWS) if side_by_side else 1)
        told = {"source": source, "config": str(file.absolute()) if file else None}
        try:
            for name, flow in FLOWS.items():
                _add(runner, flow, source or ALL, told, settings.prefect.schedules.get(name))
        except PrefectHTTPStatusError as refusal:
            raise _refused(refusal.response.status_code) from None
        say(_greeting(source or ALL, settings.prefect))
        asyncio.run(run_until_told(runner))
    say("Stopped; the schedules are paused until `ninja-sync serve` runs again.")


def _add(runner: Runner, flow: Flow[Any, Any], name: str, told: dict[str, str | None], when: When | None) -> None:
    """A deployment of a flow with those parameters that it has; one run of it at a time."""
    runner.add_flow(
        flow,
        name=name,
        schedule=schedule_of(when) if when else None,
        parameters={key: value for key, value in told.items() if key in flow.parameters.properties},
        concurrency_limit=1,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


async def run_until_told(runner: Runner) -> None:
    """Run what is due until SIGTERM or Ctrl-C; then a run that is under way is cancelled, and nothing is left behind.

    The runner's own handler of SIGTERM calls a coroutine that nobody awaits (3.8.8), and so leaves its runs alone.
    """
    serving, endings = asyncio.create_task(runner.start()), set()

    def end() -> None:
        if runner.started:
            endings.add(asyncio.create_task(runner.astop()))  # a task that nothing points to may vanish
        else:
            serving.cancel()

    await asyncio.sleep(0)  # let it set its handler first
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    with suppress(asyncio.CancelledError):
        await serving
    await asyncio.gather(*endings)


def schedule_of(when: When) -> Schedule:
    """The schedule: the cron line (UTC) where there is one, else the interval. Raises SettingsError."""
    try:
        return Cron(when.cron) if when.cron else Interval(timedelta(seconds=when.interval))
    except ValueError:
        raise SettingsError(f"A schedule's cron is no cron line: {when.cron!r}. An example: '*/15 * * * *'.") from None


def api_url() -> str:
    """The address of Prefect's API: PREFECT_API_URL, or a server on this machine. Raises SettingsError without one.

    Prefect would start a server of its own for as long as this process lives, but such a server runs no schedules.
    """
    here = get_current_settings().server.api
    url = PREFECT_API_URL.value() or f"http://{here.host}:{here.port}/api"
    with (
        temporary_settings({PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 0}),
        get_client(sync_client=True) as client,
    ):
        problem = client.api_healthcheck()
    if problem is None:
        return url
    advice = (
        "is it running, and is PREFECT_API_URL its address?"
        if PREFECT_API_URL.value()
        else "start one with `prefect server start`, or set PREFECT_API_URL to the address of yours."
    )
    raise SettingsError(f"No Prefect server answers at {url} ({type(problem).__name__}): {advice}")


def _refused(status: int) -> SettingsError:
    if status in {401, 403}:
        return SettingsError("The Prefect server refuses: set PREFECT_API_AUTH_STRING (or PREFECT_API_KEY).")
    return SettingsError(f"The Prefect server does not take the deployment ({status}). Are both of the same version?")


def _greeting(name: str, told: Prefect) -> str:
    lines = [f"Serving {', '.join(f'{flow}/{name}' for flow in FLOWS)}."]
    for flow, when in told.schedules.items():
        lines.append(
            f"{flow} runs " + (f"by the cron line '{when.cron}' (UTC)." if when.cron else f"every {when.interval:,} s.")
        )
    return "\n".join([*lines, f"A run now: prefect deployment run 'pull/{name}'. Ctrl-C stops."])

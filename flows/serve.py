"""`ninja-sync serve`: the deployment of the flow `pull` and its schedule, run by this process."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.runner import Runner
from prefect.schedules import Cron, Interval, Schedule
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, get_current_settings, temporary_settings
from prefect.types.entrypoint import EntrypointType

from flows import settings as installation
from flows.prefect_pull import pull
from flows.settings import Settings, choose_sources, find_file, token_of
from flows.show import say
from schemas.errors import SettingsError

ALL = "all"  # the deployment's name where it pulls all sources


def serve_flows(settings: Settings, source: str | None, config: Path | None) -> None:
    """Run `pull` on its schedule, and whenever Prefect is asked to, one run at a time, until SIGTERM or Ctrl-C.

    Its schedules are paused when it ends, so that no late runs pile up, and go on when it starts again. Raises
    SettingsError where settings, secrets or the Prefect server cannot be used.
    """
    for name in choose_sources(settings, source):
        token_of(settings.sources[name])  # says now that it is missing, not at each run
    schedule, file = schedule_of(settings.prefect), find_file(config, environ=os.environ)
    parameters = {"source": source, "config": str(file.absolute()) if file else None, "full": False}
    with temporary_settings({PREFECT_API_URL: api_url()}):
        runner = Runner(name=source or ALL, limit=1)
        try:
            runner.add_flow(
                pull,
                name=source or ALL,
                schedule=schedule,
                parameters=parameters,
                concurrency_limit=1,
                entrypoint_type=EntrypointType.MODULE_PATH,
            )
        except PrefectHTTPStatusError as refusal:
            raise _refused(refusal.response.status_code) from None
        say(_greeting(source or ALL, settings.prefect))
        asyncio.run(run_until_told(runner))
    say("Stopped; the schedule is paused until `ninja-sync serve` runs again.")


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


def schedule_of(told: installation.Prefect) -> Schedule:
    """The schedule of the settings: the cron line (UTC) where there is one, else the interval."""
    if not told.cron and told.interval <= 0:
        raise SettingsError("prefect.interval must be a number of seconds above 0.")
    try:
        return Cron(told.cron) if told.cron else Interval(timedelta(seconds=told.interval))
    except ValueError:
        raise SettingsError(f"prefect.cron is not a cron line: {told.cron!r}. An example: '*/15 * * * *'.") from None


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


def _greeting(name: str, told: installation.Prefect) -> str:
    when = f"by the cron line '{told.cron}' (UTC)" if told.cron else f"every {told.interval:,} s"
    return f"Serving pull/{name} {when}. A run now: prefect deployment run 'pull/{name}'. Ctrl-C stops."

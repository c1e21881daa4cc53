"""The flow `statements`: fetch the statements of all clients with a balance."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from connector.clients import Period
from flows.ask.company_day import company_day
from flows.configuration.load import choose_source
from flows.configuration.values import Settings
from flows.scheduled.notices import task_progress
from flows.scheduled.states import ended, own_words, read_settings, run_name
from flows.session.api import open_api
from flows.statements.fetch import draw_statements, make_folder, owing, period_of


@task(
    name="statements of one source",
    task_run_name="statements {source}",
    retries=0,
    cache_policy=NO_CACHE,
    persist_result=False,
)
def statements_one(source: str, period: Period) -> dict[str, int]:
    """Fetch the statement of each client with a balance; count those fetched, already there, and failed."""
    try:
        settings = read_settings()
        folder = Path(settings.prefect.statements_folder)
        make_folder(folder)
        with open_api(source, settings=settings) as api:
            drawn = draw_statements(api, list(owing(api)), period, folder, progress=task_progress(source))
            return dict(Counter("failed" if statement.problem else statement.did for statement in drawn))
    except Exception as problem:  # noqa: BLE001 - Prefect stores every message
        failed = own_words(problem)
    raise failed


@flow(name="statements", flow_run_name=run_name, retries=0, persist_result=False, log_prints=False)
def statements(source: str | None = None, start: str | None = None, end: str | None = None) -> State[Any]:
    """Fetch the statements of all clients with a balance, as PDF files in the folder that the settings name.

    `start` and `end` are days (2026-12-31), by default January 1st of this year and today in
    the company's time zone. After a run was cut off, the
    next run continues from there.
    """
    return ended(lambda settings: _stated(settings, source, start, end))


def _stated(settings: Settings, source: str | None, start: str | None, end: str | None) -> State[Any]:
    name = choose_source(settings, source)
    counts = statements_one(name, period_of(start or "", end or "", today=partial(company_day, settings, name)))
    summary = f"{name}: " + (
        ", ".join(f"{number:,} {what}" for what, number in counts.items()) or "nobody has a balance"
    )
    get_run_logger().info("%s", summary)
    return Failed(message=summary) if counts.get("failed") else Completed(message=summary)

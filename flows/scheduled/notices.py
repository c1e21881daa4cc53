"""Artifacts, events and log lines for Prefect: one line per event, progress in counts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from prefect import get_run_logger, runtime
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.events import emit_event
from prefect.utilities.urls import url_for

from flows.session.progress import Progress
from flows.show.counted import counted

STEP: Final = 10_000
"""Records between two log lines."""


def keep(artifact: Callable[[], object]) -> None:
    """Make an artifact. If Prefect cannot store it, log a warning and go on."""
    try:
        artifact()
    except Exception as problem:  # noqa: BLE001 - of many libraries
        get_run_logger().warning("An artifact could not be stored: %s", type(problem).__name__)


def emit(event: str, source: str, message: str, **more: str) -> None:
    """Send an event, in our own words, that Prefect's automations can act on."""
    emit_event(
        f"ninja-sync.{event}", resource={"prefect.resource.id": f"ninja-sync.source.{source}"},
        payload={"source": source, "message": message, **more},
    )  # fmt: skip


def with_links(markdown: str) -> str:
    """Return a report with a link to its flow run, and so to its log, state and other reports."""
    page = url_for("flow-run", obj_id=runtime.flow_run.id) if runtime.flow_run.id else None
    return f"{markdown}\n[This flow run]({page})\n" if page else markdown


def logged_progress(log: logging.Logger | logging.LoggerAdapter[Any], name: str) -> Progress:
    """Return a callback that logs each phase and every 10,000 records, and shows the progress as an artifact."""
    last = ("", 0)
    artifact: UUID | None = None

    def progress(doing: str, done: int, of: int | None) -> None:
        nonlocal last, artifact
        if (doing, done // STEP) == last:
            return
        last = (doing, done // STEP)
        log.info("%s%s%s", doing, f": {counted(done, 'record')}" if done else "", f" of {of:,}" if done and of else "")
        if not done or (of or 0) <= STEP:
            return
        part = min(100.0, 100 * done / (of or done))
        if artifact is None:
            key = f"ninja-sync-progress-{name.replace('_', '-')}"
            made = create_progress_artifact(part, key=key, description=f"{name}: {doing}")
            artifact = made if isinstance(made, UUID) else None
        else:
            update_progress_artifact(artifact, part, description=f"{name}: {doing}")

    return progress


def task_progress(name: str) -> Progress:
    """Return the progress callback of the current Prefect task."""
    return logged_progress(get_run_logger(), name)

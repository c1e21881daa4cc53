"""`dedupe`, `statements`, `publish` under Prefect, and `nightly`, which strings together what a night is for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from connector.clients import Period
from flows.api import open_client
from flows.job import open_ready
from flows.scheduled.pull import ending, pull_all, side_by_side
from flows.scheduled.words import (
    ended,
    keep,
    own_words,
    read_rules,
    read_settings,
    retried,
    run_name,
    teller,
    with_links,
)
from flows.settings import Settings, choose_source, choose_sources
from flows.statements import draw_statements, make_folder, owing, period_of
from warehouse.export import export
from warehouse.publish import publish as write_copies

DUPLICATES: Final = "ninja-sync-duplicates"


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What a search for duplicates came to, in counts."""

    clusters: int
    new: int
    compared: int

    def __str__(self) -> str:
        """One line."""
        return f"{self.clusters:,} clusters of duplicates ({self.new:,} new) among {self.compared:,} clients"


@retried("find duplicates of one source", "dedupe {source}")
def dedupe_one(source: str) -> Duplicates:
    """Find the duplicates in one mirror, and keep them; found again they are the same, so it may be retried."""
    try:
        settings = read_settings()
        chosen = read_rules(settings)
        from flows.dedupe.find import find_duplicates  # noqa: PLC0415 - of an extra, for who looks for duplicates

        found = find_duplicates(settings, source, chosen, tell=teller(source))
    except Exception as problem:  # noqa: BLE001 - whatever it says goes into Prefect's database
        failed = own_words(problem)
    else:
        return Duplicates(len(found.clusters), found.new, found.compared)
    raise failed


@flow(name="dedupe", flow_run_name=run_name, retries=0, persist_result=False, log_prints=False)
def dedupe(source: str | None = None) -> State[Any]:
    """Find duplicates in the mirror of one source, or of all, by the rules that the settings name.

    Nothing is decided and nothing merged: `ninja-sync dedupe review` decides, the flow `merge` plans and merges.
    """
    return ended(lambda settings: _deduped(settings, source))


@task(
    name="statements of one source",
    task_run_name="statements {source}",
    retries=0,
    cache_policy=NO_CACHE,
    persist_result=False,
)
def statements_one(source: str, period: Period) -> dict[str, int]:
    """Fetch the statement of each client with a balance; how many were fetched, were there, and failed."""
    try:
        settings = read_settings()
        folder = Path(settings.prefect.statements_folder)
        make_folder(folder)
        with open_client(source, settings=settings) as api:
            drawn = draw_statements(api, list(owing(api)), period, folder, tell=teller(source))
            return dict(Counter("failed" if one.problem else one.did for one in drawn))
    except Exception as problem:  # noqa: BLE001 - as above
        failed = own_words(problem)
    raise failed


@flow(name="statements", flow_run_name=run_name, retries=0, persist_result=False, log_prints=False)
def statements(source: str | None = None, start: str | None = None, end: str | None = None) -> State[Any]:
    """Statements of account of all clients with a balance, as PDF files in the folder that the settings name.

    `start` and `end` are days (2026-12-31): January 1st of this year, and today, unless told. A run that was cut off
    goes on where it stood when it is run again.
    """
    return ended(lambda settings: _stated(settings, source, start, end))


@task(name="publish", retries=0, cache_policy=NO_CACHE, persist_result=False)
def publish_copies() -> int:
    """Write the published copies again, or those in the export folder; how many files."""
    try:
        settings = read_settings()
        folder = settings.prefect.export_folder
        with open_ready(settings) as warehouse:
            if not folder:
                return len(list(write_copies(warehouse).iterdir()))
            return len(export(warehouse, Path(folder).absolute(), personal=settings.prefect.export_personal_data))
    except Exception as problem:  # noqa: BLE001 - as above
        failed = own_words(problem)
    raise failed


@flow(name="publish", flow_run_name=run_name, retries=0, persist_result=False, log_prints=False)
def publish() -> State[Any]:
    """Write the published copies, or, where the settings name an `export_folder`, copies in that folder."""
    return ended(lambda _: _published())


@flow(
    name="nightly",
    flow_run_name=run_name,
    task_runner=side_by_side(),
    retries=0,
    persist_result=False,
    log_prints=False,
)
def nightly(source: str | None = None) -> State[Any]:
    """Read everything, find duplicates, and write copies where the settings name an `export_folder`.

    Where a source fails the others go on, and the run fails at its end and names it.
    """
    return ended(lambda settings: _night(settings, source))


def _night(settings: Settings, source: str | None) -> State[Any]:
    states = [ending(pull_all(settings, source, full=True)), _deduped(settings, source)]
    if settings.prefect.export_folder:
        states.append(_published())
    told = " | ".join(str(one.message) for one in states)
    if failed := [one for one in states if one.is_failed()]:
        return Failed(name=failed[0].name if len({one.name for one in failed}) == 1 else None, message=told)
    names = [one.name for one in states if one.name != "Completed"]
    return Completed(name=names[0] if names else None, message=told)


def _deduped(settings: Settings, source: str | None) -> State[Any]:
    found: dict[str, Duplicates | str] = {}
    for name in choose_sources(settings, source):
        outcome = dedupe_one(name, return_state=True).result(raise_on_failure=False)
        found[name] = outcome if isinstance(outcome, Duplicates) else f"{type(outcome).__name__}: {outcome}"
    lines = [f"{name}: {one}" for name, one in found.items()]
    report = "\n".join(f"- {line}" for line in lines) + "\n"
    if any(isinstance(one, Duplicates) and one.clusters for one in found.values()):
        report += "\nDecide on them: `ninja-sync dedupe review`, with `--source NAME` where there are several.\n"
    keep(lambda: create_markdown_artifact(with_links(report), key=DUPLICATES))
    failed = [name for name, one in found.items() if isinstance(one, str)]
    return Failed(message="; ".join(lines)) if failed else Completed(message="; ".join(lines))


def _stated(settings: Settings, source: str | None, start: str | None, end: str | None) -> State[Any]:
    name = choose_source(settings, source)
    counts = statements_one(name, period_of(start or "", end or ""))
    told = f"{name}: " + (", ".join(f"{number:,} {what}" for what, number in counts.items()) or "nobody has a balance")
    get_run_logger().info("%s", told)
    return Failed(message=told) if counts.get("failed") else Completed(message=told)


def _published() -> State[Any]:
    run: Callable[..., State[int]] = publish_copies
    outcome = run(return_state=True).result(raise_on_failure=False)
    if isinstance(outcome, int):
        return Completed(message=f"{outcome:,} files published")
    return Failed(message=f"not published: {outcome}")

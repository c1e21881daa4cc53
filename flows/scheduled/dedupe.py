"""The flow `dedupe`: find duplicates in the mirror."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.configuration.load import choose_sources
from flows.configuration.values import Settings
from flows.scheduled.notices import keep, task_progress, with_links
from flows.scheduled.states import ended, own_words, read_rules, read_settings, retried, run_name
from flows.show.counted import counted

DUPLICATES: Final = "ninja-sync-duplicates"


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The result of a search for duplicates, in counts."""

    clusters: int
    new: int
    compared: int

    def __str__(self) -> str:
        """One line."""
        groups = f"{counted(self.clusters, 'group')} of duplicates"
        return f"{groups} ({self.new:,} new) among {counted(self.compared, 'client')}"


@retried("find duplicates of one source", "dedupe {source}")
def dedupe_one(source: str) -> Duplicates:
    """Find the duplicates in one mirror and store them. A retry finds the same ones."""
    try:
        settings = read_settings()
        chosen = read_rules(settings)
        from flows.dedupe.find import find_duplicates  # noqa: PLC0415 - an extra, only for duplicates

        search = find_duplicates(settings, source, chosen, progress=task_progress(source))
    except Exception as problem:  # noqa: BLE001 - Prefect stores every message
        failed = own_words(problem)
    else:
        return Duplicates(len(search.clusters), search.new, search.compared)
    raise failed


@flow(name="dedupe", flow_run_name=run_name, retries=0, persist_result=False, log_prints=False)
def dedupe(source: str | None = None) -> State[Any]:
    """Find duplicates in the mirror of one source, or of all, by the rules that the settings name.

    The flow decides and merges nothing. Decide with `ninja-sync dedupe review`; the flow `merge` then merges.
    """
    return ended(lambda settings: deduped(settings, source))


def deduped(settings: Settings, source: str | None) -> State[Any]:
    """Find the duplicates of one source, or of all, and report them in one artifact."""
    results: dict[str, Duplicates | str] = {}
    for name in choose_sources(settings, source):
        outcome = dedupe_one(name, return_state=True).result(raise_on_failure=False)
        results[name] = outcome if isinstance(outcome, Duplicates) else f"{type(outcome).__name__}: {outcome}"
    lines = [f"{name}: {result}" for name, result in results.items()]
    report = "\n".join(f"- {line}" for line in lines) + "\n"
    if any(isinstance(result, Duplicates) and result.clusters for result in results.values()):
        report += "\nDecide on them: `ninja-sync dedupe review`, with `--source NAME` if there are several.\n"
    keep(lambda: create_markdown_artifact(with_links(report), key=DUPLICATES))
    failed = [name for name, result in results.items() if isinstance(result, str)]
    return Failed(message="; ".join(lines)) if failed else Completed(message="; ".join(lines))

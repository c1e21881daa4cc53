"""The task `reconciliation` of the flow `nightly`: how many clients' figures differ from their documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.ask.reconciliation import read_compared
from flows.scheduled.states import LOOK, own_words, read_settings


@task(name="reconciliation", retries=0, cache_policy=NO_CACHE, persist_result=False)
def compare_figures(source: str | None) -> list[tuple[str, int]]:
    """Return a line and the number of clients that differ, for each source."""
    try:
        return [(str(one), one.differing) for one in read_compared(read_settings(), source)]
    except Exception as problem:  # noqa: BLE001 - Prefect stores every message
        failed = own_words(problem)
    raise failed


def reconciled(source: str | None) -> State[Any]:
    """Compare, and return a state with the counts; it needs a look if a client differs."""
    run: Callable[..., State[list[tuple[str, int]]]] = compare_figures
    outcome = run(source, return_state=True).result(raise_on_failure=False)
    if isinstance(outcome, list):
        message = " ".join(line for line, _ in outcome) or "no documents to compare yet"
        return Completed(name=LOOK if any(differing for _, differing in outcome) else None, message=message)
    return Failed(message=f"not compared: {outcome}")

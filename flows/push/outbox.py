"""Queued changes: list them with their state, withdraw them, or queue them again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from typing import Final

from flows.configuration.values import Settings
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.ready import open_ready
from schemas.errors import SettingsError
from warehouse.control.outbox import HELD, OPEN, WAITING, Change, hold_outbox, queue_again, queued, queued_as, withdraw
from warehouse.engine.seam import Warehouse

SHORT: Final = 8
"""Characters of a change's id that are shown; any beginning that is unique names the change."""


def queued_changes(
    settings: Settings, source: str | None = None, *, everything: bool = False, clock: Clock = SYSTEM_CLOCK
) -> list[Change]:
    """Return the waiting and the refused changes, oldest first, with the reason of each refusal.

    `everything` adds the changes that a plan has taken up, with their outcomes.
    """
    with open_ready(settings, clock) as warehouse:
        known = {*settings.sources, *(str(name) for (name,) in warehouse.rows("select source from control.sources"))}
        changes = queued(warehouse)
    return [
        replace(change, why=change.why or of_no_source(change.state, change.source, known))
        for change in changes
        if (everything or change.state in OPEN) and source in (None, change.source)
    ]


def withdraw_changes(settings: Settings, names: Sequence[str], clock: Clock = SYSTEM_CLOCK) -> list[Change]:
    """Remove queued changes, each named by its id or the beginning of it, and return them.

    Raises SettingsError, without removing any, if a name is not unique or a change is in a plan already.
    """
    with open_ready(settings, clock) as warehouse, warehouse.transaction():
        chosen = _chosen(warehouse, names, OPEN, "withdrawn")
        withdraw(warehouse, [change.change_id for change in chosen])
    return chosen


def requeue_changes(settings: Settings, names: Sequence[str], clock: Clock = SYSTEM_CLOCK) -> list[Change]:
    """Queue refused changes, and those of rejected plans, again for the next plan; return them with their old state.

    Raises SettingsError, without queuing any, if a name is not unique or a change is neither refused nor rejected.
    """
    with open_ready(settings, clock) as warehouse, warehouse.transaction():
        chosen = _chosen(warehouse, names, HELD, "queued again")
        queue_again(warehouse, [change.change_id for change in chosen])
    return chosen


def _chosen(warehouse: Warehouse, names: Sequence[str], states: Set[str], what: str) -> list[Change]:
    """Return the changes with these names, held until the transaction ends, if all of them have one of the states."""
    hold_outbox(warehouse)
    changes = {change.change_id: change for change in queued_as(warehouse, {*names, *(name.lower() for name in names)})}
    chosen = [changes.get(name) or _named(changes.values(), name) for name in dict.fromkeys(names)]
    for change in chosen:
        if change.state not in states:
            subject = f"The change {change.change_id[:SHORT]} is {change.state} and cannot be {what}"
            raise SettingsError(f"{subject}: the plan {change.plan_id} has it." if change.plan_id else f"{subject}.")
    return chosen


def _named(changes: Iterable[Change], name: str) -> Change:
    fitting = [change for change in changes if name and change.change_id.startswith(name.lower())]
    if len(fitting) != 1:
        several = f"{len(fitting)} changes have an id that begins with {name!r}: give more of it"
        problem = several if fitting else f"There is no change {name!r}"
        raise SettingsError(f"{problem}. `ninja-sync push queue` lists them.")
    return fitting[0]


def of_no_source(state: str, source: str, known: Set[str]) -> str:
    """Return why a waiting change cannot be planned, if nobody knows its source; '' for any other change."""
    return f"there is no source {source!r}" if state == WAITING and source not in known else ""

"""Queued changes: list them with their state, and withdraw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from flows.configuration.values import Settings
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.ready import open_ready
from schemas.errors import SettingsError
from warehouse.control.outbox import OPEN, WAITING, Change, hold_outbox, queued, withdraw

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
        replace(change, why=change.why or _of_no_source(change, known))
        for change in changes
        if (everything or change.state in OPEN) and source in (None, change.source)
    ]


def withdraw_changes(settings: Settings, names: Sequence[str], clock: Clock = SYSTEM_CLOCK) -> list[Change]:
    """Remove queued changes, each named by its id or the beginning of it, and return them.

    Raises SettingsError, without removing any, if a name is not unique or a change is in a plan already.
    """
    with open_ready(settings, clock) as warehouse, warehouse.transaction():
        hold_outbox(warehouse)
        changes = queued(warehouse)
        chosen = [_named(changes, name) for name in dict.fromkeys(names)]
        withdraw(warehouse, [change.change_id for change in chosen])
    return chosen


def _named(changes: Sequence[Change], name: str) -> Change:
    fitting = [change for change in changes if name and change.change_id.startswith(name.lower())]
    if len(fitting) != 1:
        several = f"{len(fitting)} changes have an id that begins with {name!r}: give more of it"
        problem = several if fitting else f"There is no change {name!r}"
        raise SettingsError(f"{problem}. `ninja-sync push queue` lists them.")
    (change,) = fitting
    if change.state not in OPEN:
        subject = f"The change {change.change_id[:SHORT]} is {change.state}"
        raise SettingsError(
            f"{subject} and cannot be withdrawn: the plan {change.plan_id} has it."
            if change.plan_id
            else f"{subject}: there is nothing to withdraw."
        )
    return change


def _of_no_source(change: Change, known: set[str]) -> str:
    lost = change.state == WAITING and change.source not in known
    return f"there is no source {change.source!r}" if lost else ""

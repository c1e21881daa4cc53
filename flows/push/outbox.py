"""What people do with changes they have queued: see what became of them, and withdraw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from flows.configuration.values import Settings
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.ready import open_ready
from schemas.errors import SettingsError
from warehouse.control.outbox import OPEN, WAITING, Change, queued, withdraw

SHORT: Final = 8
"""Characters of a change's id that are shown; as many as make it clear are enough to name it."""


def queued_changes(
    settings: Settings, source: str | None = None, *, everything: bool = False, clock: Clock = SYSTEM_CLOCK
) -> list[Change]:
    """The changes that are in no plan, oldest first: those that wait, and those that were refused, with the reason.

    `everything` adds those that a plan has taken up, with what became of them.
    """
    with open_ready(settings, clock) as warehouse:
        known = {*settings.sources, *(str(name) for (name,) in warehouse.rows("select source from control.sources"))}
        found = queued(warehouse)
    return [
        replace(one, why=one.why or _of_no_source(one, known))
        for one in found
        if (everything or one.state in OPEN) and source in (None, one.source)
    ]


def withdraw_changes(settings: Settings, names: Sequence[str], clock: Clock = SYSTEM_CLOCK) -> list[Change]:
    """Remove queued changes, each named by its id or the beginning of it; returns them.

    Raises SettingsError where one is not clear, or is in a plan already; then none is removed.
    """
    with open_ready(settings, clock) as warehouse, warehouse.transaction():
        found = queued(warehouse)
        chosen = [_one(found, name) for name in dict.fromkeys(names)]
        withdraw(warehouse, [one.change_id for one in chosen])
    return chosen


def _one(found: Sequence[Change], name: str) -> Change:
    fitting = [one for one in found if name and one.change_id.startswith(name.lower())]
    if len(fitting) != 1:
        many = f"{len(fitting)} changes begin with {name!r}: give more of it" if fitting else f"No change is {name!r}"
        raise SettingsError(f"{many}. `ninja-sync push queue` lists them.")
    (one,) = fitting
    if one.state not in OPEN:
        raise SettingsError(
            f"The change {one.change_id[:SHORT]} is {one.state} and cannot be withdrawn: the plan {one.plan_id} has it."
            if one.plan_id
            else f"The change {one.change_id[:SHORT]} is {one.state}: there is nothing to withdraw."
        )
    return one


def _of_no_source(change: Change, known: set[str]) -> str:
    lost = change.state == WAITING and change.source not in known
    return f"there is no source {change.source!r}" if lost else ""

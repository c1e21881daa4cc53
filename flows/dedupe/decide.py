"""Note what people decide: about a group that they see, about pairs that they name, and which client to keep.

Nothing is merged here, and a decision about a group can be taken back.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from flows.configuration.values import Settings
from flows.dedupe.review import pairs_in
from flows.plans.client_keys import keys_of_mirror
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.operator import operator
from flows.session.ready import open_ready
from schemas.errors import SettingsError
from warehouse.control.dedupe import DECISIONS, Pair, choose_survivor, decide, pair_of
from warehouse.control.duplicate_decisions import Standing, standing_of, take_back
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

MEANWHILE: Final = (
    "Somebody decided on this group, or took a decision back, since it was shown to you. Your decision was not noted. "
    "Look at what is decided now, and decide again if you do not agree."
)
"""The message for a person whose decision was not noted."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A decision about a group that was noted: its clients, by whom and when, and the client chosen to be kept."""

    ids: Sequence[str]
    decision: str
    author: str
    at: datetime
    kept: str = ""


def decide_group(
    settings: Settings,
    name: str,
    ids: Sequence[str],
    decision: str,
    *,
    kept: str = "",
    seen: str | None = None,
    reason: str = "",
    clock: Clock = SYSTEM_CLOCK,
) -> Noted | None:
    """Note one decision about all pairs of a group, and the client to keep if the person chose one, all or nothing.

    `seen` is the mark of the decisions that the person saw (`Standing.mark`). If somebody has decided on the group
    since, nothing is noted, and the result is None; or, after a second click, what the first one noted.
    """
    _check(decision)
    if kept and kept not in ids:
        raise SettingsError("The client to keep is not in this group. Nothing was noted.")
    noted = Noted(ids, decision, operator(), clock.now(), kept)
    with open_ready(settings, clock) as warehouse, warehouse.transaction():
        _hold(warehouse, name)
        _check_known(warehouse, name, set(ids))
        if seen is not None and (standing := standing_of(warehouse, name, ids)).mark != seen:
            return _noted_before(standing, noted)
        author, now = noted.author, noted.at
        decide(warehouse, name, pairs_in(ids), decision, author=author, reason=reason, now=now)
        if kept:
            choose_survivor(warehouse, name, kept, author=author, reason=reason, now=now)
    return noted


def _noted_before(standing: Standing, again: Noted) -> Noted | None:
    """Return the decision of a first click, if this is a second one: the person's own, and the newest on all pairs."""
    pairs = pairs_in(again.ids)
    own = [one for one in standing.decisions if (one.decision, one.author) == (again.decision, again.author)]
    moments = {one.at for one in own}
    if len(moments) != 1 or {one.pair for one in own} != set(pairs):
        return None
    first = replace(again, at=moments.pop())
    chosen = [(choice.client_id, choice.author) for choice in standing.choices if choice.at >= first.at]
    return first if chosen == ([(first.kept, first.author)] if first.kept else []) else None


def take_back_group(settings: Settings, name: str, noted: Noted, *, clock: Clock = SYSTEM_CLOCK) -> None:
    """Take back a decision about a group, and the choice made with it. The decisions before it count again.

    A later decision, such as a colleague's, stays.
    """
    with open_ready(settings, clock) as warehouse, warehouse.transaction():
        _hold(warehouse, name)
        take_back(warehouse, name, noted.ids, author=noted.author, at=noted.at, kept=noted.kept)


def decide_pairs(
    settings: Settings, name: str, decisions: Sequence[tuple[Pair, str, str]], *, clock: Clock = SYSTEM_CLOCK
) -> int:
    """Note decisions as (pair, decision, reason), all or none. Raises SettingsError for an invalid decision."""
    for pair, decision, _ in decisions:
        _check(decision)
        if not all(pair):
            raise SettingsError("A decision is about two clients.")
    with open_ready(settings, clock) as warehouse, warehouse.transaction():
        _hold(warehouse, name)
        ids = _ids(warehouse, name, {text for pair, _, _ in decisions for text in pair})
        for (one, other), decision, reason in decisions:
            pair = pair_of(ids[one], ids[other])
            if pair[0] == pair[1]:
                raise SettingsError("A decision is about two clients.")
            decide(warehouse, name, [pair], decision, author=operator(), reason=reason, now=clock.now())
    return len(decisions)


def choose(settings: Settings, name: str, client_id: str, *, reason: str = "", clock: Clock = SYSTEM_CLOCK) -> None:
    """Note that a client is to survive the merges of its cluster, whatever the rules choose."""
    if not client_id:
        raise SettingsError("Name the client to keep.")
    with open_ready(settings, clock) as warehouse, warehouse.transaction():
        _hold(warehouse, name)
        kept = _ids(warehouse, name, {client_id})[client_id]
        choose_survivor(warehouse, name, kept, author=operator(), reason=reason, now=clock.now())


def _hold(warehouse: Warehouse, name: str) -> None:
    """Let nobody else decide until the transaction ends."""
    warehouse.hold(f"decisions of {name}")


def _check(decision: str) -> None:
    if decision not in DECISIONS:
        raise SettingsError(f"A decision is one of {', '.join(DECISIONS)}, not {decision!r}.")


def _ids(warehouse: Warehouse, name: str, texts: Set[str]) -> dict[str, str]:
    """Return the id that each text means: the number or id of a client, or the id of one that was merged or purged.

    Raises SettingsError for a text that means no client, or two.
    """
    keys = keys_of_mirror(warehouse, name)
    meant = {text: keys.find_by_number_or_id(text) for text in texts}
    if unclear := next((f"{text!r}: {client.unclear}" for text, client in meant.items() if client.unclear), None):
        raise SettingsError(f"{unclear}. Nothing was noted; use the id.")
    ids = {text: client.client_id or text for text, client in meant.items()}
    _check_known(warehouse, name, set(ids.values()))
    return ids


def _check_known(warehouse: Warehouse, name: str, ids: Set[str]) -> None:
    rows = warehouse.rows(statement("dedupe/known"), {"source": name, "ids": sorted(ids)})
    if unknown := sorted(ids - {str(client_id) for (client_id,) in rows}):
        raise SettingsError(
            f"There is no client {unknown[0]!r} in the source {name!r}. Nothing was noted. `ninja-sync dedupe list` "
            "shows numbers and ids."
        )

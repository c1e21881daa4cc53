"""From clusters to merges: who survives of each, by the rules; the plan itself is that of any merges."""

from __future__ import annotations

from collections.abc import Set

from connector.clients.present import read_present
from connector.door.door import Door
from flows.configuration.values import Settings
from flows.dedupe.review import cases, not_the_same, same_clusters
from flows.dedupe.rules import Rules
from flows.merge.plan import PlannedMerges, plan_merges
from flows.merge.survivor import survivor_of
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.ready import open_ready
from schemas.client import client_of
from schemas.errors import SettingsError
from warehouse.control.dedupe import chosen_survivors


def plan_clusters(
    settings: Settings,
    name: str,
    door: Door,
    rules: Rules,
    *,
    undecided: bool = False,
    allowed: Set[str] = frozenset(),
    rescue: bool = True,
    public_notes: bool = False,
    clock: Clock = SYSTEM_CLOCK,
) -> PlannedMerges:
    """Plan the merges of clusters that are decided to be the same; with `undecided`, of those nobody decided on too.

    The client that somebody has chosen survives, else the one that the rules choose. Clients that have vanished since
    are left out. Raises SettingsError where there is no such cluster.
    """
    wanted = same_clusters(settings, name, clock)
    if undecided:
        wanted = [list(c.ids) for c in cases(settings, name, everything=True, clock=clock) if not not_the_same(c)]
    if not wanted:
        raise SettingsError(
            "No cluster is decided to be the same: `ninja-sync dedupe review` first, or --undecided-too."
        )
    present = read_present(door, [one for cluster in wanted for one in cluster]).records
    with open_ready(settings, clock) as warehouse:
        chosen = chosen_survivors(warehouse, name)
    pairs = []
    for cluster in wanted:
        clients = [client_of(present[one]) for one in cluster if one in present]
        if len(clients) > 1:
            by_hand = next((one for key in chosen for one in clients if one.id == key), None)
            survivor = by_hand or survivor_of(clients, rules.survivor)
            pairs += [(survivor.id, one.id) for one in clients if one.id != survivor.id]
    reason = "duplicates, by `dedupe plan`"
    return plan_merges(
        settings, name, door, pairs, allowed=allowed, rescue=rescue, public_notes=public_notes, reason=reason,
        clock=clock,
    )  # fmt: skip

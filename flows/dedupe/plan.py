"""Plan the merges of clusters: choose the client kept in each, and make a plan like that of any merges."""

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
    """Plan the merges of clusters that people decided are the same; with `undecided`, of undecided clusters too.

    A person's choice survives, else the client that the rules choose. Clients that have vanished meanwhile are left
    out. Raises SettingsError if there is no such cluster.
    """
    wanted = same_clusters(settings, name, clock)
    if undecided:
        wanted = [list(c.ids) for c in cases(settings, name, everything=True, clock=clock) if not not_the_same(c)]
    if not wanted:
        raise SettingsError(
            "No group of duplicates is decided to be the same. Run `ninja-sync dedupe review` first, or add "
            "--undecided-too."
        )
    present = read_present(door, [client_id for cluster in wanted for client_id in cluster]).records
    with open_ready(settings, clock) as warehouse:
        chosen = chosen_survivors(warehouse, name)
    pairs = []
    for cluster in wanted:
        clients = [client_of(present[client_id]) for client_id in cluster if client_id in present]
        if len(clients) > 1:
            by_hand = next((client for key in chosen for client in clients if client.id == key), None)
            survivor = by_hand or survivor_of(clients, rules.survivor)
            pairs += [(survivor.id, client.id) for client in clients if client.id != survivor.id]
    reason = "duplicates, by `dedupe plan`"
    return plan_merges(
        settings, name, door, pairs, allowed=allowed, rescue=rescue, public_notes=public_notes, reason=reason,
        clock=clock,
    )  # fmt: skip

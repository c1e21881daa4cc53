"""Clusters of duplicate clients. No cluster holds two clients that are unlike, even if a third one is like both.

Pairs alone chain: A is like B, B is like C, but A has nothing in common with C. So two clusters are joined only if
every client of one is like every client of the other (complete linkage). The most probable pairs come first. Two
clients in conflict, such as two valid VAT numbers, are in no cluster together. Decisions of people take precedence:
"same" puts two clients together, "never merge" keeps them apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Final

from schemas.errors import SettingsError
from warehouse.control.dedupe import NEVER_MERGE, SAME_AS, Pair, pair_of

FLOOR: Final = 0.5
"""Below this probability two clients are unlike, and no cluster holds both."""


def clusters(
    probable: Mapping[Pair, float],
    decided: Mapping[Pair, str],
    *,
    threshold: float,
    floor: float = FLOOR,
    conflicts: Set[Pair] = frozenset(),
) -> list[list[str]]:
    """Return the clusters, each of two ids or more in order, the largest cluster first. No client is in two of them.

    `probable` has the smaller id of each pair first. A pair at `threshold` or above makes a cluster. A pair below
    `floor`, missing from `probable`, or in `conflicts` keeps two clusters apart. Raises SettingsError if decisions
    contradict each other: two clients are the same, by way of others, and never to be merged.
    """
    apart = {pair for pair, decision in decided.items() if decision == NEVER_MERGE}
    same = sorted(pair for pair, decision in decided.items() if decision == SAME_AS)
    of: dict[str, set[str]] = {}
    for client, other in same:
        _join(of, client, other)
    for client, other in apart:
        if client in of and other in of[client]:
            raise SettingsError(
                f"Decisions contradict each other: by way of other clients, {client} and {other} are the same, but the "
                f"two are not to be merged. Decide again: `ninja-sync dedupe decide {client} {other} --same` or "
                "`--not-same`, or decide on the clients between them."
            )
    together = set(same)
    apart |= conflicts - together
    ranked = sorted((pair for pair, p in probable.items() if p >= threshold), key=lambda pair: (-probable[pair], pair))
    for client, other in ranked:
        left, right = of.get(client, {client}), of.get(other, {other})
        if left is right:
            continue
        cross = [pair_of(a, b) for a in left for b in right]
        if not apart.intersection(cross) and all(p in together or probable.get(p, 0) >= floor for p in cross):
            _join(of, client, other)
    groups = {id(members): sorted(members) for members in of.values() if len(members) > 1}
    return sorted(groups.values(), key=lambda ids: (-len(ids), ids))


def _join(of: dict[str, set[str]], client: str, other: str) -> None:
    joined = of.get(client, {client}) | of.get(other, {other})
    for member in joined:
        of[member] = joined

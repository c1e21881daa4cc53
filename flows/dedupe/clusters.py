"""Clusters of clients that are one, in which no two are unlike, whoever is like both.

Pairs alone chain: A is like B, B is like C, and A has nothing of C. So two clusters become one only where every client
of the one is like every client of the other (complete linkage), the most probable pairs first. Decisions of people go
before: clients that are the same are together, and clients that are never to be merged are in no cluster together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from schemas.errors import SettingsError
from warehouse.control.dedupe import NEVER_MERGE, SAME_AS, Pair, pair_of

FLOOR: Final = 0.05
"""Below that, two clients are unlike, and a cluster does not hold both."""


def clusters(
    probable: Mapping[Pair, float], decided: Mapping[Pair, str], *, threshold: float, floor: float = FLOOR
) -> list[list[str]]:
    """The clusters, each with its ids in order, the largest first; a client in at most one, and none alone.

    `probable` has pairs with the smaller id first. A pair above `threshold` makes a cluster; a pair that is not in it,
    or below `floor`, keeps two clusters apart. Raises SettingsError where people have decided what cannot be: that
    clients are the same, through others, and not to be merged.
    """
    never = {pair for pair, decision in decided.items() if decision == NEVER_MERGE}
    same = sorted(pair for pair, decision in decided.items() if decision == SAME_AS)
    of: dict[str, set[str]] = {}
    for one, other in same:
        _join(of, one, other)
    for one, other in never:
        if one in of and other in of[one]:
            raise SettingsError(
                f"The clients {one} and {other} are decided to be the same as others, and not to be merged: decide "
                f"anew (`ninja-sync dedupe decide {one} {other} --same` or `--not-same`, or of those between)."
            )
    together = set(same)
    ranked = sorted((pair for pair, p in probable.items() if p >= threshold), key=lambda pair: (-probable[pair], pair))
    for one, other in ranked:
        left, right = of.get(one, {one}), of.get(other, {other})
        if left is right:
            continue
        cross = [pair_of(a, b) for a in left for b in right]
        if not never.intersection(cross) and all(p in together or probable.get(p, 0) >= floor for p in cross):
            _join(of, one, other)
    found = {id(members): sorted(members) for members in of.values() if len(members) > 1}
    return sorted(found.values(), key=lambda ids: (-len(ids), ids))


def _join(of: dict[str, set[str]], one: str, other: str) -> None:
    joined = of.get(one, {one}) | of.get(other, {other})
    for member in joined:
        of[member] = joined

"""What people have decided, carried over to the clients that are there.

A client that was merged into another one lives on in it: what was decided of the one holds for the other, or a pair
that is never to be merged would be merged by way of a third client. Of clients that are gone nothing is left to obey.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from itertools import pairwise

from warehouse.control.dedupe import LATER, NEVER_MERGE, SAME_AS, Pair, pair_of


def carried(decided: Mapping[Pair, str], moved: Mapping[str, str], present: Set[str]) -> dict[Pair, str]:
    """The decisions of clients that are present, those of merged clients carried over to where they are now.

    `moved` says of a merged client which one it is in now. What was decided of a pair itself goes before what is
    carried over, and "never" before "same". Clients that were decided to be the same as one that is gone for ever are
    the same as each other.
    """
    own = {pair: decision for pair, decision in decided.items() if set(pair) <= present}
    found: dict[Pair, str] = {}
    beside: dict[str, list[str]] = {}
    for pair, decision in sorted(decided.items()):
        one, other = (moved.get(client, client) if client not in present else client for client in pair)
        if one == other or decision == LATER:
            continue
        if one in present and other in present:
            if found.get(pair_of(one, other)) != NEVER_MERGE:
                found[pair_of(one, other)] = decision
        elif decision == SAME_AS:
            beside.setdefault(one, []).append(other)
            beside.setdefault(other, []).append(one)
    for first, second in _through(beside, present):
        found.setdefault(pair_of(first, second), SAME_AS)
    return {**found, **own}


def _through(beside: Mapping[str, list[str]], present: Set[str]) -> list[Pair]:
    """Pairs of present clients between which only clients stand that are gone."""
    pairs: list[Pair] = []
    seen: set[str] = set()
    for gone in sorted(one for one in beside if one not in present):
        if gone in seen:
            continue
        left, ends = [gone], set[str]()
        while left:
            one = left.pop()
            if one in present:
                ends.add(one)
            elif one not in seen:
                seen.add(one)
                left += beside[one]
        ordered = sorted(ends)
        pairs += list(pairwise(ordered))
    return pairs

"""Carry people's decisions over to the clients that are present now.

A merged client lives on in the client kept, so decisions about the first hold for the second. Otherwise two clients
that are never to be merged could be merged by way of a third. Decisions about clients that are gone for good are
dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from itertools import pairwise

from warehouse.control.dedupe import LATER, NEVER_MERGE, SAME_AS, Pair, decisions_of, merged_into, pair_of
from warehouse.control.duplicate_decisions import carried_over
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement


def decided_now(warehouse: Warehouse, source: str) -> dict[Pair, str]:
    """Return the decisions about clients in the mirror, including those carried over."""
    decided, moved = decisions_of(warehouse, source), merged_into(warehouse, source)
    ids = {client_id for pair in decided for client_id in pair}
    ids |= {moved[client_id] for client_id in ids & moved.keys()}
    return carried(decided, moved, _present(warehouse, source, ids))


def inherited(warehouse: Warehouse, source: str) -> dict[Pair, str]:
    """Return only the decisions carried over from clients that are not in the mirror, without reading all others.

    A decision about the pair itself, if there is one, beats the one returned here.
    """
    decided = carried_over(warehouse, source)
    if not decided:
        return {}
    moved = merged_into(warehouse, source)
    ids = {client_id for pair in decided for client_id in pair}
    ids |= {moved[client_id] for client_id in ids & moved.keys()}
    return carried(decided, moved, _present(warehouse, source, ids))


def _present(warehouse: Warehouse, source: str, ids: Set[str]) -> set[str]:
    rows = warehouse.rows(statement("dedupe/present"), {"source": source, "ids": sorted(ids)})
    return {str(client_id) for (client_id,) in rows}


def carried(decided: Mapping[Pair, str], moved: Mapping[str, str], present: Set[str]) -> dict[Pair, str]:
    """Return the decisions about present clients, including those carried over from clients merged into them.

    `moved` maps each merged client to the client it is part of now. A decision about the pair itself beats one that is
    carried over, and "never" beats "same". Clients that are each the same as one that is gone for good are the same as
    each other.
    """
    own = {pair: decision for pair, decision in decided.items() if set(pair) <= present}
    inherited: dict[Pair, str] = {}
    beside: dict[str, list[str]] = {}
    for pair, decision in sorted(decided.items()):
        client, other = (moved.get(key, key) if key not in present else key for key in pair)
        if client == other or decision == LATER:
            continue
        if client in present and other in present:
            if inherited.get(pair_of(client, other)) != NEVER_MERGE:
                inherited[pair_of(client, other)] = decision
        elif decision == SAME_AS:
            beside.setdefault(client, []).append(other)
            beside.setdefault(other, []).append(client)
    for first, second in _through(beside, present):
        inherited.setdefault(pair_of(first, second), SAME_AS)
    return {**inherited, **own}


def _through(beside: Mapping[str, list[str]], present: Set[str]) -> list[Pair]:
    """Return the pairs of present clients that are linked through absent clients only."""
    pairs: list[Pair] = []
    seen: set[str] = set()
    for gone in sorted(client for client in beside if client not in present):
        if gone in seen:
            continue
        left, ends = [gone], set[str]()
        while left:
            client = left.pop()
            if client in present:
                ends.add(client)
            elif client not in seen:
                seen.add(client)
                left += beside[client]
        ordered = sorted(ends)
        pairs += list(pairwise(ordered))
    return pairs

"""The keys of which one alone proves something, whatever the model says of the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from flows.dedupe.comparable import Comparable
from warehouse.control.dedupe import Pair, pair_of

KEYS: Final = ("vat_number", "id_number", "emails", "phones")
PROVES: Final = {"vat_number": 0.9}
"""What each proves unless told otherwise. One VAT number is one company by law, also under another name.

A register number is unique in one register only, an accountant's mail address and an office's phone are shared by many:
what they say depends on the rest, so it is the model's to say.
"""
KEY_HOLDERS: Final = 12
"""Clients that share a key; what more of them share (a placeholder, an accountant's address) proves nothing."""


def proved(clients: Iterable[Comparable], least: Mapping[str, float]) -> dict[Pair, float]:
    """The pairs that share a key, with the most that one of their keys proves."""
    holders: dict[tuple[str, str], list[str]] = defaultdict(list)
    for client in clients:
        for key in least:
            for value in values_of(client, key):
                holders[key, value].append(client.id)
    found: dict[Pair, float] = {}
    for (key, _), ids in holders.items():
        if len(ids) <= KEY_HOLDERS and least[key] > 0:
            for place, one in enumerate(ids):
                for other in ids[place + 1 :]:
                    pair = pair_of(one, other)
                    found[pair] = max(least[key], found.get(pair, 0.0))
    return found


def values_of(client: Comparable, key: str) -> tuple[str, ...]:
    """What a client has of a key: none, one, or several."""
    found = getattr(client, key)
    return found if isinstance(found, tuple) else (found,) if found else ()

"""Keys that prove something on their own, whatever the model says about the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from flows.dedupe.comparable import Comparable
from warehouse.control.dedupe import Pair, pair_of

KEYS: Final = ("vat_number", "id_number", "emails", "phones")
PROVES: Final = {"vat_number": 0.9}
"""The default probability for a key. By law, one VAT number is one company, even under another name.

A register number is unique in one register only, and many clients may share an accountant's mail address or an office's
phone. Their weight depends on the rest, so the model decides.
"""
KEY_HOLDERS: Final = 12
"""The most clients that may share a key; one that more of them share, such as a placeholder, proves nothing."""


def proved(clients: Iterable[Comparable], least: Mapping[str, float]) -> dict[Pair, float]:
    """Return the pairs that share a key, each with the highest probability among its keys."""
    holders: dict[tuple[str, str], list[str]] = defaultdict(list)
    for client in clients:
        for key in least:
            for value in values_of(client, key):
                holders[key, value].append(client.id)
    pairs: dict[Pair, float] = {}
    for (key, _), ids in holders.items():
        if len(ids) <= KEY_HOLDERS and least[key] > 0:
            for place, client_id in enumerate(ids):
                for other in ids[place + 1 :]:
                    pair = pair_of(client_id, other)
                    pairs[pair] = max(least[key], pairs.get(pair, 0.0))
    return pairs


def values_of(client: Comparable, key: str) -> tuple[str, ...]:
    """Return a client's values of a key: none, one, or several."""
    value = getattr(client, key)
    return value if isinstance(value, tuple) else (value,) if value else ()

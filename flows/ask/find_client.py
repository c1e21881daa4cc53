"""Find the client that a person means by its number, id, name or e-mail address, clients that vanished included.

Numbers are texts: 0012 is not 12. Names and addresses are compared whole, in any case of letters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Final

from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

KEYS: Final = ("number", "id", "name", "email")
"""What a text may be, in the order in which it is tried."""
MOST_NEAR: Final = 5
LEAST_ALIKE: Final = 0.5
"""The least likeness of a name to suggest it, of 1."""


@dataclass(frozen=True, slots=True)
class Found:
    """A client. `kind` is None if it is present; else merged, purged, gone, or in quarantine if it was never stored.

    `status` of a present client is active, archived or deleted.
    """

    source: str
    id: str
    number: str | None
    name: str | None = field(repr=False)
    kind: str | None = None
    status: str | None = None

    @property
    def state(self) -> str:
        """The kind of a client that vanished, else its status."""
        return self.kind or self.status or ""


def find_clients(warehouse: Warehouse, text: str, source: str | None) -> list[Found]:
    """Return the clients that a text means, by the first of KEYS that fits any.

    A client that vanished counts only if no present client of its source fits.
    """
    wanted = text.strip()
    fitting: dict[str, dict[tuple[str, str], Found]] = {key: {} for key in KEYS}
    for row in warehouse.rows(statement("client/found"), {"who": wanted}):
        own, client_id, number, display_name, name, email, kind, status = (None if v is None else str(v) for v in row)
        if source not in (None, own):
            continue
        client = Found(str(own), str(client_id), number, display_name, kind, status)
        for key in _keys(wanted, client_id, number, (display_name, name), email):
            fitting[key].setdefault((client.source, client.id), client)
    found = next((list(clients.values()) for clients in fitting.values() if clients), [])
    present = {client.source for client in found if client.kind is None}
    return [client for client in found if client.kind is None or client.source not in present]


def near_clients(warehouse: Warehouse, text: str, source: str | None) -> tuple[list[Found], int]:
    """Return the present clients whose number or name is most like a text that no client has, and how many are like it.

    The most alike come first, and no more than MOST_NEAR.
    """
    wanted = text.strip().casefold()
    pairs = _pairs(wanted)
    rows = [
        Found(str(own), str(client_id), number, name, status=status)
        for own, client_id, number, name, status in (
            (None if value is None else str(value) for value in row)
            for row in warehouse.rows(statement("client/names"), {"source": source})
        )
    ]
    marked = [(mark, client) for client in rows if (mark := _likeness(wanted, pairs, client)) >= LEAST_ALIKE]
    best = nlargest(MOST_NEAR, marked, key=lambda pair: pair[0])
    return [client for _, client in best], len(marked)


def _keys(
    wanted: str, client_id: str | None, number: str | None, names: Sequence[str | None], email: str | None
) -> list[str]:
    small = wanted.casefold()
    fits: Mapping[str, bool] = {
        "number": number == wanted,
        "id": client_id == wanted,
        "name": any(name is not None and name.casefold() == small for name in names),
        "email": email is not None and email.casefold() == small,
    }
    return [key for key, fit in fits.items() if fit]


def _likeness(wanted: str, pairs: set[str], client: Found) -> float:
    number, name = (client.number or "").casefold(), (client.name or "").casefold()
    if wanted.lstrip("0") and number.lstrip("0") == wanted.lstrip("0"):
        return 2
    if len(wanted) > 2 and wanted in name:  # noqa: PLR2004 - two letters are in too many names
        return 1 + len(wanted) / len(name)
    return max(_alike(pairs, number), _alike(pairs, name))


def _alike(pairs: set[str], other: str) -> float:
    """Return the share of pairs of letters that two texts have in common (Dice)."""
    others = _pairs(other)
    return 2 * len(pairs & others) / (len(pairs) + len(others)) if pairs and others else 0


def _pairs(text: str) -> set[str]:
    return {text[place : place + 2] for place in range(len(text) - 1)}

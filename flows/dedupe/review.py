"""Review duplicates: one group at a time, the clients side by side, with differences and reasons.

This module does not know how a group is shown: in a terminal (`flows.cli.dedupe`), or in a browser (`flows.desk`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from flows.configuration.values import Settings
from flows.dedupe.decisions import decided_now
from flows.merge.survivor import DEFAULT, in_words, survivor_of, why
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.ready import open_ready
from schemas.client import Client, client_of
from schemas.extras import needs
from warehouse.control.dedupe import (
    LATER,
    NEVER_MERGE,
    SAME_AS,
    FoundPair,
    Pair,
    chosen_survivors,
    known_clusters,
    known_pairs,
    pair_of,
)
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

with needs("dedupe"):
    from anyascii import anyascii

SHOWN: Final = (
    "number", "display_name", "status", "currency_code", "balance", "paid_to_date", "vat_number", "id_number",
    "website", "phone", "address1", "city", "postal_code", "country", "created_at", "updated_at", "contacts",
)  # fmt: skip
"""The fields shown of each client, in this order; `contacts` stand below each other."""
TELLING: Final = (
    "display_name", "currency_code", "vat_number", "id_number", "website", "phone", "address1", "city", "postal_code",
    "country", "contacts",
)  # fmt: skip
"""Fields that count when comparing two clients. A difference in others, such as the balance, means nothing."""
PHONE_DIGITS: Final = 8
"""The number of last digits of a phone that are the same with and without its country's prefix."""


@dataclass(frozen=True, slots=True)
class Line:
    """One field of all clients in a case.

    `differs` means that the values disagree, `missing` that only some clients have a value. Both are set only for
    fields that show whether the clients are the same.
    """

    name: str
    values: Sequence[object] = field(repr=False)
    differs: bool = False
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """A cluster to decide on: its clients' ids, their fields side by side, and its pairs with their reasons.

    `kept` is the client that would survive a merge, and `why` is the rule that chose it. A case of two clients that no
    cluster holds is `less_likely`.
    """

    ids: Sequence[str]
    lines: Sequence[Line] = field(repr=False)
    pairs: Sequence[FoundPair] = ()
    decided: Mapping[Pair, str] = field(default_factory=dict)
    kept: str = ""
    why: str = ""
    less_likely: bool = False

    def called(self, client_id: str) -> str:
        """Return a client of the case as people know it: number and name."""
        place = self.ids.index(client_id)
        values = {line.name: line.values[place] for line in self.lines}
        return " ".join(str(values[name]) for name in ("number", "display_name") if values.get(name)) or client_id

    @property
    def is_open(self) -> bool:
        """Whether any of its pairs is undecided or was put off."""
        return any(self.decided.get(pair, LATER) == LATER for pair in pairs_in(self.ids))

    @property
    def is_same(self) -> bool:
        """Whether people decided that all its pairs are the same."""
        return all(self.decided.get(pair) == SAME_AS for pair in pairs_in(self.ids))

    @property
    def state(self) -> str:
        """Its state as in `groups.STATES`."""
        decisions = [self.decided.get(pair) for pair in pairs_in(self.ids)]
        if None in decisions:
            return "undecided"
        return "later" if LATER in decisions else "not_same" if NEVER_MERGE in decisions else "same"

    @property
    def conflicts(self) -> list[FoundPair]:
        """Return its pairs in conflict, which no program may merge."""
        return [pair for pair in self.pairs if pair.in_conflict]


def pairs_in(ids: Sequence[str]) -> list[Pair]:
    """Return all pairs of clients in a cluster."""
    return [pair_of(a, b) for n, a in enumerate(ids) for b in ids[n + 1 :]]


def cases(
    settings: Settings,
    name: str,
    *,
    everything: bool = False,
    rules: Sequence[str] = DEFAULT,
    clock: Clock = SYSTEM_CLOCK,
) -> list[Case]:
    """Return the undecided clusters of the last run, the most probable first; with `everything`, all clusters.

    `rules` choose the client that would be kept, unless a person has chosen one.
    """
    with open_ready(settings, clock) as warehouse:
        clusters, pairs = known_clusters(warehouse, name), known_pairs(warehouse, name)
        made = cases_of(warehouse, name, clusters, pairs, rules, decided_now(warehouse, name))
    wanted = [case for case in made if everything or case.is_open]
    return sorted(wanted, key=lambda case: -max((pair.probability for pair in case.pairs), default=0.0))


def cases_of(
    warehouse: Warehouse,
    name: str,
    groups: Sequence[Sequence[str]],
    pairs: Sequence[FoundPair],
    rules: Sequence[str],
    decided: Mapping[Pair, str],
    chosen: Sequence[str] | None = None,
) -> list[Case]:
    """Return a case for each group of ids if two or more are in the mirror; `pairs` are all that were found.

    `decided` and `chosen` are what people have decided about these clients, and whom they chose to keep.
    """
    everybody = sorted({client_id for group in groups for client_id in group})
    records, clients = _records(warehouse, name, everybody), mirrored(warehouse, name, everybody)
    chosen = chosen_survivors(warehouse, name) if chosen is None else chosen
    known = {(pair.id_a, pair.id_b): pair for pair in pairs}
    made = []
    for group in groups:
        ids = [client_id for client_id in group if client_id in records]
        if len(ids) > 1:
            inside = sorted((known[pair] for pair in pairs_in(ids) if pair in known), key=lambda p: -p.probability)
            kept, reason = _kept([clients[client_id] for client_id in ids if client_id in clients], chosen, rules)
            made.append(Case(ids, _lines([records[client_id] for client_id in ids]), inside, decided, kept, reason))
    return made


def _records(warehouse: Warehouse, name: str, ids: Sequence[str]) -> dict[str, dict[str, object]]:
    columns, rows = warehouse.answer(statement("dedupe/side_by_side"), {"source": name, "ids": list(ids)})
    records = {str(row[0]): dict(zip(columns, row, strict=True)) for row in rows}
    people: dict[str, list[str]] = {}
    for client_id, *texts in warehouse.rows(statement("dedupe/people"), {"source": name, "ids": list(ids)}):
        people.setdefault(str(client_id), []).append(" ".join(str(text) for text in texts if text))
    return {key: {**record, "contacts": people.get(key, [])} for key, record in records.items()}


def mirrored(warehouse: Warehouse, name: str, ids: Sequence[str]) -> dict[str, Client]:
    """Return the clients from the mirror, by id."""
    rows = warehouse.rows(statement("dedupe/records"), {"source": name, "ids": list(ids)})
    return {str(client_id): client_of(json.loads(str(record), parse_float=Decimal)) for client_id, record in rows}


def _kept(clients: Sequence[Client], chosen: Sequence[str], rules: Sequence[str]) -> tuple[str, str]:
    """Return the client that would be kept, and why."""
    if not clients:
        return "", ""
    by_hand = next((client for key in chosen for client in clients if client.id == key), None)
    if by_hand is not None:
        return by_hand.id, "chosen by a person"
    kept = survivor_of(clients, rules)
    return kept.id, in_words(why(kept, clients, rules))


def _lines(records: Sequence[Mapping[str, object]]) -> list[Line]:
    made = []
    for name in SHOWN:
        values = [record.get(name) for record in records]
        said = [value for value in values if value not in (None, "", [])]
        if said:
            forms = {_form(name, value) for value in said}
            telling = name in TELLING
            made.append(Line(name, values, telling and len(forms) > 1, telling and len(said) < len(values)))
    return made


def _form(name: str, value: object) -> object:
    """Return a value without differences that the eye ignores: case, blanks, signs, a phone's prefix."""
    if isinstance(value, list):
        return frozenset(_form(name, item) for item in value)
    if name == "phone":
        return re.sub(r"[^0-9]", "", str(value))[-PHONE_DIGITS:]
    return re.sub(r"[\W_]+", "", anyascii(str(value)).casefold()) or str(value)

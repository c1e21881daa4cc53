"""Review duplicates: one group at a time, the clients side by side, with differences and reasons.

This module does not know how a group is shown: today in a terminal, later perhaps in a browser.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from flows.configuration.values import Settings
from flows.dedupe.decisions import decided_now
from flows.merge.survivor import DEFAULT, survivor_of, why
from flows.plans.client_keys import keys_of_mirror
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.operator import operator
from flows.session.ready import open_ready
from schemas.client import Client, client_of
from schemas.errors import SettingsError
from schemas.extras import needs
from warehouse.control.dedupe import (
    DECISIONS,
    LATER,
    NEVER_MERGE,
    SAME_AS,
    FoundPair,
    Pair,
    choose_survivor,
    chosen_survivors,
    decide,
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
        made = cases_of(warehouse, name, known_clusters(warehouse, name), known_pairs(warehouse, name), rules)
    wanted = [case for case in made if everything or case.is_open]
    return sorted(wanted, key=lambda case: -max((pair.probability for pair in case.pairs), default=0.0))


def cases_of(
    warehouse: Warehouse,
    name: str,
    groups: Sequence[Sequence[str]],
    pairs: Sequence[FoundPair],
    rules: Sequence[str],
) -> list[Case]:
    """Return a case for each group of ids if two or more are in the mirror; `pairs` are all that were found."""
    everybody = sorted({client_id for group in groups for client_id in group})
    records, clients = _records(warehouse, name, everybody), mirrored(warehouse, name, everybody)
    decided, chosen = decided_now(warehouse, name), chosen_survivors(warehouse, name)
    known = {(pair.id_a, pair.id_b): pair for pair in pairs}
    made = []
    for group in groups:
        ids = [client_id for client_id in group if client_id in records]
        if len(ids) > 1:
            inside = sorted((known[pair] for pair in pairs_in(ids) if pair in known), key=lambda p: -p.probability)
            kept, reason = _kept([clients[client_id] for client_id in ids if client_id in clients], chosen, rules)
            made.append(Case(ids, _lines([records[client_id] for client_id in ids]), inside, decided, kept, reason))
    return made


def decide_case(
    settings: Settings, name: str, case: Case, decision: str, *, reason: str = "", clock: Clock = SYSTEM_CLOCK
) -> int:
    """Make one decision about all pairs of a case; return the number of pairs."""
    return decide_pairs(settings, name, [(pair, decision, reason) for pair in pairs_in(case.ids)], clock=clock)


def decide_pairs(
    settings: Settings, name: str, decisions: Sequence[tuple[Pair, str, str]], *, clock: Clock = SYSTEM_CLOCK
) -> int:
    """Note decisions as (pair, decision, reason), all or none. Raises SettingsError for an invalid decision."""
    for pair, decision, _ in decisions:
        if decision not in DECISIONS:
            raise SettingsError(f"A decision is one of {', '.join(DECISIONS)}, not {decision!r}.")
        if not all(pair):
            raise SettingsError("A decision is about two clients.")
    with open_ready(settings, clock) as warehouse, warehouse.transaction():
        ids = _ids(warehouse, name, {text for pair, _, _ in decisions for text in pair})
        for (one, other), decision, reason in decisions:
            pair = pair_of(ids[one], ids[other])
            if pair[0] == pair[1]:
                raise SettingsError("A decision is about two clients.")
            decide(warehouse, name, pair, decision, author=operator(), reason=reason, now=clock.now())
    return len(decisions)


def choose(settings: Settings, name: str, client_id: str, *, reason: str = "", clock: Clock = SYSTEM_CLOCK) -> None:
    """Note that a client is to survive the merges of its cluster, whatever the rules choose."""
    if not client_id:
        raise SettingsError("Name the client to keep.")
    with open_ready(settings, clock) as warehouse:
        kept = _ids(warehouse, name, {client_id})[client_id]
        choose_survivor(warehouse, name, kept, author=operator(), reason=reason, now=clock.now())


def _ids(warehouse: Warehouse, name: str, texts: Set[str]) -> dict[str, str]:
    """Return the id that each text means: the number or id of a client, or the id of one that was merged or purged.

    Raises SettingsError for a text that means no client, or two.
    """
    keys = keys_of_mirror(warehouse, name)
    meant = {text: keys.find_by_number_or_id(text) for text in texts}
    if unclear := next((f"{text!r}: {client.unclear}" for text, client in meant.items() if client.unclear), None):
        raise SettingsError(f"{unclear}. Nothing was noted; use the id.")
    ids = {text: client.client_id or text for text, client in meant.items()}
    rows = warehouse.rows(statement("dedupe/known"), {"source": name, "ids": sorted(ids.values())})
    known = {str(client_id) for (client_id,) in rows}
    if unknown := sorted(text for text, client_id in ids.items() if client_id not in known):
        raise SettingsError(
            f"There is no client {unknown[0]!r} in the source {name!r}. Nothing was noted. `ninja-sync dedupe list` "
            "shows numbers and ids."
        )
    return ids


def not_the_same(case: Case) -> bool:
    """Whether a person decided that any of its pairs is never to be merged."""
    return any(case.decided.get(pair) == NEVER_MERGE for pair in pairs_in(case.ids))


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
    return kept.id, why(kept, clients, rules).replace("_", " ")


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

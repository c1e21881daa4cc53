"""What a person looks at to decide: one group of duplicates at a time, side by side, with differences and reasons.

It knows nothing of how it is shown: a terminal does today, a page in the browser may later.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from flows.configuration.values import Settings
from flows.merge.survivor import DEFAULT, survivor_of, why
from flows.session.api import operator
from flows.session.clock import SYSTEM_CLOCK, Clock
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
    decisions_of,
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
"""What is shown of each client, in this order; `contacts` stand below each other."""
TELLING: Final = (
    "display_name", "currency_code", "vat_number", "id_number", "website", "phone", "address1", "city", "postal_code",
    "country", "contacts",
)  # fmt: skip
"""Fields that say whether two clients are one: a difference in another one, such as the balance, says nothing."""
PHONE_DIGITS: Final = 8
"""The last digits of a phone, which are the same with and without the prefix of its country."""


@dataclass(frozen=True, slots=True)
class Line:
    """One field of all clients of a case.

    `differs` says that those which have a value do not agree, `missing` that some have a value and some have none; both
    only of fields that tell whether the clients are one.
    """

    name: str
    values: Sequence[object] = field(repr=False)
    differs: bool = False
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """A cluster to decide on: its clients' ids, their fields side by side, and its pairs with their reasons.

    `kept` is the client that would survive the merge, and `why` the rule that chose it.
    """

    ids: Sequence[str]
    lines: Sequence[Line] = field(repr=False)
    pairs: Sequence[FoundPair] = ()
    decided: Mapping[Pair, str] = field(default_factory=dict)
    kept: str = ""
    why: str = ""

    def called(self, client_id: str) -> str:
        """How people know a client of the case: its number and its name."""
        place = self.ids.index(client_id)
        found = {line.name: line.values[place] for line in self.lines}
        return " ".join(str(found[name]) for name in ("number", "display_name") if found.get(name)) or client_id

    @property
    def is_open(self) -> bool:
        """Whether a pair in it is still to be decided; one that was put off is."""
        pairs = [pair_of(a, b) for n, a in enumerate(self.ids) for b in self.ids[n + 1 :]]
        return any(self.decided.get(pair, LATER) == LATER for pair in pairs)


def cases(
    settings: Settings,
    name: str,
    *,
    everything: bool = False,
    rules: Sequence[str] = DEFAULT,
    clock: Clock = SYSTEM_CLOCK,
) -> list[Case]:
    """The clusters of the last run that are not decided yet, the most probable first; all of them with `everything`.

    `rules` choose the client that would be kept, unless somebody has chosen one.
    """
    with open_ready(settings, clock) as warehouse:
        found, pairs, decided = (
            known_clusters(warehouse, name),
            known_pairs(warehouse, name),
            decisions_of(warehouse, name),
        )
        everybody = [one for cluster in found for one in cluster]
        records = _records(warehouse, name, everybody)
        clients = _clients(warehouse, name, everybody)
        chosen = chosen_survivors(warehouse, name)
    made = []
    for cluster in found:
        ids = [one for one in cluster if one in records]
        if len(ids) > 1:
            inside = [pair for pair in pairs if {pair.id_a, pair.id_b} <= set(ids)]
            kept, reason = _kept([clients[one] for one in ids if one in clients], chosen, rules)
            case = Case(ids, _lines([records[one] for one in ids]), inside, decided, kept, reason)
            if everything or case.is_open:
                made.append(case)
    return sorted(made, key=lambda case: -max((pair.probability for pair in case.pairs), default=0.0))


def decide_case(
    settings: Settings, name: str, case: Case, decision: str, *, reason: str = "", clock: Clock = SYSTEM_CLOCK
) -> int:
    """Decide the same of all pairs of a case; how many that were."""
    pairs = [pair_of(a, b) for n, a in enumerate(case.ids) for b in case.ids[n + 1 :]]
    return decide_pairs(settings, name, [(pair, decision, reason) for pair in pairs], clock=clock)


def decide_pairs(
    settings: Settings, name: str, decisions: Sequence[tuple[Pair, str, str]], *, clock: Clock = SYSTEM_CLOCK
) -> int:
    """Note decisions of (pair, decision, reason), all or none. Raises SettingsError for what is no decision."""
    for pair, decision, _ in decisions:
        if decision not in DECISIONS:
            raise SettingsError(f"A decision is one of {', '.join(DECISIONS)}, not {decision!r}.")
        if pair[0] == pair[1] or not all(pair):
            raise SettingsError("A decision is about two clients.")
    with open_ready(settings, clock) as warehouse, warehouse.transaction():
        _check_known(warehouse, name, {one for pair, _, _ in decisions for one in pair})
        for pair, decision, reason in decisions:
            decide(warehouse, name, pair, decision, author=operator(), reason=reason, now=clock.now())
    return len(decisions)


def choose(settings: Settings, name: str, client_id: str, *, reason: str = "", clock: Clock = SYSTEM_CLOCK) -> None:
    """Note that a client is to survive the merges of its cluster, whatever the rules say."""
    if not client_id:
        raise SettingsError("Name the client that is to survive.")
    with open_ready(settings, clock) as warehouse:
        _check_known(warehouse, name, {client_id})
        choose_survivor(warehouse, name, client_id, author=operator(), reason=reason, now=clock.now())


def _check_known(warehouse: Warehouse, name: str, ids: Set[str]) -> None:
    """Raises SettingsError for an id that is, and was, no client of the source."""
    known = {str(one) for (one,) in warehouse.rows(statement("dedupe/known"), {"source": name, "ids": sorted(ids)})}
    if unknown := sorted(ids - known):
        raise SettingsError(
            f"There is no client {unknown[0]!r} in the source {name!r}. Nothing was noted; ids are those of "
            "mart.clients."
        )


def same_clusters(settings: Settings, name: str, clock: Clock = SYSTEM_CLOCK) -> list[list[str]]:
    """The clusters of the last run of which somebody has decided that they are the same, all pairs of them."""
    return [
        list(case.ids)
        for case in cases(settings, name, everything=True, clock=clock)
        if all(case.decided.get(pair_of(a, b)) == SAME_AS for n, a in enumerate(case.ids) for b in case.ids[n + 1 :])
    ]


def not_the_same(case: Case) -> bool:
    """Whether somebody has decided of a pair in it that it is never to be merged."""
    return any(
        case.decided.get(pair_of(a, b)) == NEVER_MERGE for n, a in enumerate(case.ids) for b in case.ids[n + 1 :]
    )


def _records(warehouse: Warehouse, name: str, ids: Sequence[str]) -> dict[str, dict[str, object]]:
    columns, rows = warehouse.answer(statement("dedupe/side_by_side"), {"source": name, "ids": list(ids)})
    found = {str(row[0]): dict(zip(columns, row, strict=True)) for row in rows}
    people: dict[str, list[str]] = {}
    for client_id, *told in warehouse.rows(statement("dedupe/people"), {"source": name, "ids": list(ids)}):
        people.setdefault(str(client_id), []).append(" ".join(str(one) for one in told if one))
    return {key: {**record, "contacts": people.get(key, [])} for key, record in found.items()}


def _clients(warehouse: Warehouse, name: str, ids: Sequence[str]) -> dict[str, Client]:
    """The clients as the mirror has them, by id."""
    found = warehouse.rows(statement("dedupe/records"), {"source": name, "ids": list(ids)})
    return {str(client_id): client_of(json.loads(str(record), parse_float=Decimal)) for client_id, record in found}


def _kept(clients: Sequence[Client], chosen: Sequence[str], rules: Sequence[str]) -> tuple[str, str]:
    """The client that would be kept, and why."""
    if not clients:
        return "", ""
    by_hand = next((one for key in chosen for one in clients if one.id == key), None)
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
    """A value in the form in which two are compared by eye: case, blanks, signs and a phone's prefix say nothing."""
    if isinstance(value, list):
        return frozenset(_form(name, one) for one in value)
    if name == "phone":
        return re.sub(r"[^0-9]", "", str(value))[-PHONE_DIGITS:]
    return re.sub(r"[\W_]+", "", anyascii(str(value)).casefold()) or str(value)

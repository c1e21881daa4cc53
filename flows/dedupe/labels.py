"""Decisions of people as labels to learn from: the levels that each pair reached when a person decided on it.

A client that was merged since is gone from the mirror, and the one it went into has its values too. So both are taken
from the history, as they were at the decision. Else every "the same" that was merged would be lost, and only "not the
same" would be left to learn from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pyarrow as pa

from flows.configuration.values import Settings
from flows.dedupe.comparable import Comparable, comparable
from flows.dedupe.fit import design
from flows.dedupe.levels import COMPARISONS
from flows.dedupe.model import kind_of
from flows.dedupe.pairs import levels_between, prepared
from flows.dedupe.rules import Rules
from flows.dedupe.working import working_folder
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.ready import open_ready
from schemas.client import client_of
from schemas.errors import SyncError
from warehouse.control.dedupe import NEVER_MERGE, SAME_AS, Pair, read_clients
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

APART: Final = timedelta(minutes=1)
"""How far the server's clock, which ends versions, may be behind ours, which decisions have. It counts seconds."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Decided pairs: the steps of each (`fit.design`), 1 for the same, and when a person decided.

    `groups` numbers the pairs that share clients. `in_conflict` pairs have hard conflicts: no weight decides on them.
    `lost` counts the decisions whose clients are not known any more.
    """

    kind: str
    steps: np.ndarray = field(repr=False)
    same: np.ndarray = field(repr=False)
    decided_at: Sequence[datetime] = field(repr=False)
    groups: np.ndarray = field(repr=False)
    in_conflict: np.ndarray = field(repr=False)
    lost: int = 0

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.same)


def labels_of(settings: Settings, name: str, rules: Rules, clock: Clock = SYSTEM_CLOCK) -> Labels:
    """Return the labels of a source. The warehouse is closed while levels are computed."""
    with open_ready(settings, clock) as warehouse:
        decided = _decided(warehouse, name)
        rows = {str(row["id"]): row for row in read_clients(warehouse, name, deleted=False)}
        ids = {client_id for pair in decided for client_id in pair}
        if ids - rows.keys():
            deleted = read_clients(warehouse, name, deleted=True)
            rows |= {str(row["id"]): row for row in deleted if str(row["id"]) in ids}
        then = _as_decided(warehouse, name, decided, rows.keys())
    clients = [_comparable(row, rules) for row in ({**rows, **then}).values()]
    with working_folder(settings) as folder, prepared(clients, folder) as connection:
        kind, levels = kind_of(connection), levels_between(connection, list(decided))
    return _labels(kind, levels, decided)


def _labels(kind: str, levels: pa.Table, decided: Mapping[Pair, tuple[bool, datetime]]) -> Labels:
    pairs = list(zip(levels["id_l"].to_pylist(), levels["id_r"].to_pylist(), strict=True))
    return Labels(
        kind, design(levels), np.array([decided[pair][0] for pair in pairs], float),
        [decided[pair][1] for pair in pairs], groups_of(pairs), conflicts_of(levels), len(decided) - len(pairs),
    )  # fmt: skip


def _decided(warehouse: Warehouse, name: str) -> dict[Pair, tuple[bool, datetime]]:
    """Return whether each decided pair is the same, and when the newest decision was made."""
    return {
        (str(a), str(b)): (decision == SAME_AS, decided_at)
        for a, b, decision, _, _, decided_at in warehouse.rows(statement("dedupe/decisions"), {"source": name})
        if decision in (SAME_AS, NEVER_MERGE) and isinstance(decided_at, datetime)
    }


def _as_decided(
    warehouse: Warehouse, name: str, decided: Mapping[Pair, tuple[bool, datetime]], present: Any
) -> dict[str, dict[str, Any]]:
    """Return the clients of pairs with an absent client as they were at the last decision about them."""
    moments: dict[str, datetime] = {}
    for pair, (_, decided_at) in decided.items():
        if not all(client_id in present for client_id in pair):
            moments |= {client_id: max(decided_at, moments.get(client_id, decided_at)) for client_id in pair}
    countries = {
        str(key): code
        for key, code in warehouse.rows("select id, iso_3166_2 from ninja.countries where source = $s", {"s": name})
    }
    found: dict[str, dict[str, Any]] = {}
    for key, ended_at, record in warehouse.rows(statement("dedupe/versions"), {"source": name, "ids": sorted(moments)}):
        client_id = str(key)
        if client_id not in found and isinstance(ended_at, datetime) and ended_at > moments[client_id] - APART:
            try:
                found[client_id] = _row(str(record), countries)
            except SyncError:
                continue  # `retention` has emptied the record
    return found


def _row(record: str, countries: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a record, as `read_clients` has them."""
    client = client_of(json.loads(record, parse_float=Decimal))
    contacts = sorted(client.contacts, key=lambda contact: not contact.is_primary)
    return {
        "id": client.id, "name": client.name, "vat_number": client.vat_number, "id_number": client.id_number,
        "website": client.website, "address1": client.address1, "city": client.city,
        "postal_code": client.postal_code, "country": countries.get(client.country_id or ""),
        "emails": [contact.email for contact in contacts],
        "phones": [client.phone, *(contact.phone for contact in contacts)],
        "persons": [f"{contact.first_name or ''} {contact.last_name or ''}".strip() for contact in contacts],
    }  # fmt: skip


def _comparable(row: Mapping[str, Any], rules: Rules) -> Comparable:
    columns = ("id", "name", "vat_number", "id_number", "emails", "phones", "persons", "website", "city", "postal_code")
    values = {column: row[column] for column in columns}
    return comparable(**values, country=row["country"], address=row["address1"], free=rules.free_mail)


def groups_of(pairs: Sequence[Pair]) -> np.ndarray:
    """Number the pairs so that two pairs with a client in common, or by way of others, have the same number."""
    of: dict[str, set[str]] = {}
    for a, b in pairs:
        joined = of.get(a, {a}) | of.get(b, {b})
        for client_id in joined:
            of[client_id] = joined
    firsts = [min(of[a]) for a, _ in pairs]
    numbers = {first: number for number, first in enumerate(sorted(set(firsts)))}
    return np.array([numbers[first] for first in firsts], int)


def conflicts_of(levels: pa.Table) -> np.ndarray:
    """Return whether each pair has a hard conflict."""
    found = np.zeros(levels.num_rows, bool)
    for comparison in COMPARISONS:
        found |= np.isin(levels[comparison.name].to_numpy(), comparison.hard)
    return found

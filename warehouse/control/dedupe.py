"""Duplicates in the warehouse: the values to compare clients by, the pairs and clusters found, the decisions made."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from warehouse.control.state import read_erased
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

NEVER_MERGE: Final = "never_merge"
SAME_AS: Final = "same_as"
LATER: Final = "later"
DECISIONS: Final = (NEVER_MERGE, SAME_AS, LATER)
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class FoundPair:
    """Two clients that may be the same, the smaller id first, with the probability and the reasons for and against.

    Two clients in conflict contradict each other, as by two valid VAT numbers. No program may merge them.
    """

    id_a: str
    id_b: str
    probability: float
    keys: Sequence[str] = ()
    reasons: Sequence[str] = field(default=(), repr=False)
    against: Sequence[str] = field(default=(), repr=False)
    in_conflict: bool = False


def pair_of(a: str, b: str) -> Pair:
    """Return two ids, the smaller one first."""
    return (a, b) if a < b else (b, a)


def read_clients(warehouse: Warehouse, source: str, *, deleted: bool) -> list[dict[str, Any]]:
    """Return the values to compare a source's clients by, with names, mails and phones of all their contacts."""
    mails: dict[str, list[object]] = defaultdict(list)
    phones: dict[str, list[object]] = defaultdict(list)
    persons: dict[str, list[str]] = defaultdict(list)
    for client_id, first, last, email, phone in warehouse.rows(statement("dedupe/contacts"), {"source": source}):
        mails[str(client_id)].append(email)
        phones[str(client_id)].append(phone)
        persons[str(client_id)].append(f"{first or ''} {last or ''}".strip())
    columns, rows = warehouse.answer(statement("dedupe/clients"), {"source": source, "deleted": deleted})
    clients = []
    for values in rows:
        row = dict(zip(columns, values, strict=True))
        own, client_id = row.pop("phone"), str(row["id"])
        reached = {"emails": mails[client_id], "phones": [own, *phones[client_id]], "persons": persons[client_id]}
        clients.append({**row, **reached})
    return clients


def decide(
    warehouse: Warehouse, source: str, pairs: Sequence[Pair], decision: str, *, author: str, reason: str, now: datetime
) -> None:
    """Note a person's decision about each of the pairs; the newest decision about a pair counts."""
    values = {"source": source, "ids_a": [min(pair) for pair in pairs], "ids_b": [max(pair) for pair in pairs]}
    noted = {"decision": decision, "author": author, "reason": reason, "decided_at": now}
    warehouse.execute(statement("dedupe/decide"), {**values, **noted})


def choose_survivor(
    warehouse: Warehouse, source: str, client_id: str, *, author: str, reason: str, now: datetime
) -> None:
    """Note that a person chose the client to keep when its cluster is merged."""
    values = {"source": source, "id": client_id, "author": author, "reason": reason, "chosen_at": now}
    warehouse.execute(statement("dedupe/choose_survivor"), values)


def chosen_survivors(warehouse: Warehouse, source: str) -> list[str]:
    """Return the clients that people chose to keep, the newest choice first."""
    return [str(key) for (key,) in warehouse.rows(statement("dedupe/chosen_survivors"), {"source": source})]


def decisions_of(warehouse: Warehouse, source: str) -> dict[Pair, str]:
    """Return the newest decision about each pair."""
    rows = warehouse.rows(statement("dedupe/decisions"), {"source": source})
    return {(str(a), str(b)): str(decision) for a, b, decision, *_ in rows}


def merged_into(warehouse: Warehouse, source: str) -> dict[str, str]:
    """Map each client that was merged away to the client that it is part of now, if that one is in the mirror."""
    rows = warehouse.rows(statement("dedupe/moved"), {"source": source})
    return {str(client_id): str(current) for client_id, current in rows}


def store_found(
    warehouse: Warehouse, source: str, pairs: Sequence[FoundPair], clusters: Iterable[Sequence[str]], now: datetime
) -> None:
    """Store the pairs and clusters of a run in place of the last run's, in one transaction.

    `now` is when the run read the clients: `changed_since` compares it with their changes. Clients that were erased
    while the run compared them are left out.
    """
    with warehouse.transaction():
        warehouse.hold(f"loads of {source}")
        erased = read_erased(warehouse, source)
        kept = [pair for pair in pairs if not (erased.has(pair.id_a) or erased.has(pair.id_b))]
        left = [[client_id for client_id in cluster if not erased.has(client_id)] for cluster in clusters]
        _store(warehouse, source, kept, [cluster for cluster in left if len(cluster) > 1], now)


def _store(
    warehouse: Warehouse, source: str, pairs: Sequence[FoundPair], clusters: Iterable[Sequence[str]], now: datetime
) -> None:
    import pyarrow as pa  # noqa: PLC0415 - not needed by `dedupe list`

    members = [(min(cluster), client_id) for cluster in clusters for client_id in sorted(cluster)]
    of_pairs = {
        "id_a": [p.id_a for p in pairs], "id_b": [p.id_b for p in pairs],
        "probability": pa.array([p.probability for p in pairs], pa.float64()),
        "keys": [", ".join(p.keys) for p in pairs],
        "reasons": [_listed(tuple(p.reasons)) for p in pairs], "against": [_listed(tuple(p.against)) for p in pairs],
        "in_conflict": pa.array([p.in_conflict for p in pairs], pa.bool_()),
    }  # fmt: skip
    of_clusters = {"cluster_id": [cluster for cluster, _ in members], "id": [client_id for _, client_id in members]}
    for table, columns in (("duplicate_pairs", of_pairs), ("duplicate_clusters", of_clusters)):
        warehouse.execute(f"delete from control.{table} where source = $source", {"source": source})
        count = len(next(iter(columns.values())))
        own = {"source": [source] * count, "found_at": pa.array([now] * count, pa.timestamp("us", tz="UTC"))}
        texts = {
            name: pa.array(column, pa.string()) if isinstance(column, list) else column
            for name, column in {**own, **columns}.items()
        }
        stored = pa.table(texts)
        warehouse.append(f"control.{table}", stored.schema, stored.to_batches())
    warehouse.analyze(["control.duplicate_pairs", "control.duplicate_clusters"])


@lru_cache(maxsize=10_000)
def _listed(reasons: tuple[str, ...]) -> str:
    """Return reasons as a JSON list; many pairs have the same ones."""
    return json.dumps(reasons, ensure_ascii=False)


def known_pairs(warehouse: Warehouse, source: str) -> list[FoundPair]:
    """Return the pairs of the last run, the most probable first."""
    return [_pair(*row) for row in warehouse.rows(statement("dedupe/known_pairs"), {"source": source})]


def pairs_among(warehouse: Warehouse, source: str, ids: Sequence[str]) -> list[FoundPair]:
    """Return the pairs of the last run between the given clients, the most probable first."""
    rows = warehouse.rows(statement("duplicate_groups/pairs"), {"source": source, "ids": list(ids)})
    return [_pair(*row) for row in rows]


def _pair(
    id_a: object, id_b: object, probability: object, keys: object, reasons: object, against: object, in_conflict: object
) -> FoundPair:
    return FoundPair(
        str(id_a), str(id_b), float(str(probability)), tuple(filter(None, str(keys).split(", "))),
        json.loads(str(reasons)), json.loads(str(against)), bool(in_conflict),
    )  # fmt: skip


def changed_since(warehouse: Warehouse, source: str) -> set[str]:
    """Return the clients in clusters that have changed since the clusters were found."""
    return {str(key) for (key,) in warehouse.rows(statement("dedupe/changed_since"), {"source": source})}


def known_clusters(warehouse: Warehouse, source: str) -> list[list[str]]:
    """Return the clusters of the last run, each with its ids in order."""
    clusters: dict[str, list[str]] = defaultdict(list)
    for cluster, client_id in warehouse.rows(statement("dedupe/clusters"), {"source": source}):
        clusters[str(cluster)].append(str(client_id))
    return list(clusters.values())

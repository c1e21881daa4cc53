"""The mirror beside the server: every value of every client, contact and document, by id."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from schemas.entities import CLIENTS, PULLED
from schemas.entity import Entity, Kind
from schemas.normalise import normalise
from tests.histories.server import FIGURES, Server, State
from warehouse.engine.place import Place
from warehouse.opened.open import open_place

Rows = dict[str, list[Any]]
"""What stands under each id; one row, unless something is wrong."""


def mirrored(place: Place, kind: str = "clients") -> set[str]:
    """The ids of the records of a kind that the mirror has."""
    return {str(key) for (key,) in _asked(place, f"select id from ninja.{kind}")}


def impossible_states(place: Place, server: Server) -> list[str]:
    """The versions of papers in the warehouse that the server never had."""
    held: set[State] = set()
    for kind, figures in FIGURES.items():
        listed = f"id, client_id, {', '.join(figures)}"
        rows = _asked(place, f"select {listed} from ninja.{kind}")
        rows += _asked(place, f"select {listed} from control.record_versions where entity = '{kind}'")
        for key, client, status, *amounts, deleted in rows:
            shown = [str(Decimal(str(value)).normalize()) for value in (status, *amounts, int(deleted))]
            held.add((kind, str(key), str(client), *shown))
    return [f"the server never had {state}" for state in sorted(held - server.states)]


def wrong_redirects(place: Place, server: Server, told: Counter[str]) -> list[str]:
    """Where the warehouse says of a client that vanished what is not so; `told` counts the merges that it found."""
    wrong = []
    for row in _asked(place, "select id, kind, into_id from control.redirects where returned_run_id is null"):
        key, kind, into = map(str, row)
        ends = server.ends(key)
        if key not in server.fates or (kind == "merged" and into not in ends):
            wrong.append(f"client {key} is told to be {kind} into {into}: it went to {ends}")
        elif ends:
            told["merges told" if kind == "merged" else "merges told as gone"] += 1
    return wrong


def wrong_balances(place: Place, moment: float, balances: Mapping[str, Any]) -> list[str]:
    """Where the history as of a moment has other balances than the server had."""
    then = f"to_timestamp({moment})"
    found = _asked(
        place,
        "select id, balance from mart.client_history "
        f"where valid_from <= {then} and (valid_to is null or valid_to > {then})",
    )
    held = {str(key): balance for key, balance in found}
    doubled = len(found) - len(held)
    wrong = sorted(key for key in held.keys() | balances.keys() if held.get(key) != balances.get(key))
    told = [f"client {key} had {balances.get(key)} at {moment}, not {held.get(key)}" for key in wrong]
    return [*told, *([f"{doubled} clients twice at {moment}"] if doubled else [])]


def _asked(place: Place, query: str) -> list[Any]:
    with open_place(place) as warehouse:
        return warehouse.rows(query)


def row_hash(place: Place) -> str:
    """A hash over every row of the mirror, its history and its redirects, less what names the runs."""
    told = [
        _asked(place, f"select {listed} from {table} order by {order}")
        for table, listed, order in (
            (
                "ninja.clients",
                "id, row_hash, balance, updated_at, valid_from, observed_at, cast(record as varchar)",
                "id",
            ),
            ("ninja.contacts", "client_id, id, email, is_primary, updated_at", "id"),
            ("ninja.documents", "client_id, id, name, updated_at", "id"),
            (
                "control.client_versions",
                "id, valid_from, valid_to, ended_by, row_hash, balance",
                "id, valid_from, valid_to",
            ),
            ("control.client_changes", "id, field, before, after, changed_at", "id, changed_at, field, before, after"),
            ("control.redirects", "id, kind, into_id, evidence, vanished_at", "id, vanished_at"),
        )
    ]
    return hashlib.sha256(repr([sorted(map(_plain, rows)) for rows in told]).encode()).hexdigest()[:16]


def _plain(row: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value) for value in row)


def differences(place: Place, server: Server, *, ghosts: bool) -> list[str]:
    """Where the mirror is not what a pull promises: the server, but for clients that changed without a promise.

    Where `ghosts` are allowed, clients that are no
    longer on the server may stand in the mirror, with what belonged to them.
    """
    return _differences(place, CLIENTS, server.clients(), server.unpromised, ghosts)


def paper_differences(place: Place, server: Server, kind: str, *, ghosts: bool) -> list[str]:
    """The same for invoices, payments or credits."""
    return _differences(place, PULLED[kind], server.papers(kind), server.promises[kind].unpromised, ghosts)


def _differences(place: Place, root: Entity, there: Mapping[str, Any], unpromised: set[str], ghosts: bool) -> list[str]:
    found = _mirror(place, root)
    told = []
    for entity in (root, *root.children):
        told += _compare(entity.name, _truth(entity, root, there), found[entity.name], unpromised, ghosts, there)
    return told


def _compare(
    table: str, truth: Rows, mirror: Rows, unpromised: set[str], ghosts: bool, clients: Mapping[str, Any]
) -> list[str]:
    told = []
    for key in sorted(truth.keys() | mirror.keys()):
        there, here = truth.get(key, []), mirror.get(key, [])
        owners = {row[0] for row in there}
        if there == here or owners & unpromised:
            continue
        if not there and all(row[0] in unpromised or (ghosts and row[0] not in clients) for row in here):
            continue
        what = "lost" if not here else "left" if not there else "doubled" if len(here) > 1 else "stale"
        told.append(f"{table} {key} is {what}: server {_unlike(there, here)}, mirror {_unlike(here, there)}")
    return told


def _unlike(rows: list[Any], others: list[Any]) -> list[Any]:
    """The values of the rows that the others do not have."""
    known = {str(value) for other in others for value in other}
    return [[value for n, value in enumerate(row) if n == 0 or str(value) not in known] for row in rows]


def _truth(entity: Entity, root: Entity, records: Mapping[str, Any]) -> Rows:
    rows: Rows = {}
    batch = normalise(root, records.values())
    assert not batch.quarantined, batch.quarantined
    for row in batch.rows:
        if entity is root:
            rows.setdefault(row.id, []).append([row.id, *row.values, row.record])
        else:
            for values in row.children[root.children.index(entity)]:
                rows.setdefault(str(values[0]), []).append([row.id, *values])
    return rows


def _mirror(place: Place, root: Entity) -> dict[str, Rows]:
    found: dict[str, Rows] = {}
    with open_place(place) as warehouse:
        for entity, owner in ((root, "id"), *((child, root.parent_column) for child in root.children)):
            told = [
                f"cast(extract(epoch from {f.name}) as bigint)" if f.kind is Kind.TIME else f.name
                for f in entity.fields
            ]
            told += ["cast(record as varchar)"] if entity is root else []
            listed = warehouse.rows(f"select {owner}, {', '.join(told)} from ninja.{entity.name}")
            rows = found.setdefault(entity.name, {})
            for row in listed:
                rows.setdefault(str(row[1]), []).append(list(row))
    return found

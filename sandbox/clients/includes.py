"""The records that `include=` adds to clients: one query for each name, for pages of any size."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from sandbox.books.activities import NEWEST
from sandbox.clients.shown import Json, activity_json, group_json, ledger_json, system_log_json
from sandbox.store.database import Row, columns, marks, select

INCLUDES = ("activities", "ledger", "system_logs", "group_settings")
"""Contacts, documents and gateway tokens are always there (ClientTransformer.php:41-46)."""
Values = dict[int, Any]


def include(
    db: sqlite3.Connection,
    rows: Sequence[Row],
    records: Sequence[Json],
    names: Sequence[str],
    *,
    in_list: bool = False,
) -> None:
    """Add the requested includes to each record, under the same name, in the server's own order.

    A request for something inside an include (`ledger.x`) gets the include too, as Fractal does it.
    A client without a group has no key `group_settings`; the others are lists, perhaps empty. In lists, activities are
    always empty: the relation's own condition on the company is null while a list loads it (Client.php:350-353).
    """
    heads = {name.split(".")[0] for name in names}
    for name in INCLUDES:
        if name in heads and rows:
            loaded = {} if in_list and name == "activities" else _LOADERS[name](db, rows)
            for row, record in zip(rows, records, strict=True):
                if row["id"] in loaded or name != "group_settings":
                    record[name] = loaded.get(row["id"], [])


def by_client(db: sqlite3.Connection, table: str, ids: Sequence[int], order: str) -> defaultdict[Any, list[Row]]:
    """The live rows of each of these clients."""
    return _grouped(select(db, table, f"client_id IN ({marks(ids)}) AND deleted_at IS NULL ORDER BY {order}", ids))


def _grouped(rows: Sequence[Row]) -> defaultdict[Any, list[Row]]:
    out: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        out[row["client_id"]].append(row)
    return out


def _newest(db: sqlite3.Connection, table: str, rows: Sequence[Row]) -> defaultdict[Any, list[Row]]:
    """The newest 50 of each client, newest first."""
    ids, names = [row["id"] for row in rows], columns(db, table)
    place = "row_number() OVER (PARTITION BY client_id ORDER BY id DESC) AS place"
    ranked = f"SELECT *, {place} FROM {table} WHERE client_id IN ({marks(ids)})"
    newest = db.execute(f"SELECT {', '.join(names)} FROM ({ranked}) WHERE place <= {NEWEST} ORDER BY id DESC", ids)
    return _grouped([dict(zip(names, row, strict=True)) for row in newest])


def _activities(db: sqlite3.Connection, rows: Sequence[Row]) -> Values:
    return {number: [activity_json(x) for x in newest] for number, newest in _newest(db, "activities", rows).items()}


def _ledger(db: sqlite3.Connection, rows: Sequence[Row]) -> Values:
    """All rows, newest first."""
    ids = [row["id"] for row in rows]
    by_id = _grouped(select(db, "ledger", f"client_id IN ({marks(ids)}) ORDER BY id DESC", ids))
    return {number: [ledger_json(x) for x in its_rows] for number, its_rows in by_id.items()}


def _system_logs(db: sqlite3.Connection, rows: Sequence[Row]) -> Values:
    return {number: [system_log_json(x) for x in newest] for number, newest in _newest(db, "system_logs", rows).items()}


def _groups(db: sqlite3.Connection, rows: Sequence[Row]) -> Values:
    """The live group of each client that has one."""
    ids = sorted({row["group_settings_id"] for row in rows if row["group_settings_id"]})
    live = select(db, "group_settings", f"id IN ({marks(ids)}) AND deleted_at IS NULL", ids)
    groups = {group["id"]: group_json(group) for group in live}
    return {row["id"]: groups[row["group_settings_id"]] for row in rows if row["group_settings_id"] in groups}


_LOADERS: dict[str, Callable[[sqlite3.Connection, Sequence[Row]], Values]] = {
    "activities": _activities,
    "ledger": _ledger,
    "system_logs": _system_logs,
    "group_settings": _groups,
}

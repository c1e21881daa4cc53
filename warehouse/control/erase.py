"""Erase a client from the mirror, the history, the quarantine and every file, with a proof that names nobody.

One transaction deletes the rows and notes that files are still to be cleaned. Deleted rows stay in DuckDB's file until
it is rewritten, and in Postgres until a full vacuum. If a run is killed in between, the next run cleans the files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from schemas.erased import Erased
from warehouse.control.left_out import note_listed
from warehouse.control.state import read_erased
from warehouse.control.traces import OWNED, TRACES
from warehouse.engine.seam import POSTGRES, Warehouse
from warehouse.engine.sql import statement

WORDS: Final[Mapping[str, str]] = {
    "erase/approval_comments": "control.approvals", "erase/rejection_comments": "control.rejections",
    "erase/plan_reasons": "control.plans",
}  # fmt: skip
"""Statements that remove people's own words about plans with the client, which may name it, and their tables."""


class Found(msgspec.Struct, frozen=True):
    """A client's data in the warehouse: its name, whether it is mirrored, and its row count per table."""

    name: str
    here: bool
    rows: Mapping[str, int]


def find(warehouse: Warehouse, source: str, client_id: str) -> Found | None:
    """Return a client's data in the warehouse; None if there is none."""
    values = {"source": source, "id": client_id}
    rows = {str(words): int(str(count)) for words, count in warehouse.rows(_counts(), values)}
    for name, here in warehouse.rows(statement("erase/known"), values):
        return Found(str(name or ""), bool(here), rows)
    return Found("", False, rows) if any(rows.values()) else None


def ids_of(warehouse: Warehouse, source: str) -> set[str]:
    """Return the id of every client of a source that any table holds."""
    parts = [
        f"select {column} from {trace.table} where source = $source and {trace.only or 'true'}"
        for trace in TRACES
        for column in trace.columns
    ]
    return {str(key) for (key,) in warehouse.rows(" union ".join(parts), {"source": source}) if key is not None}


def erase(warehouse: Warehouse, source: str, client_id: str, *, reason: str, keep_balances: bool, now: datetime) -> int:
    """Remove a client from all tables, in one transaction; return the number of rows. Clean the files afterwards.

    With `keep_balances`, the figures of its versions stay under a pseudonym, so that earlier sums stay right.
    """
    held, known = find(warehouse, source, client_id), read_erased(warehouse, source)
    mark = known.mark(client_id)
    removed = 0 if held is None else sum(held.rows.values())
    values = {
        "source": source, "id": client_id, "pseudonym": f"erased-{mark[:12]}", "mark": mark, "reason": reason,
        "listed": bool(held and held.here), "kept_balances": keep_balances, "removed": removed, "now": now,
    }  # fmt: skip
    with warehouse.transaction():
        warehouse.hold(f"loads of {source}")
        if keep_balances:
            warehouse.execute(statement("erase/keep_versions"), values)
            warehouse.execute(statement("erase/close_version"), values)
        for words in WORDS:  # before the rows that tie these plans to the client
            warehouse.execute(statement(words), values)
        warehouse.execute(statement("erase/merge_steps"), values)
        if values["listed"]:
            _note_left_out(warehouse, source, client_id, known)
        for trace in TRACES:
            warehouse.execute(f"delete from {trace.table} where source = $source and {trace.holds}", values)
        if mark not in known.marks:
            warehouse.execute(statement("erase/prove"), values)
    return removed


def _note_left_out(warehouse: Warehouse, source: str, client_id: str, known: Erased) -> None:
    """Note that the server still lists the client's records, which pulls leave out from now on."""
    values = {"source": source, "id": client_id}
    for entity in OWNED:
        rows = warehouse.rows(f"select id from ninja.{entity.name} where source = $source and client_id = $id", values)
        marks = [known.mark_of(entity.name, record_id) for (record_id,) in rows]
        note_listed(warehouse, source, entity, marks, full=False)


def _counts() -> str:
    """Return one query for a client's row count per table."""
    return " union all ".join(
        f"select '{trace.words}', count(*) from {trace.table} where source = $source and {trace.holds}"
        for trace in TRACES
    )


def pending(warehouse: Warehouse) -> list[str]:
    """Return the sources whose files may still hold erased clients."""
    return [str(source) for (source,) in warehouse.rows(statement("erase/pending"))]


def note_finished(warehouse: Warehouse, now: datetime) -> None:
    """Note that no file holds erased clients any more."""
    warehouse.execute(statement("erase/finish"), {"now": now})


def vacuum(warehouse: Warehouse, begun: Callable[[str], None] = lambda _: None) -> None:
    """Have Postgres rewrite the tables and their statistics, which hold values too. Do nothing on DuckDB.

    `begun` gets the name of each table before its turn. The write-ahead log and backups hold the erased rows until
    they are recycled; we cannot change that from here.
    """
    if warehouse.engine != POSTGRES:
        return
    for table in (*(trace.table for trace in TRACES), *WORDS.values()):
        begun(table)
        with warehouse.transaction():  # it limits the wait for readers of the table; a vacuum has no limit of its own
            warehouse.execute(f"lock table {table} in access exclusive mode")
        warehouse.execute(f"vacuum (full, analyze) {table}")
    if warehouse.rows("select 1 from pg_roles where rolname = current_user and rolsuper"):
        warehouse.execute("vacuum full pg_catalog.pg_statistic")
        warehouse.execute("checkpoint")

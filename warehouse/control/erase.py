"""Erasing a client: out of the mirror, the history, the quarantine and every file, with a proof that names nobody.

The rows go in one transaction, which notes that files are still to be cleaned: dead rows of DuckDB's file stay in it
until it is rewritten, those of Postgres until a full vacuum. What was killed in between is made up for by the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from warehouse.control.state import read_erased
from warehouse.engine.seam import POSTGRES, Warehouse
from warehouse.engine.sql import statement

REMOVED = (
    "activities", "contacts", "documents", "clients", "changes", "redirects", "quarantine", "unlisted", "outbox",
    "journal_edits", "plan_cells", "outcomes", "merge_steps",
    "duplicate_decisions", "duplicate_pairs", "duplicate_clusters", "chosen_survivors",
)  # fmt: skip
TOUCHED = (
    "ninja.clients", "ninja.activities", "ninja.contacts", "ninja.documents", "control.client_versions",
    "control.client_changes", "control.redirects", "control.quarantine", "control.unlisted", "control.outbox",
    "control.journal_edits", "control.plan_cells", "control.outcomes", "control.merge_steps",
    "control.duplicate_decisions", "control.duplicate_pairs", "control.duplicate_clusters",
    "control.chosen_survivors",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """What there is of a client: its name, whether it is in the mirror, in how many rows of what it stands."""

    name: str
    here: bool
    rows: Mapping[str, int]


def find(warehouse: Warehouse, source: str, client_id: str) -> Found | None:
    """What there is of a client; None where there is nothing."""
    values = {"source": source, "id": client_id}
    rows = {str(what): int(str(n)) for what, n in warehouse.rows(statement("erase/count"), values)}
    for name, here in warehouse.rows(statement("erase/known"), values):
        return Found(str(name or ""), bool(here), {"client": int(bool(here)), **rows})
    return Found("", False, {"client": 0, **rows}) if any(rows.values()) else None


def erase(warehouse: Warehouse, source: str, client_id: str, *, reason: str, keep_balances: bool, now: datetime) -> int:
    """Remove a client from all tables, in one transaction; returns from how many rows. `clean` has to follow.

    With `keep_balances`, the figures of its versions stay, under a pseudonym, so that earlier sums stay what they were.
    """
    found, known = find(warehouse, source, client_id), read_erased(warehouse, source)
    mark = known.mark(client_id)
    removed = 0 if found is None else sum(found.rows.values())
    values = {
        "source": source, "id": client_id, "pseudonym": f"erased-{mark[:12]}", "mark": mark, "reason": reason,
        "listed": bool(found and found.here), "kept_balances": keep_balances, "removed": removed, "now": now,
    }  # fmt: skip
    with warehouse.transaction():
        warehouse.hold(f"loads of {source}")
        for step in ("keep_versions", "close_version") if keep_balances else ("versions",):
            warehouse.execute(statement(f"erase/{step}"), values)
        for step in REMOVED:
            warehouse.execute(statement(f"erase/{step}"), values)
        if mark not in known.marks:
            warehouse.execute(statement("erase/prove"), values)
    return removed


def pending(warehouse: Warehouse) -> list[str]:
    """The sources of which files may still hold what was erased."""
    return [str(source) for (source,) in warehouse.rows(statement("erase/pending"))]


def note_finished(warehouse: Warehouse, now: datetime) -> None:
    """Note that no file holds what was erased."""
    warehouse.execute(statement("erase/finish"), {"now": now})


def vacuum(warehouse: Warehouse, told: Callable[[str], None] = lambda _: None) -> None:
    """Have Postgres write the tables anew, with what it knows of their values; elsewhere nothing has to be done.

    The write-ahead log and backups still hold what was erased until they are recycled: nobody can change that here.
    """
    if warehouse.engine != POSTGRES:
        return
    for table in TOUCHED:
        told(table)
        with warehouse.transaction():  # whose time limit for locks a vacuum lacks: a reader may hold the table
            warehouse.execute(f"lock table {table} in access exclusive mode")
        warehouse.execute(f"vacuum (full, analyze) {table}")
    if warehouse.rows("select 1 from pg_roles where rolname = current_user and rolsuper"):
        warehouse.execute("vacuum full pg_catalog.pg_statistic")
        warehouse.execute("checkpoint")


def note_listed(warehouse: Warehouse, source: str, met: Iterable[str], *, full: bool) -> None:
    """Note which erased clients the server still lists: those whose marks a scan has met; a full one knows all."""
    if full:
        warehouse.execute("update control.erasures set listed = false where source = $source", {"source": source})
    for mark in sorted(set(met)):
        values = {"source": source, "mark": mark}
        warehouse.execute(
            "update control.erasures set listed = true where source = $source and mark = $mark and not listed", values
        )

"""Erasing a client: out of the mirror, the history, the quarantine and every file, with a proof that names nobody.

The rows go in one transaction, which notes that files are still to be cleaned: dead rows of DuckDB's file stay in it
until it is rewritten, those of Postgres until a full vacuum. What was killed in between is made up for by the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from warehouse.control.state import read_erased
from warehouse.engine.seam import POSTGRES, Warehouse
from warehouse.engine.sql import statement


@dataclass(frozen=True, slots=True)
class Trace:
    """A table that holds clients, the columns with their ids, and the words for its rows in a report."""

    table: str
    columns: Sequence[str]
    words: str


TRACES = (
    Trace("ninja.contacts", ("client_id",), "contacts"),
    Trace("ninja.documents", ("client_id",), "documents"),
    Trace("ninja.activities", ("client_id",), "activities"),
    Trace("ninja.clients", ("id",), "client"),
    Trace("control.client_versions", ("id",), "versions"),
    Trace("control.client_changes", ("id",), "changes"),
    Trace("control.redirects", ("id",), "redirects"),
    Trace("control.quarantine", ("id",), "records in quarantine"),
    Trace("control.unlisted", ("id",), "notes that it is not listed"),
    Trace("control.outbox", ("id",), "changes in the queue"),
    Trace("control.journal_edits", ("id",), "edits"),
    Trace("control.plan_cells", ("id",), "planned changes"),
    Trace("control.outcomes", ("id",), "outcomes"),
    Trace("control.merge_steps", ("survivor_id", "mergeable_id"), "merges"),
    Trace("control.duplicate_decisions", ("id_a", "id_b"), "duplicate decisions"),
    Trace("control.duplicate_pairs", ("id_a", "id_b"), "duplicate pairs"),
    Trace("control.duplicate_clusters", ("id",), "duplicate clusters"),
    Trace("control.chosen_survivors", ("id",), "chosen survivors"),
)
"""Every table that holds anything of a client. A test compares it with the tables that there are."""


@dataclass(frozen=True, slots=True)
class Found:
    """What there is of a client: its name, whether it is mirrored, and its row count per table."""

    name: str
    here: bool
    rows: Mapping[str, int]


def find(warehouse: Warehouse, source: str, client_id: str) -> Found | None:
    """What there is of a client; None where there is nothing."""
    values = {"source": source, "id": client_id}
    rows = {str(words): int(str(count)) for words, count in warehouse.rows(_counts(), values)}
    for name, here in warehouse.rows(statement("erase/known"), values):
        return Found(str(name or ""), bool(here), rows)
    return Found("", False, rows) if any(rows.values()) else None


def ids_of(warehouse: Warehouse, source: str) -> set[str]:
    """Every client that a source knows or has known, in whatever table."""
    parts = [
        f"select {column} from {trace.table} where source = $source" for trace in TRACES for column in trace.columns
    ]
    return {str(key) for (key,) in warehouse.rows(" union ".join(parts), {"source": source}) if key is not None}


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
        if keep_balances:
            warehouse.execute(statement("erase/keep_versions"), values)
            warehouse.execute(statement("erase/close_version"), values)
        warehouse.execute(statement("erase/merge_steps"), values)
        for trace in TRACES:
            warehouse.execute(f"delete from {trace.table} where source = $source and {_holds(trace)}", values)
        if mark not in known.marks:
            warehouse.execute(statement("erase/prove"), values)
    return removed


def _counts() -> str:
    """The row count of a client per table, as one query."""
    return " union all ".join(
        f"select '{trace.words}', count(*) from {trace.table} where source = $source and {_holds(trace)}"
        for trace in TRACES
    )


def _holds(trace: Trace) -> str:
    return "(" + " or ".join(f"{column} = $id" for column in trace.columns) + ")"


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
    for trace in TRACES:
        table = trace.table
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

"""Merge staged pages into the mirror's tables: the steps of a load that move rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import pairwise

from schemas.diff import Change
from schemas.entity import Entity
from schemas.errors import WarehouseError
from warehouse.control.state import Run
from warehouse.engine.seam import POSTGRES, SHA256, Warehouse, rows_of
from warehouse.engine.sql import statement
from warehouse.load.arrived import append_all, stage_brief, stage_changed
from warehouse.load.history import record_changes
from warehouse.load.staging import Staging
from warehouse.schema.archive import archive_of, stamp_of
from warehouse.schema.mirror import VERSION_COLUMNS, arriving, columns

MOST_CHANGES = 200
"""The number of changes that a run reports in detail; it counts all of them."""
PIECE = 10_000
"""The most records that one query compares or inserts."""
MOST_RECORDS = 2**62
"""Beyond the arrival number of any record."""
CHANGED = ("inserted", "updated", "touched")
"""The outcomes that change the mirror."""


def merge(
    warehouse: Warehouse, staging: Staging, entity: Entity, run: Run, left_out: Collection[int]
) -> tuple[dict[str, int], list[Change]]:
    """Merge the staged pages. The table `accepted` stays, because a record that arrived cannot have vanished.

    `left_out` are the arrival numbers of records not to load.
    Only brief rows are staged to compare with the mirror, then whole rows of what has changed. A first load compares
    nothing, and appends. Returns the number of records for each outcome, and the first changes.
    """
    values = {"source": run.source, "run_id": run.run_id, "began": run.began_at, "resumed_at": staging.resumed_at}
    known = _is_known(warehouse, f"ninja.{entity.name}", run)
    stage_brief(warehouse, staging, entity, left_out, compared=known)
    step(warehouse, "newest", values, entity)
    warehouse.analyze(["newest"])  # Postgres itself analyzes no temporary table, and would expect few rows
    step(warehouse, "accepted" if known else "all_inserted", values, entity)
    warehouse.execute("drop table newest")
    for child in entity.children if known else ():
        step(warehouse, "displaced", values, entity, child)
    warehouse.analyze(["accepted"])
    outcomes = dict.fromkeys((*CHANGED, "unchanged"), 0)
    outcomes |= {str(name): int(str(n)) for name, n in warehouse.rows(statement("load/outcomes"))}
    for name in ("return_redirects", "list_again"):
        step(warehouse, name, values, entity)
    changes: list[Change] = []
    if not known and not _had_runs(warehouse, entity, run):
        ours = {"source": run.source, "run_id": run.run_id}
        version = {"valid_from": run.began_at, "observed_at": run.began_at, "observed_run_id": run.run_id}
        append_all(warehouse, staging, entity, left_out, ours=ours, version=version if entity.historic else {})
        _check_single(warehouse, entity, values)
    elif any(outcomes[name] for name in CHANGED):
        stage_changed(warehouse, staging, entity, left_out)
        changes = _replace_changed(warehouse, entity, run, values | {"most": MOST_CHANGES, "with_inserted": known})
    step(warehouse, "resolve_quarantine", values, entity)
    for table in (entity, *entity.children):
        warehouse.execute(f"drop table arrived_{table.name}")
    return outcomes, changes


def _is_known(warehouse: Warehouse, table: str, run: Run, theirs: str = "true") -> bool:
    """Whether a table has rows of the run's source."""
    query = f"select 1 from {table} where source = $source and {theirs} limit 1"
    return bool(warehouse.rows(query, {"source": run.source}))


def _had_runs(warehouse: Warehouse, entity: Entity, run: Run) -> bool:
    """Whether an earlier run read the entity, or an earlier version of a record is kept."""
    archive = archive_of(entity)
    return _is_known(warehouse, "control.runs", run, f"entity = '{entity.name}'") or _is_known(
        warehouse, archive["versions"], run, archive["theirs"]
    )


def _replace_changed(warehouse: Warehouse, entity: Entity, run: Run, values: Mapping[str, object]) -> list[Change]:
    """Replace the new and changed records and their children, keep the versions that end, return the first changes."""
    step(warehouse, "open_versions" if entity.historic else "open_records", values, entity)
    warehouse.analyze(["opened"])
    rows = warehouse.rows(statement("load/changes").format(entity=entity.name), values)
    shown = {str(key) for outcome, key, _ in rows if outcome == "updated"}
    before: dict[str, str] = {}
    pieces = _pieces(warehouse)
    for place in pieces:
        warehouse.execute(statement("load/piece"), place)
        step(warehouse, "changed_versions", values, entity)
        warehouse.analyze(["piece", "ended"])
        before |= record_changes(warehouse, entity, run, shown, place)
        if entity.historic:
            step(warehouse, "close_versions", values, entity)
        for table in ("piece", "ended"):
            warehouse.execute(f"drop table {table}")
    changes = [Change(str(key), before.get(str(key)), str(after)) for _, key, after in rows]
    for child in entity.children:
        for name in ("delete_children", "delete_moved"):
            step(warehouse, name, values, entity, child)
    step(warehouse, "delete_parents", values, entity)
    for place in pieces:
        step(warehouse, "insert_parents", {**values, **place}, entity)
    for child in entity.children:
        step(warehouse, "insert_children", values, entity, child)
    _check_single(warehouse, entity, values)
    staged = (f"stage_{table.name}" for table in (entity, *entity.children))
    for table in ("opened", *staged):
        warehouse.execute(f"drop table {table}")
    return changes


def _pieces(warehouse: Warehouse) -> list[dict[str, int]]:
    """Return the ranges of arrival numbers of each piece of the records in `opened`.

    To join whole records, DuckDB holds them in memory. So that a load in which all have changed needs no more memory
    than others, they are compared, kept and inserted piece by piece.
    """
    begins = [int(str(begin)) for (begin,) in warehouse.rows(statement("load/pieces"), {"most": PIECE})]
    return [{"begin": begin, "beyond": beyond} for begin, beyond in pairwise([*begins, MOST_RECORDS])]


def step(
    warehouse: Warehouse, name: str, values: Mapping[str, object], entity: Entity, child: Entity | None = None
) -> None:
    """Run one statement of `sql/load.sql` for an entity, or for one of its children."""
    table, parent = (child, entity) if child is not None else (entity, None)
    names = archive_of(entity) | {
        "child": table.name,
        "parent": entity.parent_column,
        "stamp": stamp_of(table),
        "columns": ", ".join(columns(table, parent)),
        "selected": ", ".join(_selected(table, parent)),
        "digest": SHA256[warehouse.engine].format("cast(m.record as varchar)"),
        "rows_of_newest": rows_of(warehouse.engine, f"ninja.{entity.name}", "newest"),
        "rows_of_ended": rows_of(warehouse.engine, f"ninja.{entity.name}", "ended"),
    }
    warehouse.execute(statement(f"load/{name}").format(**names), values)


def _selected(entity: Entity, parent: Entity | None) -> list[str]:
    ours = {"source": "$source", "run_id": "$run_id"}
    ours |= {name: f"o.{name}" for name in VERSION_COLUMNS}
    return [ours.get(name, staged) for name, staged in arriving(entity, parent).items()]


def _check_single(warehouse: Warehouse, entity: Entity, values: Mapping[str, object]) -> None:
    """Raises WarehouseError if an id that arrived is in the mirror twice. On Postgres a unique index sees to that."""
    if warehouse.engine == POSTGRES:
        return
    for table in (entity, *entity.children):
        checked = statement("load/doubled").format(entity=table.name, loaded=f"arrived_{table.name}")
        ((doubled,),) = warehouse.rows(checked, values)
        if doubled:
            raise WarehouseError(f"{doubled} ids of {table.name} would be in the warehouse twice; nothing was stored.")

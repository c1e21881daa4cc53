"""The load: staged pages into the mirror, in one transaction with history, watermark, quarantine and the run itself.

A crash at any point leaves the old state or the new one. Erased clients are left out here, under the lock that an
erasure holds too: pages may have been staged, on this machine or another one, before the client was erased. Of several
staged versions of a record the newest is chosen before it is split into tables; a parent and its children are replaced
together. Each version that ends is set aside in `control.client_versions`; a first load has none, and pays nothing for
them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from schemas.arrow_types import staged_schema
from schemas.clocks import Clocks
from schemas.diff import Change
from schemas.entity import Entity
from schemas.erased import Erased
from schemas.errors import Busy, WarehouseError
from schemas.normalise import Drift, Quarantined, TypedRow
from schemas.vanished import HELD, Vanished
from warehouse.control.erase import note_listed
from warehouse.control.state import (
    Binding,
    Run,
    State,
    bind,
    check_single_name,
    close_quarantine,
    read_erased,
    read_state,
    record_drift,
    record_quarantine,
    record_run,
)
from warehouse.engine.seam import POSTGRES, Warehouse
from warehouse.engine.sql import statement
from warehouse.load.arrow_files import staged_batch
from warehouse.load.history import record_changes
from warehouse.load.staging import Staging
from warehouse.load.vanished import keep_unlisted, take_out
from warehouse.schema.grants import grant_again
from warehouse.schema.labels import label
from warehouse.schema.tables import VERSION_COLUMNS, arriving, columns

MOST_CHANGES = 200
"""Changes that a run reports one by one; all are counted."""
MANY = 1000
"""Rows after which an engine is told to look at the tables anew."""
CHANGED = ("inserted", "updated", "touched")
"""The outcomes after which a mirror is not what it was."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The rows of the tables by which ids are decoded; each replaces the whole table of its source."""

    rows: Mapping[Entity, Sequence[TypedRow]]
    quarantined: Sequence[Quarantined] = ()


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan came to: everything of a load but the rows. Times are those of the server's clock.

    `vanished` are clients to take out: one of them that was read in this scan stays. `unlisted` are the clients that a
    full pass missed and leaves, each with the reason (HELD or HIDDEN); None leaves what was known.
    `clocks` are both clocks when the scan began, for the next one.
    `after` is the state in which the scan began: where another run has loaded since, the lock having been lost, this
    one is refused.
    """

    entity: Entity
    binding: Binding
    watermark: datetime | None
    newest_at: datetime | None
    skew: int | None
    server_total: int | None
    quarantined: Sequence[Quarantined] = ()
    drift: frozenset[Drift] = frozenset()
    vanished: Sequence[Vanished] = ()
    unlisted: Mapping[str, str] | None = None
    after: State | None = None
    clocks: Clocks | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did: the run as it stands in `control.runs`, the first changes, the drift that is new.

    `surplus` is how many clients more the warehouse knows than the server said at the start of the scan.
    """

    run: Run
    changes: Sequence[Change] = ()
    drift: Sequence[Drift] = ()
    surplus: int = 0


def load(
    warehouse: Warehouse,
    staging: Staging,
    scanned: Scanned,
    run: Run,
    reference: Reference | None,
    finish: Callable[[Run], Run] = lambda run: run,
) -> Loaded:
    """Merge what is staged; `finish` stamps the run at its end.

    Raises WarehouseError, with everything as it was before, where that is not possible.
    """
    with warehouse.transaction(run_id=run.run_id):
        warehouse.hold(f"loads of {run.source}")
        _check_order(warehouse, scanned, run)
        erased = read_erased(warehouse, run.source)
        scanned = _without_erased(scanned, erased)
        _remember_source(warehouse, scanned, run, reference)
        if reference is not None:
            _replace_all(warehouse, reference, run)
        first_load = not warehouse.rows(
            f"select 1 from ninja.{scanned.entity.name} where source = $source limit 1", {"source": run.source}
        )
        outcomes, changes = _merge(warehouse, staging, scanned.entity, run, erased, with_inserted=not first_load)
        aside = {one.id for one in scanned.quarantined if one.entity == scanned.entity.name}
        vanished = [one for one in scanned.vanished if one.id not in aside]
        ended, taken_out = take_out(warehouse, scanned.entity, run, vanished)
        warehouse.execute("drop table accepted")
        if staging.left_out or run.kind == "full":
            note_listed(warehouse, run.source, staging.left_out, full=run.kind == "full" and not staging.resumed_at)
        left = scanned.unlisted is not None and keep_unlisted(warehouse, run, scanned.unlisted)
        if run.kind == "full":
            close_quarantine(warehouse, run, scanned.entity)
        record_quarantine(warehouse, run.source, run.run_id, scanned.quarantined)
        drift = record_drift(warehouse, run.source, run.run_id, scanned.drift)
        _move_watermark(warehouse, scanned, run)
        state = read_state(warehouse, run.source)
        done = replace(
            run,
            inserted=outcomes["inserted"],
            updated=outcomes["updated"],
            touched=outcomes["touched"],
            unchanged=outcomes["unchanged"],
            vanished=taken_out,
            changed=bool(reference or any(outcomes[name] for name in CHANGED) or ended or left),
            quarantined=len(scanned.quarantined),
            quarantine_open=state.quarantine_open,
            mirrored=state.mirrored,
        )
        done = finish(done)
        record_run(warehouse, done)
        if outcomes["inserted"] + outcomes["updated"] > MANY:
            warehouse.analyze([f"ninja.{table.name}" for table in (scanned.entity, *scanned.entity.children)])
    return Loaded(done, changes, drift, state.surplus(scanned.server_total))


def _check_order(warehouse: Warehouse, scanned: Scanned, run: Run) -> None:
    """Raises Busy where another run has loaded since the scan began: what this one read may be older."""
    if scanned.after is not None and read_state(warehouse, run.source).run_id != scanned.after.run_id:
        raise Busy(f"Another run of the source {run.source!r} has loaded meanwhile; nothing was stored. Pull again.")


def _without_erased(scanned: Scanned, erased: Erased) -> Scanned:
    """What a scan came to, without the clients that were erased meanwhile."""
    if not erased.marks:
        return scanned
    unlisted = scanned.unlisted
    return replace(
        scanned,
        quarantined=[one for one in scanned.quarantined if not erased.has(one.id)],
        vanished=[one for one in scanned.vanished if not erased.has(one.id)],
        unlisted=unlisted and {key: why for key, why in unlisted.items() if not erased.has(key)},
    )


def _merge(
    warehouse: Warehouse, staging: Staging, entity: Entity, run: Run, erased: Erased, *, with_inserted: bool
) -> tuple[dict[str, int], list[Change]]:
    """Merge what is staged into the mirror. The table `accepted` stays: what arrived cannot have vanished."""
    values = {
        "source": run.source,
        "run_id": run.run_id,
        "began": run.began_at,
        "resumed_at": staging.resumed_at,
        "most": MOST_CHANGES,
        "with_inserted": with_inserted,
    }
    parents = staged_schema(entity, None)
    warehouse.stage(f"stage_{entity.name}", parents, staging.batches(entity.name, erased=erased))
    for child in entity.children:
        children = staging.batches(child.name, client=entity.parent_column, erased=erased)
        warehouse.stage(f"stage_{child.name}", staged_schema(child, entity), children)
    _step(warehouse, "accepted", values, entity)
    for child in entity.children:
        _step(warehouse, "displaced", values, entity, child)
    outcomes = dict.fromkeys((*CHANGED, "unchanged"), 0)
    outcomes |= {str(name): int(str(n)) for name, n in warehouse.rows(statement("load/outcomes"))}
    for name in ("open_versions", "changed_versions", "close_versions", "return_redirects", "list_again"):
        _step(warehouse, name, values, entity)
    record_changes(warehouse, entity, run)
    found = warehouse.rows(statement("load/changes").format(entity=entity.name), values)
    changes = [Change(str(key), str(before) if before else None, str(after)) for _, key, before, after in found]
    for child in entity.children:
        _step(warehouse, "delete_children", values, entity, child)
    _step(warehouse, "delete_parents", values, entity)
    _step(warehouse, "insert_parents", values, entity)
    for child in entity.children:
        _step(warehouse, "insert_children", values, entity, child)
        _assert_single(warehouse, child, f"stage_{child.name}", values)
    _assert_single(warehouse, entity, "accepted", values)
    _step(warehouse, "resolve_quarantine", values, entity)
    staged = (f"stage_{table.name}" for table in (entity, *entity.children))
    for table in ("opened", "ended", *staged):
        warehouse.execute(f"drop table {table}")
    return outcomes, changes


def _step(
    warehouse: Warehouse, name: str, values: Mapping[str, object], entity: Entity, child: Entity | None = None
) -> None:
    """Run one statement of `sql/load` for an entity, or for one of its children."""
    table, parent = (child, entity) if child is not None else (entity, None)
    names = {
        "entity": entity.name,
        "child": table.name,
        "parent": entity.parent_column,
        "columns": ", ".join(columns(table, parent)),
        "selected": ", ".join(_selected(table, parent)),
    }
    warehouse.execute(statement(f"load/{name}").format(**names), values)


def _selected(entity: Entity, parent: Entity | None) -> list[str]:
    ours = {"source": "$source", "run_id": "$run_id"}
    ours |= {name: f"o.{name}" for name in VERSION_COLUMNS}
    return [ours.get(name, staged) for name, staged in arriving(entity, parent).items()]


def _assert_single(warehouse: Warehouse, entity: Entity, loaded: str, values: Mapping[str, object]) -> None:
    ((doubled,),) = warehouse.rows(statement("load/doubled").format(entity=entity.name, loaded=loaded), values)
    if doubled:
        raise WarehouseError(f"{doubled} ids of {entity.name} would stand twice in the warehouse; nothing was stored.")


def _replace_all(warehouse: Warehouse, reference: Reference, run: Run) -> None:
    for entity, rows in reference.rows.items():
        _replace(warehouse, entity, rows, run)
        close_quarantine(warehouse, run, entity)
    record_quarantine(warehouse, run.source, run.run_id, reference.quarantined)
    if label(warehouse) and warehouse.engine == POSTGRES:
        grant_again(warehouse)


def _replace(warehouse: Warehouse, entity: Entity, rows: Sequence[TypedRow], run: Run) -> None:
    values = {"source": run.source, "run_id": run.run_id}
    warehouse.stage(
        f"stage_{entity.name}", staged_schema(entity, None), iter([staged_batch(entity, rows, first_arrival=0)])
    )
    _step(warehouse, "replace_reference", values, entity)
    _step(warehouse, "insert_reference", values, entity)
    warehouse.execute(f"drop table stage_{entity.name}")


def _remember_source(warehouse: Warehouse, scanned: Scanned, run: Run, reference: Reference | None) -> None:
    values = {"source": run.source, "skew": scanned.skew, "version": run.server_version, "now": run.began_at}
    if not warehouse.rows("select 1 from control.sources where source = $source", values):
        warehouse.hold("the sources")
        check_single_name(warehouse, run.source, scanned.binding)
        bind(warehouse, run.source, scanned.binding, version=run.server_version, now=run.began_at)
    warehouse.execute(
        "update control.sources set skew_seconds = $skew, server_version = $version where source = $source", values
    )
    if reference is not None:
        warehouse.execute("update control.sources set reference_at = $now where source = $source", values)


def _move_watermark(warehouse: Warehouse, scanned: Scanned, run: Run) -> None:
    at = scanned.clocks
    began = run.began_at if at is None else datetime.fromtimestamp(at.server, UTC)
    values = {
        "source": run.source,
        "entity": scanned.entity.name,
        "mark": scanned.watermark,
        "newest": scanned.newest_at,
        "began": began,
        "local_began": None if at is None or at.here is None else datetime.fromtimestamp(at.here, UTC),
        "full_at": began if run.kind == "full" else None,
        "total": scanned.server_total,
        "run_id": run.run_id,
        "unexplained": None if scanned.unlisted is None else len(scanned.unlisted),
        "held": None if scanned.unlisted is None else HELD in scanned.unlisted.values(),
    }
    warehouse.execute(statement("load/move_watermark"), values)

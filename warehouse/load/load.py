"""Load staged pages into the mirror, in one transaction with history, watermark, quarantine and the run's own row.

A crash at any point leaves the old state or the new one. The load leaves out erased clients, under the lock that an
erasure holds too: this or another machine may have staged pages before the client was erased. If a record was staged
several times, the load takes the newest version before it splits it into tables. It replaces a parent and its
children together. A version that ends is kept in `control` (see `archive_of`); a first load ends none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pyarrow as pa
from msgspec.structs import replace

from schemas.arrow_types import staged_schema
from schemas.clocks import Clocks
from schemas.diff import Change
from schemas.entity import Entity
from schemas.erased import Erased
from schemas.errors import Busy, WarehouseError
from schemas.normalise import Drift, Quarantined, TypedRow
from schemas.vanished import HELD, Vanished
from warehouse.control.exchange_rates import note_server_rates
from warehouse.control.left_out import client_of, left_out_marks, note_listed
from warehouse.control.state import (
    Binding,
    Run,
    State,
    bind,
    check_single_name,
    close_quarantine,
    read_erased,
    read_last_load,
    read_state,
    record_drift,
    record_quarantine,
    record_run,
)
from warehouse.engine.seam import POSTGRES, Warehouse
from warehouse.engine.sql import statement
from warehouse.load.arrow_files import staged_batch
from warehouse.load.merge import CHANGED, merge, step
from warehouse.load.staging import Staging
from warehouse.load.vanished import keep_unlisted, take_out
from warehouse.schema.grants import grant_again
from warehouse.schema.labels import label

MANY = 1000
"""The number of changed rows from which the engine updates its statistics, and Postgres its map of settled pages."""


class Reference(msgspec.Struct, frozen=True):
    """The rows of the reference tables, which decode ids; each replaces the whole table of its source."""

    rows: Mapping[Entity, Sequence[TypedRow]]
    quarantined: Sequence[Quarantined] = ()


class Scanned(msgspec.Struct, frozen=True):
    """The result of a scan, except for its rows. Times are by the server's clock.

    `vanished` are records to remove; one that this scan also read stays. `unlisted` are records that a full check
    missed and keeps, each with the reason (HELD or HIDDEN); None keeps those noted earlier. `clocks` are both clocks
    when the scan began, for the next scan. `after` is the state in which the scan began: the load refuses a scan if
    another run has loaded since, because the lock was lost. `blind`: the list is empty, and the token may not see all.
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
    blind: bool = False


class Loaded(msgspec.Struct, frozen=True):
    """The result of a load: the run as stored in `control.runs`, the first changes, the new drift.

    `surplus` is the number of records that the warehouse has beyond the server's total at the start of the scan.
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
    """Merge the staged pages into the mirror; `finish` fills in the end of the run.

    Raises Busy or WarehouseError, with the warehouse unchanged.
    """
    pa.default_memory_pool().release_unused()  # what reading the pages took, so that the engine's memory replaces it
    with warehouse.transaction(run_id=run.run_id):
        warehouse.hold(f"loads of {run.source}")
        _check_order(warehouse, scanned, run)
        erased = read_erased(warehouse, run.source)
        scanned = _without_erased(warehouse, scanned, run, erased)
        _remember_source(warehouse, scanned, run, reference)
        if reference is not None:
            _replace_all(warehouse, reference, run)
        outcomes, changes = merge(warehouse, staging, scanned.entity, run, staging.of_erased(scanned.entity, erased))
        aside = {record.id for record in scanned.quarantined if record.entity == scanned.entity.name}
        vanished = [record for record in scanned.vanished if record.id not in aside]
        ended, taken_out = take_out(warehouse, scanned.entity, run, vanished)
        warehouse.execute("drop table accepted")
        if staging.left_out or run.kind == "full":
            whole = run.kind == "full" and not staging.resumed_at
            note_listed(warehouse, run.source, scanned.entity, staging.left_out, full=whole)
        left = scanned.unlisted is not None and keep_unlisted(warehouse, scanned.entity, run, scanned.unlisted)
        if run.kind == "full":
            close_quarantine(warehouse, run, scanned.entity)
        record_quarantine(warehouse, run.source, run.run_id, scanned.quarantined)
        drift = record_drift(warehouse, run.source, run.run_id, scanned.drift)
        _move_watermark(warehouse, scanned, run)
        state = read_state(warehouse, run.source, scanned.entity)
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
        if reference is not None:  # Postgres itself never analyzes small tables, and expects hundreds of companies
            warehouse.analyze(["control.sources", *(f"ninja.{entity.name}" for entity in reference.rows)])
        many = outcomes["inserted"] + outcomes["updated"] > MANY
        if many:
            warehouse.analyze([f"ninja.{table.name}" for table in (scanned.entity, *scanned.entity.children)])
    if many and warehouse.engine == POSTGRES:
        _settle(warehouse, scanned.entity)
    return Loaded(done, changes, drift, state.surplus(scanned.server_total))


def _settle(warehouse: Warehouse, entity: Entity) -> None:
    """Have Postgres note on which pages every session sees all rows: to count those, it reads an index alone.

    Otherwise Postgres does so some minutes after a load. A time limit or a lock of another session leaves it to that.
    """
    with suppress(WarehouseError):
        warehouse.execute(f"vacuum (skip_locked, truncate false) ninja.{entity.name}")


def _check_order(warehouse: Warehouse, scanned: Scanned, run: Run) -> None:
    """Raises Busy if another run has loaded since the scan began: this scan's records may be older."""
    if scanned.after is not None and read_last_load(warehouse, run.source, scanned.entity) != scanned.after.run_id:
        raise Busy(f"Another run of the source {run.source!r} has loaded meanwhile. Nothing was stored. Pull again.")


def _without_erased(warehouse: Warehouse, scanned: Scanned, run: Run, erased: Erased) -> Scanned:
    """Return the scan without the records of clients that were erased meanwhile."""
    if not erased.marks:
        return scanned
    entity, unlisted = scanned.entity, scanned.unlisted
    left_out = left_out_marks(warehouse, run.source, entity, erased)
    return replace(
        scanned,
        quarantined=[record for record in scanned.quarantined if not erased.has(client_of(entity, record))],
        vanished=[gone for gone in scanned.vanished if erased.mark_of(entity.name, gone.id) not in left_out],
        unlisted=unlisted
        and {key: why for key, why in unlisted.items() if erased.mark_of(entity.name, key) not in left_out},
    )


def _replace_all(warehouse: Warehouse, reference: Reference, run: Run) -> None:
    for entity, rows in reference.rows.items():
        _replace(warehouse, entity, rows, run)
        close_quarantine(warehouse, run, entity)
    record_quarantine(warehouse, run.source, run.run_id, reference.quarantined)
    note_server_rates(warehouse, run.source, now=run.began_at)
    if label(warehouse) and warehouse.engine == POSTGRES:
        grant_again(warehouse)


def _replace(warehouse: Warehouse, entity: Entity, rows: Sequence[TypedRow], run: Run) -> None:
    values = {"source": run.source, "run_id": run.run_id}
    warehouse.stage(
        f"stage_{entity.name}", staged_schema(entity, None), iter([staged_batch(entity, rows, first_arrival=0)])
    )
    step(warehouse, "replace_reference", values, entity)
    step(warehouse, "insert_reference", values, entity)
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
        "blind": scanned.blind,
    }
    warehouse.execute(statement("load/move_watermark"), values)

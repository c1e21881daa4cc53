"""The schema `control`: bindings of sources, runs, watermarks, quarantine, drift.

Unlike the mirror, it cannot be rebuilt from the server. So only numbered migrations change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast

import msgspec

from schemas.entities import CLIENTS, PULLED
from schemas.entity import Entity
from schemas.erased import NOBODY, Erased
from schemas.errors import SettingsError
from schemas.normalise import Drift, Quarantined
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement


class Binding(msgspec.Struct, frozen=True):
    """The company and server behind a source. The fingerprint is a hash of the company's key."""

    base_url: str
    company_id: str
    company_fingerprint: str


class State(msgspec.Struct, frozen=True):
    """The warehouse's knowledge of an entity of a source before a pull; `binding` is None before the first one.

    `quarantined` counts the records that are in quarantine and not in the mirror, `quarantine_open` all open entries,
    for clients also those of tables that are read with them. `began_at` is the server's clock at the start of the last
    load, `local_began_at` the clock of the machine that ran it. `run_id` is the last run that loaded, `full_at` the
    time of the last full check. `unexplained` is the difference of the totals (see `surplus`) that the full check could
    not explain; `held` is whether it kept missing records on purpose. `blind` is whether the last load met an empty
    list with a token that may not see everything. `erased` are the erased clients, who are left out everywhere;
    `erased_listed` counts the records left out for that.
    """

    binding: Binding | None = None
    server_version: str | None = None
    skew_seconds: int | None = None
    reference_at: datetime | None = None
    watermark: datetime | None = None
    newest_at: datetime | None = None
    began_at: datetime | None = None
    local_began_at: datetime | None = None
    run_id: str | None = None
    full_at: datetime | None = None
    unexplained: int | None = None
    held: bool | None = None
    blind: bool | None = None
    mirrored: int = 0
    quarantined: int = 0
    quarantine_open: int = 0
    erased_listed: int = 0
    erased: Erased = NOBODY

    def surplus(self, server_total: int | None) -> int:
        """Return how many more records the warehouse has than the server: purged, merged away, or new meanwhile."""
        return 0 if server_total is None else self.mirrored + self.quarantined + self.erased_listed - server_total


class Run(msgspec.Struct, frozen=True):
    """One row of `control.runs`. Times are the server's for `began_at`, this machine's for `finished_at`.

    The entities of a pull that have not changed share one row of kind `idle`, that of the first of them.
    """

    run_id: str
    source: str
    kind: str
    began_at: datetime
    finished_at: datetime
    seconds: float
    requests: int
    received: int = 0
    inserted: int = 0
    updated: int = 0
    touched: int = 0
    unchanged: int = 0
    vanished: int = 0
    quarantined: int = 0
    quarantine_open: int = 0
    changed: bool = False
    server_total: int | None = None
    mirrored: int | None = None
    server_version: str | None = None
    notes: str = "[]"
    entity: str = CLIENTS.name


def read_state(warehouse: Warehouse, source: str, entity: Entity = CLIENTS) -> State:
    """Return the state of an entity of a source; an empty State before the first pull."""
    columns, rows = warehouse.answer(state_of(entity), {"source": source})
    if not rows:
        return State()
    values = dict(zip(columns, rows[0], strict=True))
    bound = Binding(*(str(values.pop(name)) for name in Binding.__struct_fields__))
    return State(bound, erased=read_erased(warehouse, source), **values)  # type: ignore[arg-type]  # the statement names the fields, a test compares them


def state_of(entity: Entity) -> str:
    """Return the query for the state of an entity."""
    others = ", ".join(f"'{name}'" for name in PULLED if name != CLIENTS.name)
    if entity is CLIENTS:
        counted = f"q.entity not in ({others})"
        left_out = "control.erasures as e where e.source = $source and e.listed"
    else:
        counted = f"q.entity = '{entity.name}'"
        left_out = f"control.left_out_records as l where l.source = $source and l.entity = '{entity.name}'"
    left_out = f"(select count(*) from {left_out})"
    return statement("read/state").format(entity=entity.name, counted=counted, left_out=left_out)


def read_last_load(warehouse: Warehouse, source: str, entity: Entity = CLIENTS) -> str | None:
    """Return the last run that loaded an entity, as `read_state` does, which also counts all records."""
    rows = warehouse.rows(
        "select w.run_id from control.sources as s join control.watermarks as w on w.source = s.source "
        "where s.source = $source and w.entity = $entity",
        {"source": source, "entity": entity.name},
    )
    return str(rows[0][0]) if rows else None


def read_erased(warehouse: Warehouse, source: str) -> Erased:
    """Return the erased clients of a source."""
    ((salt,),) = warehouse.rows("select salt from control.salt")
    marks = warehouse.rows("select mark from control.erasures where source = $source", {"source": source})
    return Erased(source, str(salt), frozenset(str(mark) for (mark,) in marks))


def check_binding(source: str, known: Binding | None, binding: Binding) -> None:
    """Refuse data from another company or server for a bound source. Raises SettingsError."""
    if known is None or known == binding:
        return
    what = "another server" if known.base_url != binding.base_url else "another company"
    raise SettingsError(
        f"The source {source!r} is bound to company {known.company_id} at {known.base_url}, but URL and token lead to "
        f"{what}: company {binding.company_id} at {binding.base_url}. Nothing was written. Use another source name, "
        f"or, if the server has moved, `ninja-sync source rebind {source}`."
    )


def check_single_name(warehouse: Warehouse, source: str, binding: Binding) -> None:
    """Refuse a company that is bound to another source: its balances would count twice. Raises SettingsError."""
    values = {"base_url": binding.base_url, "fingerprint": binding.company_fingerprint}
    for (name,) in warehouse.rows(statement("read/source_of_company"), values):
        raise SettingsError(
            f"This company is in the warehouse already, as the source {name!r}. As {source!r}, every balance would "
            f"be there twice. Nothing was stored. Call the source {name!r}, or use another warehouse."
        )


def bind(warehouse: Warehouse, source: str, binding: Binding, *, version: str | None, now: datetime) -> None:
    """Write the binding of a source, in place of an earlier one."""
    warehouse.execute("delete from control.sources where source = $source", {"source": source})
    warehouse.execute(
        "insert into control.sources "
        "values ($source, $base_url, $company_id, $fingerprint, $version, null, null, $now)",
        {
            "source": source,
            "base_url": binding.base_url,
            "company_id": binding.company_id,
            "fingerprint": binding.company_fingerprint,
            "version": version,
            "now": now,
        },
    )


def record_run(warehouse: Warehouse, run: Run) -> None:
    """Write one row of `control.runs`."""
    values = {name: getattr(run, name) for name in Run.__struct_fields__}
    listed = ", ".join("cast($notes as json)" if name == "notes" else f"${name}" for name in values)
    warehouse.execute(f"insert into control.runs ({', '.join(values)}) values ({listed})", values)


def last_begun(
    warehouse: Warehouse, source: str, *, full: bool, entities: Sequence[str] = (CLIENTS.name,)
) -> datetime | None:
    """Return when the last pull of a source that read all these entities began, by the clock of its machine.

    With `full`, the last full check. None if one of the entities was not read yet. An idle run stands for all entities
    that no other run of the same pull read, and is written only if none has failed.
    """
    begun: dict[str, datetime] = {}
    for entity, kind, finished_at, seconds in warehouse.rows(
        statement("read/last_runs"), {"source": source, "full": full}
    ):
        moment = cast("datetime", finished_at) - timedelta(seconds=float(cast("Decimal", seconds)))
        for name in entities if kind == "idle" else [str(entity)]:
            begun[name] = max(begun.get(name, moment), moment)
    return min(begun[name] for name in entities) if begun.keys() >= set(entities) else None


def record_quarantine(warehouse: Warehouse, source: str, run_id: str, aside: Iterable[Quarantined]) -> None:
    """Write records into quarantine; a record that is already there gets the new reason."""
    for record in aside:
        values = {"source": source, "entity": record.entity, "id": record.id, "run_id": run_id}
        first = warehouse.rows(
            "select min(first_run_id) from control.quarantine "
            "where source = $source and entity = $entity and id = $id and resolved_run_id is null",
            values,
        )
        warehouse.execute(
            "delete from control.quarantine "
            "where source = $source and entity = $entity and id = $id and resolved_run_id is null",
            values,
        )
        warehouse.execute(
            "insert into control.quarantine "
            "values ($source, $entity, $id, $field, $reason, cast($record as json), $first, $run_id, null)",
            {
                **values,
                "field": record.field,
                "reason": record.reason,
                "record": record.record,
                "first": first[0][0] or run_id,
            },
        )


def close_quarantine(warehouse: Warehouse, run: Run, entity: Entity) -> None:
    """Close all entries of an entity after a full check; the run enters records that still do not fit again."""
    values = {"source": run.source, "entity": entity.name, "run_id": run.run_id}
    warehouse.execute(statement("load/close_quarantine"), values)


def record_drift(warehouse: Warehouse, source: str, run_id: str, drift: Iterable[Drift]) -> list[Drift]:
    """Remember new and missing fields; return those that were not known before."""
    known = {
        Drift(str(entity), str(field), str(kind))
        for entity, field, kind in warehouse.rows(
            "select entity, field, kind from control.drift where source = $source", {"source": source}
        )
    }
    fresh = sorted(set(drift) - known)
    for new in fresh:
        warehouse.execute(
            "insert into control.drift values ($source, $entity, $field, $kind, $run_id)",
            {"source": source, "entity": new.entity, "field": new.field, "kind": new.kind, "run_id": run_id},
        )
    return fresh

"""The schema `control`: what must not be lost. Bindings of sources, runs, watermarks, quarantine, drift.

Unlike the mirror, it cannot be rebuilt from the server, so it changes by numbered migrations alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast

from schemas.entity import Entity
from schemas.erased import NOBODY, Erased
from schemas.errors import SettingsError
from schemas.normalise import Drift, Quarantined
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement


@dataclass(frozen=True, slots=True)
class Binding:
    """The one company on one server that a source stands for. The fingerprint is a hash of the company's key."""

    base_url: str
    company_id: str
    company_fingerprint: str


@dataclass(frozen=True, slots=True)
class State:
    """What the warehouse knows of a source before a pull; `binding` is None before the first one.

    `quarantined` counts the clients that are in quarantine and not in the mirror, `quarantine_open` all open entries.
    `began_at` is the server's clock at the start of the last load, `local_began_at` that of the machine that ran it.
    `run_id` is the last run that loaded, `full_at` when everything was last read. `unexplained` is the disagreement of
    the totals (see `surplus`) that was left then, `held` whether missing clients were left on purpose.
    `erased` are left out of everything; `erased_listed` is how many of them the server still has.
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
    mirrored: int = 0
    quarantined: int = 0
    quarantine_open: int = 0
    erased_listed: int = 0
    erased: Erased = NOBODY

    def surplus(self, server_total: int | None) -> int:
        """How many clients more are known here than the server says: purged or merged away there, or new meanwhile."""
        return 0 if server_total is None else self.mirrored + self.quarantined + self.erased_listed - server_total


@dataclass(frozen=True, slots=True)
class Run:
    """One row of `control.runs`. Times are the server's for `began_at`, this machine's for `finished_at`."""

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


def read_state(warehouse: Warehouse, source: str) -> State:
    """What is known of a source; the empty State before its first pull."""
    columns, rows = warehouse.answer(statement("read/state"), {"source": source})
    if not rows:
        return State()
    found = dict(zip(columns, rows[0], strict=True))
    bound = Binding(*(str(found.pop(name)) for name in Binding.__dataclass_fields__))
    return State(bound, erased=read_erased(warehouse, source), **found)  # type: ignore[arg-type]  # the statement names the fields, a test compares them


def read_erased(warehouse: Warehouse, source: str) -> Erased:
    """The erased clients of a source."""
    ((salt,),) = warehouse.rows("select salt from control.salt")
    marks = warehouse.rows("select mark from control.erasures where source = $source", {"source": source})
    return Erased(source, str(salt), frozenset(str(mark) for (mark,) in marks))


def check_binding(source: str, known: Binding | None, found: Binding) -> None:
    """Refuse another company's or another server's data for a source that is bound. Raises SettingsError."""
    if known is None or known == found:
        return
    what = "another server" if known.base_url != found.base_url else "another company"
    raise SettingsError(
        f"The source {source!r} is bound to company {known.company_id} at {known.base_url}, but URL and token lead to "
        f"{what}: company {found.company_id} at {found.base_url}. Nothing was written. Use another source name, or, if "
        f"the server has moved, `ninja-sync source rebind {source}`."
    )


def check_single_name(warehouse: Warehouse, source: str, binding: Binding) -> None:
    """Refuse a company that is here under another name: each balance would stand twice. Raises SettingsError."""
    values = {"base_url": binding.base_url, "fingerprint": binding.company_fingerprint}
    for (name,) in warehouse.rows(statement("read/source_of_company"), values):
        raise SettingsError(
            f"This company is in the warehouse already, as the source {name!r}: under the name {source!r} every "
            f"balance would stand there twice. Nothing was stored. Call the source {name!r}, or use another warehouse."
        )


def bind(warehouse: Warehouse, source: str, binding: Binding, *, version: str | None, now: datetime) -> None:
    """Write the binding of a source; an earlier one is replaced."""
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
    values = {name: getattr(run, name) for name in Run.__dataclass_fields__}
    names, told = ", ".join(values), ("cast($notes as json)" if name == "notes" else f"${name}" for name in values)
    warehouse.execute(f"insert into control.runs ({names}) values ({', '.join(told)})", values)


def last_begun(warehouse: Warehouse, source: str, *, full: bool) -> datetime | None:
    """When the last run of a source that came to its end was begun, by the clock of the machine that ran it.

    `full`: the last one that read everything. None where there was none.
    """
    for finished_at, seconds in warehouse.rows(statement("read/last_run"), {"source": source, "full": full}):
        return cast("datetime", finished_at) - timedelta(seconds=float(cast("Decimal", seconds)))
    return None


def record_quarantine(warehouse: Warehouse, source: str, run_id: str, found: Iterable[Quarantined]) -> None:
    """Write records into quarantine; one that is there already gets the new reason."""
    for one in found:
        values = {"source": source, "entity": one.entity, "id": one.id, "run_id": run_id}
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
            {**values, "field": one.field, "reason": one.reason, "record": one.record, "first": first[0][0] or run_id},
        )


def close_quarantine(warehouse: Warehouse, run: Run, entity: Entity) -> None:
    """Close all entries of an entity whose records have just been read whole: what still does not fit is noted anew."""
    values = {"source": run.source, "entity": entity.name, "run_id": run.run_id}
    warehouse.execute(statement("load/close_quarantine"), values)


def record_drift(warehouse: Warehouse, source: str, run_id: str, found: Iterable[Drift]) -> list[Drift]:
    """Remember fields that are new or missing; those which were not known before are returned."""
    known = {
        Drift(str(entity), str(field), str(kind))
        for entity, field, kind in warehouse.rows(
            "select entity, field, kind from control.drift where source = $source", {"source": source}
        )
    }
    fresh = sorted(set(found) - known)
    for one in fresh:
        warehouse.execute(
            "insert into control.drift values ($source, $entity, $field, $kind, $run_id)",
            {"source": source, "entity": one.entity, "field": one.field, "kind": one.kind, "run_id": run_id},
        )
    return fresh

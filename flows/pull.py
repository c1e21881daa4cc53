"""The pull: Invoice Ninja → warehouse. Look, scan, stage, load, publish.

The warehouse is open at the start, for what it knows, and at the end, for one transaction; while pages are fetched it
is closed, so that a long fetch locks nobody out. The promise: a pull that starts after the last change leaves the
mirror equal to the server, for every change committed at most the look-back after its stamp.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from connector.door import Door
from connector.pages import Malformed
from connector.scan import FirstLook, Scan, first_look, key, next_watermark, read, stamp
from connector.verbs import current_company, lister
from flows.reference import read_reference, reference_is_due
from flows.settings import Settings, Source, base_url_of, warehouse_path
from schemas.diff import Change
from schemas.entities import CLIENTS
from schemas.errors import WarehouseError
from schemas.normalise import Drift, Quarantined, normalise
from warehouse.control import Binding, Run, State, check_binding, read_state, record_run
from warehouse.duckdb_engine import Warehouse
from warehouse.lock import one_run_at_a_time
from warehouse.migrations import open_migrated
from warehouse.publish import publish_if_due
from warehouse.staging import ScanKey, Staging
from warehouse.statements import statement
from warehouse.tables import columns

if TYPE_CHECKING:
    from warehouse.load import Reference

Tell = Callable[[str, int, int | None], None]
"""Is told how a run goes on: what it does now, how many records are through, of how many."""


@dataclass(frozen=True, slots=True)
class Clock:
    """This machine's clocks: for a run's own times, never for a watermark."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic


SYSTEM_CLOCK = Clock()


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did: the run as `control.runs` has it, its first changes, new drift, what was set aside.

    `vanished` is how many clients more the warehouse knows than the server: purged or merged away there, or just new.
    """

    run: Run
    changes: Sequence[Change] = ()
    drift: Sequence[Drift] = ()
    quarantined: Sequence[Quarantined] = ()
    notes: Sequence[str] = ()
    vanished: int = 0
    published: Path | None = None
    unpublished: bool = False

    @property
    def needs_a_look(self) -> bool:
        """Whether records are in quarantine, fields unknown, or copies for readers not written: exit code 7."""
        return bool(self.drift or self.quarantined or self.run.quarantine_open or self.unpublished)


@dataclass(frozen=True, slots=True)
class Job:
    """One pull of one source, with everything that comes in from outside."""

    settings: Settings
    name: str
    door: Door
    full: bool = False
    tell: Tell = lambda _doing, _done, _of: None
    clock: Clock = SYSTEM_CLOCK

    @property
    def source(self) -> Source:
        """The settings of the source."""
        return self.settings.sources[self.name]

    @property
    def path(self) -> Path:
        """The warehouse's file."""
        return warehouse_path(self.settings)


def pull(job: Job) -> Pulled:
    """Bring the mirror of a source up to date. Raises the errors of `schemas.errors`; then nothing was stored.

    Publishing comes after the load; one that fails is made up for by the next pull.
    """
    started = job.clock.monotonic()
    with one_run_at_a_time(job.path, job.name, wait=job.settings.wait):
        job.tell("looking", 0, None)
        look = first_look(lister(job.door, CLIENTS))
        with open_ready(job.settings, job.clock) as warehouse:
            state = read_state(warehouse, job.name)
            mirrored = is_mirrored(warehouse, job.name, look)
            if not job.full and mirrored and nothing_to_do(state, look, job.source):
                return _heartbeat(job, warehouse, state, look, started)
        return _pull_changes(job, state, look, started, company_is_known=mirrored)


def open_ready(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> Warehouse:
    """The warehouse of an installation, open and brought to this version."""
    return open_migrated(warehouse_path(settings), now=clock.now(), wait=settings.wait)


def _heartbeat(job: Job, warehouse: Warehouse, state: State, look: FirstLook, started: float) -> Pulled:
    """The one row that an idle pull writes."""
    run = replace(_run(job, look, "idle"), mirrored=state.mirrored, quarantine_open=state.quarantine_open)
    run = _finished(job, started)(run)
    record_run(warehouse, run)
    return _publish(job, warehouse, Pulled(run, vanished=state.vanished(look.total)))


def nothing_to_do(state: State, look: FirstLook, source: Source) -> bool:
    """Whether a mirror that has exactly the newest record is known to equal the server.

    The total is as it was, the last scan began at least the look-back after that record's stamp (so that no late
    commit can hide under it), server and version are the same, and the reference tables are not due.
    """
    if state.began_at is None or state.binding is None or look.total is None or look.newest is None:
        return False
    if not look.newest.get("client_hash"):
        return False  # perhaps a token that may not see money: the scan will say
    return (
        look.total in (state.mirrored + state.quarantined, state.server_total)
        and state.began_at.timestamp() >= stamp(look.newest) + source.look_back
        and state.binding.base_url == base_url_of(source)
        and state.server_version == look.version
        and not reference_is_due(state, look)
    )


def is_mirrored(warehouse: Warehouse, name: str, look: FirstLook) -> bool:
    """Whether the newest record of the server is in the mirror as it is: then the server is the one that is bound."""
    batch = normalise(CLIENTS, [look.newest])
    found = warehouse.rows(statement("read/row_version"), {"source": name, "id": key(look.newest)})
    return bool(batch.rows) and found == [(batch.rows[0].row_hash, _moment(stamp(look.newest)))]


def _pull_changes(job: Job, state: State, look: FirstLook, started: float, *, company_is_known: bool) -> Pulled:
    from warehouse.load import Scanned, load  # noqa: PLC0415 - pyarrow: 0.3 s which an idle pull does not spend

    binding, reference = _bound(job, state, look, company_is_known=company_is_known)
    staging, scan = _stage(job, state, look, binding, recheck=job.full or not company_is_known)
    with open_ready(job.settings, job.clock) as warehouse:
        job.tell("loading", staging.records, staging.records)
        watermark, newest = next_watermark(scan, job.source.look_back), scan.newest_seen or None
        scanned = Scanned(
            entity=CLIENTS,
            binding=binding,
            watermark=state.watermark if watermark is None else _moment(watermark),
            newest_at=state.newest_at if newest is None else _moment(newest),
            skew=scan.skew,
            server_total=look.total,
            quarantined=[*staging.quarantined, *map(_poison, scan.poison)],
            drift=frozenset(staging.drift),
        )
        run = replace(_run(job, scan.look, "full" if scan.full else "pull"), received=staging.records)
        run = replace(run, notes=msgspec.json.encode(scan.notes).decode())
        loaded = load(warehouse, staging, scanned, run, reference, _finished(job, started))
        staging.clear()
        job.tell("publishing", staging.records, staging.records)
        aside = [*scanned.quarantined, *(reference.quarantined if reference else ())]
        pulled = Pulled(loaded.run, loaded.changes, loaded.drift, aside, scan.notes, loaded.vanished)
        return _publish(job, warehouse, pulled)


def _publish(job: Job, warehouse: Warehouse, pulled: Pulled) -> Pulled:
    """Publish what no published copy shows yet, this run's changes or an earlier one's.

    What is loaded stays loaded where the copies cannot be written: that is told, and the next pull tries again.
    """
    if not job.settings.publish:
        return pulled
    try:
        return replace(pulled, published=publish_if_due(warehouse, now=job.clock.now()))
    except WarehouseError as problem:
        notes = [*pulled.notes, f"Loaded, but not published: {problem} The next pull tries again."]
        return replace(pulled, notes=notes, unpublished=True)


def _bound(job: Job, state: State, look: FirstLook, *, company_is_known: bool) -> tuple[Binding, Reference | None]:
    """The company that the source is bound to, checked where it is not certain; the reference tables, where due."""
    due = job.full or reference_is_due(state, look)
    if state.binding and company_is_known and state.binding.base_url == base_url_of(job.source) and not due:
        return state.binding, None
    company = current_company(job.door)
    binding = Binding(base_url_of(job.source), company.id, company.fingerprint)
    check_binding(job.name, state.binding, binding)
    return binding, read_reference(job.door, company) if due else None


def _stage(job: Job, state: State, look: FirstLook, binding: Binding, *, recheck: bool) -> tuple[Staging, Scan]:
    """Scan into staging. An interrupted scan of the same kind goes on where it stood."""
    scan = Scan(lister(job.door, CLIENTS), look, page_size=job.source.page_size, skew=_known_skew(state, look))
    scan.recheck = recheck
    since = None if job.full else _since(state, scan)
    staging = Staging.of(job.path, job.name)
    scan_key = ScanKey(
        binding.base_url, binding.company_id, binding.company_fingerprint, since, since is None, _shape()
    )
    # A full pull of a loaded source reads what changed without a new stamp, so it takes nothing from before it began.
    if (job.full and state.watermark is not None) or not staging.resume(scan_key, look.began):
        staging.begin(scan_key, look.began)
    for records in _read(scan, since, staging):
        batch = normalise(CLIENTS, [r for r in records if not isinstance(r, Malformed)])
        batch.quarantined += [_malformed(r) for r in records if isinstance(r, Malformed)]
        staging.add(CLIENTS, batch, cursor=scan.cursor, skew=scan.skew, newest_seen=scan.newest_seen)
        job.tell("reading", staging.records, look.total if scan.full else None)
    return staging, scan


def _since(state: State, scan: Scan) -> int | None:
    """The watermark; None, to read everything, where there is none or the server has gone back behind it."""
    watermark = None if state.watermark is None else int(state.watermark.timestamp())
    newest = stamp(scan.look.newest)
    if watermark is not None and newest and newest < watermark:
        scan.notes.append("The server's newest change is older than the last one loaded: was it restored? All is read.")
        return None
    return watermark


def _read(scan: Scan, since: int | None, staging: Staging) -> Iterator[list[object]]:
    """The pages of the scan, behind those that are staged already."""
    if not staging.pages:
        return read(scan, since)
    last = staging.pages[-1]
    scan.newest_seen, scan.skew, scan.recheck = last.newest_seen, last.skew, True
    scan.look = replace(scan.look, began=min(scan.look.began, staging.began))
    scan.notes.append(f"An interrupted scan went on behind its {staging.records} staged records.")
    return read(scan, since, resume_at=last.cursor)


def _known_skew(state: State, look: FirstLook) -> int | None:
    """The skew measured before; measured anew after an upgrade of the server."""
    return state.skew_seconds if state.server_version == look.version else None


def _malformed(record: Malformed) -> Quarantined:
    return Quarantined(CLIENTS.name, record.id, "record", "is no valid JSON text")


def _poison(name: str) -> Quarantined:
    return Quarantined(CLIENTS.name, name, "record", "cannot be sent by the server: it answers nothing, or an error")


def _shape() -> str:
    """A fingerprint of the staged columns: pages staged by another version are read again."""
    told = [list(columns(CLIENTS, None)), *(list(columns(child, CLIENTS)) for child in CLIENTS.children)]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def _run(job: Job, look: FirstLook, kind: str) -> Run:
    now = job.clock.now()
    return Run(
        run_id=f"{now:%Y%m%dT%H%M%SZ}-{job.name}-{secrets.token_hex(3)}",
        source=job.name,
        kind=kind,
        began_at=datetime.fromtimestamp(look.began, UTC),
        finished_at=now,
        seconds=0.0,
        requests=job.door.requests,
        server_total=look.total,
        server_version=look.version,
    )


def _finished(job: Job, started: float) -> Callable[[Run], Run]:
    """What stamps a run at its end: publishing comes after it."""

    def finish(run: Run) -> Run:
        seconds = round(job.clock.monotonic() - started, 3)
        return replace(run, finished_at=job.clock.now(), seconds=seconds, requests=job.door.requests)

    return finish


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

"""Stage the scan's pages, normalised, in private files while the warehouse is closed."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from contextlib import closing

from msgspec.structs import replace

from connector.api.presence import record_now
from connector.api.verbs import lister
from connector.scan.pages import Malformed
from connector.scan.ranges import with_tail
from connector.scan.scan import read
from connector.scan.state import FirstLook, Scan, key, stamp
from flows.pull.job import Job
from flows.pull.known import Known
from schemas.clocks import Clocks
from schemas.entity import Entity
from schemas.erased import Erased
from schemas.errors import EndlessList
from schemas.normalise import Quarantined, normalise, told_apart
from schemas.shape import Shapes, value_of
from warehouse.control.state import Binding, State
from warehouse.load.staging import ScanKey, Staging
from warehouse.schema.mirror import columns


def stage(job: Job, known: Known, binding: Binding) -> tuple[Staging, Scan]:
    """Scan into staging. An interrupted scan of the same kind resumes where it stopped."""
    state, look = known.state, known.look
    scan = Scan(
        lister(job.door, job.entity, Shapes(job.entity)),
        look,
        page_size=job.source.page_size,
        skew=_known_skew(state, look),
        recent=known.recent,
        find=lambda record_id: record_now(job.door, record_id, job.entity),
    )
    scan.recheck, scan.connections = job.full or not known.mirrored, job.source.connections
    since = None if job.full else _since(state, scan)
    staging = Staging.of(job.place, job.name, job.entity)
    scan_key = ScanKey(
        binding.base_url, binding.company_id, binding.company_fingerprint, since, since is None, _shape(job.entity)
    )
    # A full pull of a loaded source looks for changes without a new stamp, so it resumes from no earlier pages.
    if (job.full and state.watermark is not None) or not staging.resume(scan_key, known.sight.now):
        staging.begin(scan_key, known.sight.begun)
    pages = _read(scan, since, staging, known, job.source.look_back)
    try:
        with closing(pages):  # ends its threads on any error
            for page in pages:
                _add(job.entity, page, scan, staging, state.erased)
                job.progress("reading", staging.records, look.total if scan.full else None)
    except EndlessList:
        staging.clear()  # some of these pages may be wrong, so the next pull must not resume from them
        raise
    return staging, scan


def _add(entity: Entity, page: list[object], scan: Scan, staging: Staging, erased: Erased) -> None:
    """Stage one page; set records that do not fit aside, with the reason."""
    records = _without_erased(entity, page, erased, staging)
    batch = normalise(entity, [r for r in records if not isinstance(r, Malformed)])
    malformed = [_malformed(entity, r) for r in records if isinstance(r, Malformed)]
    batch.quarantined = told_apart([*batch.quarantined, *malformed])
    staging.add(entity, batch, open=scan.open, skew=scan.skew, newest_seen=scan.newest_seen)


def _without_erased(entity: Entity, records: list[object], erased: Erased, staging: Staging) -> list[object]:
    """Return the records of a page without those of erased clients; note the marks of those."""
    if not (erased.marks and entity.client_column):
        return records
    kept = []
    for record in records:
        if erased.has(value_of(record, entity.client_column)):
            staging.left_out.add(erased.mark_of(entity.name, key(record)))
        else:
            kept.append(record)
    return kept


def _since(state: State, scan: Scan) -> int | None:
    """Return the watermark; None, to read everything, if there is none or the server is older than it."""
    watermark = None if state.watermark is None else int(state.watermark.timestamp())
    newest = stamp(scan.look.newest)
    if watermark is not None and newest and newest < watermark:
        scan.notes.append(
            "The server's newest change is older than the last one loaded: was it restored? This pull reads everything."
        )
        return None
    return watermark


def _read(
    scan: Scan, since: int | None, staging: Staging, known: Known, look_back: int
) -> Generator[list[object], None, None]:
    """Yield the pages of the scan after those that are staged already.

    A resumed scan reads the end of the list from the look-back before the interrupted scan began, as between two pulls,
    because late commits may be anywhere in it. If the server's clock has gone back, it reads from that much earlier.
    """
    if not staging.pages:
        return read(scan, None if since is None else max(1, since - known.back))
    back = Clocks(staging.began, staging.here).gone_back(known.sight.now)
    last = staging.pages[-1]
    scan.newest_seen, scan.skew, scan.recheck = last.newest_seen, last.skew, True
    scan.look = replace(scan.look, began=min(scan.look.began, staging.began))
    scan.notes.append(f"An interrupted scan resumed after its {staging.records} staged records.")
    return read(scan, since, resume=with_tail(last.open, staging.began - look_back - back))


def _known_skew(state: State, look: FirstLook) -> int | None:
    """Return the skew measured before; None, to measure it again, after an upgrade of the server."""
    return state.skew_seconds if state.server_version == look.version else None


def _malformed(entity: Entity, record: Malformed) -> Quarantined:
    return Quarantined(entity.name, record.id, "record", "is not valid JSON")


def poison(entity: Entity, name: str) -> Quarantined:
    """Return the entry for a record that no request brings, named by its id if that is known."""
    return Quarantined(entity.name, name, "record", "cannot be read: the server answers nothing, or an error")


def _shape(entity: Entity) -> str:
    """Return a fingerprint of the staged columns: pages staged by another version are read again."""
    staged = [list(columns(entity, None)), *(list(columns(child, entity)) for child in entity.children)]
    return hashlib.sha256(repr(staged).encode()).hexdigest()[:16]

"""The pull: Invoice Ninja → warehouse. Look, scan, stage, load, publish.

A pull opens the warehouse at the start, to read its state, and at the end, for one transaction. It is closed while
pages arrive, so that a long scan locks nobody out. The promise: a pull that starts after the last change leaves the
mirror equal to the server, for every change committed at most the look-back after its stamp.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from connector.api.activities import sees_all
from connector.api.verbs import current_company
from connector.scan.scan import next_watermark
from connector.scan.state import Scan
from flows.pull.activities import pull_activities
from flows.pull.job import Departed, Job, Pulled, both, patiently
from flows.pull.known import (
    Known,
    Sight,
    check_unread,
    compare,
    look_again,
    look_at_server,
    nothing_to_do,
    remember_a_wrong_total,
    sweep_is_due,
    with_recent,
)
from flows.pull.reconcile import reconcile
from flows.pull.reference import read_reference, reference_is_due
from flows.pull.stage import poison, stage
from flows.session.backups import remove_backups
from flows.session.door import base_url_of, secrets_of
from flows.session.ready import open_ready
from flows.upkeep.erase import clean, erase_purged, expire
from schemas.clocks import Clocks
from schemas.entities import CLIENTS
from schemas.errors import UnexpectedShape, WarehouseError
from schemas.vanished import PURGED
from warehouse.control.erase import pending
from warehouse.control.state import Binding, Run, check_binding, record_run
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement
from warehouse.load.staging import Staging
from warehouse.load.vanished import unlisted
from warehouse.locks.lock import one_run_at_a_time
from warehouse.opened.secret_hosts import note_hosts
from warehouse.publish.publish import Postponed, publish_if_due

if TYPE_CHECKING:
    from warehouse.load.load import Reference

BLIND = (
    "The server lists no clients to this token, and the token may not see the whole company: lists leave out clients "
    "that it may not see, without saying so. Use a token of an owner or administrator."
)
MOST_NAMED = 200
"""The number of unlisted clients that a pull names; mart.unlisted_clients has all of them."""


def pull(job: Job) -> Pulled:
    """Bring the mirror of a source up to date. Raises the errors of `schemas.errors`; then that run stored nothing.

    Raises ReadAlready too, for a job that shares its work. If the totals disagree afterwards, clients have vanished
    from the server: then the pull does one full check. Publishing comes after the load; if it fails, the next pull
    publishes.
    """
    wait = 0 if job.due else job.settings.wait  # a run that shares its work can read another source first
    with one_run_at_a_time(job.place, job.name, wait=wait):
        started = job.clock.monotonic()
        if job.due:
            check_unread(job, job.due)
        job.progress("looking", 0, None)
        sight = look_at_server(job)
        with open_ready(job.settings, job.clock) as warehouse:
            known = compare(warehouse, job, sight)
            remove_backups(job.settings, job.name, known.state.erased.has)  # another machine may have erased clients
            due = sweep_is_due(known, job.source)
            unfinished = pending(warehouse)
            if not (job.full or due or unfinished) and nothing_to_do(known, job.source):
                return _heartbeat(job, warehouse, known, started)
            known = with_recent(warehouse, job, known)
        if unfinished:  # a kill interrupted an erasure
            clean(job.settings, job.clock)
        pulled, surplus = _pull_changes(job, known, started)
        if pulled.run.kind != "full" and (due or surplus != (known.state.unexplained or 0)):
            pulled = _with_sweep(job, pulled, due=due)
        if not known.look.total and not sees_all(job.door):
            pulled = replace(pulled, notes=[*pulled.notes, BLIND], blind=True)
        if job.source.activities:
            pulled = replace(pulled, notes=[*pulled.notes, *pull_activities(job, pulled, sight)])
        purged = [client.id for client in pulled.departed if client.kind == PURGED]
        if notes := erase_purged(job.settings, job.name, purged, job.clock):
            named = [client for client in pulled.departed if client.kind != PURGED]
            pulled = replace(pulled, notes=[*pulled.notes, *notes], departed=named)
        return _published(job, pulled)


def _heartbeat(job: Job, warehouse: Warehouse, known: Known, started: float) -> Pulled:
    """Write the one row of an idle pull, and remove pages left by a run that was killed after its commit."""
    Staging.of(job.place, job.name).clear()
    state, notes = known.state, known.sight.notes
    run = replace(_run(job, known.sight, "idle"), mirrored=state.mirrored, quarantine_open=state.quarantine_open)
    run = _finished(job, started)(replace(run, notes=_as_json(notes)))
    record_run(warehouse, run)
    return _publish(job, warehouse, Pulled(run, notes=notes, left=max(state.unexplained or 0, 0)))


def _with_sweep(job: Job, pulled: Pulled, *, due: bool) -> Pulled:
    """Do a full check if it is due or needed. If it fails, publish the changes loaded before it."""
    try:
        return _swept(job, pulled, due=due)
    except Exception:
        _published(job, pulled)
        raise


def _swept(job: Job, pulled: Pulled, *, due: bool) -> Pulled:
    """Do a full check if it is due, or if the totals certainly disagree.

    The trap: the server gave its total before the scan, so clients created since count here but not there. So we ask
    for the total again. Every mirrored client was once on the server, so a surplus over the new total means that
    clients have vanished. A smaller mirror is certain only if nothing has changed since: then the server lists clients
    again that it had left out, and their changes meanwhile may carry stamps before the watermark.
    """
    started, asked = job.clock.monotonic(), job.door.requests
    now = look_again(job)
    surplus, known = now.surplus, now.state.unexplained or 0
    differs = now.look.total is not None and (surplus > known or (now.mirrored and surplus < known))
    if not (differs or due):
        return replace(pulled, left=max(known, 0))
    swept, _ = _pull_changes(replace(job, full=True), now, started, asked_before=asked)
    if not differs:
        return both(pulled, swept, "A full check was due, as set by sweep_days.")
    if not swept.departed and swept.left != surplus:
        remember_a_wrong_total(job, surplus)
    more = f"{abs(surplus):,} {'more' if surplus > 0 else 'fewer'} here than on the server"
    if surplus < known and known > 0:
        more = f"{known - max(surplus, 0):,} listed again"
    elif not surplus:
        more = "one more here than before"
    return both(pulled, swept, f"Clients: {more}; so a full check followed.")


def _pull_changes(job: Job, known: Known, started: float, *, asked_before: int = 0) -> tuple[Pulled, int]:
    """Run once; return the result and the number of clients that the warehouse then has beyond the server's total."""
    from warehouse.load.load import Scanned, load  # noqa: PLC0415 - pyarrow: an idle pull saves 0.3 s

    job = replace(job, full=True) if known.doubt else job
    state = known.state
    binding, reference = _bound(job, known)
    staging, scan = stage(job, known, binding)
    if scan.full or not known.mirrored:
        _check_company_again(job, binding, staging)
    aside = [*staging.quarantined, *map(poison, scan.poison)]
    verdict = reconcile(job, state, staging, scan, {record.id for record in aside})
    notes = [*known.notes(), *scan.notes, *verdict.notes]
    watermark, newest = next_watermark(scan, job.source.look_back), scan.newest_seen or None
    scanned = Scanned(
        entity=CLIENTS,
        binding=binding,
        watermark=state.watermark if watermark is None else _moment(watermark),
        newest_at=state.newest_at if newest is None else _moment(newest),
        skew=scan.skew,
        server_total=known.look.total,
        quarantined=aside,
        drift=frozenset(staging.drift),
        vanished=verdict.vanished,
        unlisted=verdict.unlisted if scan.full else None,
        after=state,
        clocks=Clocks(scan.look.began, staging.here),
    )
    run = _run(job, known.sight, "full" if scan.full else "pull", scan)
    run = replace(run, received=staging.records, notes=_as_json(notes))
    job.progress("loading", staging.records, staging.records)
    finish = _finished(job, started, asked_before)
    loaded = patiently(job, lambda warehouse: load(warehouse, staging, scanned, run, reference, finish))
    departed, named = [], []
    if verdict.vanished or verdict.held:
        with open_ready(job.settings, job.clock) as warehouse:
            departed = _departed(warehouse, loaded.run) if verdict.vanished else []
            named = unlisted(warehouse, job.name, MOST_NAMED) if verdict.held else []
    staging.clear()
    return Pulled(
        loaded.run,
        loaded.changes,
        loaded.drift,
        [*aside, *(reference.quarantined if reference else ())],
        notes,
        departed,
        left=len(verdict.unlisted) if scan.full else max(state.unexplained or 0, 0),
        unlisted=named,
        held=verdict.held,
    ), loaded.surplus


def _departed(warehouse: Warehouse, run: Run) -> list[Departed]:
    """Return the clients that a run removed, for its report."""
    rows = warehouse.rows(statement("read/departed"), {"source": run.source, "run_id": run.run_id})
    return [Departed(*row) for row in rows]  # type: ignore[arg-type]  # the statement names the fields, a test compares


def _published(job: Job, pulled: Pulled) -> Pulled:
    job.progress("publishing", pulled.run.received, pulled.run.received)
    with open_ready(job.settings, job.clock) as warehouse:
        return _publish(job, warehouse, pulled)


def _publish(job: Job, warehouse: Warehouse, pulled: Pulled) -> Pulled:
    """Publish the changes of this run and of earlier ones that no published copy shows yet.

    If the copies cannot be written, the load stays, a note says so, and the next pull tries again. If writing them
    takes long, it may be postponed, with a note too.
    """
    note_hosts(warehouse, base_url_of(job.source), secrets_of(job.source), job.clock.now())
    expire(job.settings, warehouse, job.name, job.clock)
    if not job.settings.publish:
        return pulled
    try:
        done = publish_if_due(warehouse, now=job.clock.now())
    except WarehouseError as problem:
        notes = [*pulled.notes, f"Loaded, but not published: {problem} The next pull tries again."]
        return replace(pulled, notes=notes, unpublished=True)
    if isinstance(done, Postponed):
        return replace(pulled, notes=[*pulled.notes, str(done)])
    return replace(pulled, published=done)


def _bound(job: Job, known: Known) -> tuple[Binding, Reference | None]:
    """Return the binding of the source, checked unless it is certain, and the reference tables if they are due."""
    state, due = known.state, job.full or reference_is_due(known.state, known.look)
    if state.binding and known.mirrored and state.binding.base_url == base_url_of(job.source) and not due:
        return state.binding, None
    company = current_company(job.door)
    binding = Binding(base_url_of(job.source), company.id, company.fingerprint)
    check_binding(job.name, state.binding, binding)
    return binding, read_reference(job.door, company) if due else None


def _check_company_again(job: Job, binding: Binding, staging: Staging) -> None:
    """Raises UnexpectedShape if the server answers for another company than before the scan."""
    if current_company(job.door).fingerprint != binding.company_fingerprint:
        staging.clear()  # its pages may belong to either company
        raise UnexpectedShape(
            "During the scan, the server began to answer for another company; nothing was stored. Does a proxy or a "
            "cache in front of it mix up answers?"
        )


def _run(job: Job, sight: Sight, kind: str, scan: Scan | None = None) -> Run:
    """Return the row of a run. A run that resumed an interrupted scan began with that scan."""
    now, look = job.clock.now(), sight.look
    resumed = scan is not None and scan.look.began < look.began
    return Run(
        run_id=f"{now:%Y%m%dT%H%M%SZ}-{job.name}-{secrets.token_hex(3)}",
        source=job.name,
        kind=kind,
        began_at=_moment(scan.look.began) if scan and resumed else sight.moment,
        finished_at=now,
        seconds=0.0,
        requests=job.door.requests,
        server_total=look.total,
        server_version=look.version,
    )


def _finished(job: Job, started: float, asked_before: int = 0) -> Callable[[Run], Run]:
    """Return the function that fills in the end of a run, with its requests after the first `asked_before`.

    It runs before publishing.
    """

    def finish(run: Run) -> Run:
        seconds = round(job.clock.monotonic() - started, 3)
        return replace(run, finished_at=job.clock.now(), seconds=seconds, requests=job.door.requests - asked_before)

    return finish


def _as_json(notes: Sequence[str]) -> str:
    return msgspec.json.encode(list(notes)).decode()


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

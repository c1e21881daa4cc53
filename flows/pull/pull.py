"""The pull: Invoice Ninja → warehouse. Look, scan, stage, load, publish.

The warehouse is open at the start, for what it knows, and at the end, for one transaction; while pages are fetched it
is closed, so that a long fetch locks nobody out. The promise: a pull that starts after the last change leaves the
mirror equal to the server, for every change committed at most the look-back after its stamp.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from connector.api.activities import sees_all
from connector.api.verbs import current_company
from connector.scan.scan import next_watermark
from connector.scan.state import Scan
from flows.pull.activities import pull_activities
from flows.pull.job import Departed, Job, Pulled, both, patiently
from flows.pull.known import Known, Sight, compare, look_again, look_at_server, nothing_to_do, sweep_is_due
from flows.pull.reconcile import reconcile
from flows.pull.reference import read_reference, reference_is_due
from flows.pull.stage import poison, stage
from flows.session.backups import remove_backups
from flows.session.door import base_url_of, secrets_of
from flows.session.ready import open_ready
from flows.upkeep.erase import clean, erase_purged, expire
from schemas.clocks import JITTER, Clocks
from schemas.entities import CLIENTS
from schemas.errors import ReadAlready, UnexpectedShape, WarehouseError
from schemas.vanished import PURGED
from warehouse.control.erase import pending
from warehouse.control.state import Binding, Run, check_binding, last_begun, record_run
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement
from warehouse.load.staging import Staging
from warehouse.load.vanished import remember_unexplained, unlisted
from warehouse.locks.lock import one_run_at_a_time
from warehouse.opened.secret_hosts import note_hosts
from warehouse.publish.publish import Postponed, publish_if_due

if TYPE_CHECKING:
    from warehouse.load.load import Reference

BLIND = (
    "The server lists no client to this token, and the token may not see the whole company: lists leave out clients "
    "that it may not see, and do not say so. Use a token of an owner or administrator."
)
MOST_NAMED = 200
"""Clients that are not listed of which a pull tells one by one; mart.unlisted_clients has them all."""


def pull(job: Job) -> Pulled:
    """Bring the mirror of a source up to date. Raises the errors of `schemas.errors`; then that run stored nothing.

    Also ReadAlready, for a job that shares its work.
    Where the totals disagree afterwards, clients have vanished from the server: then everything is read, once.
    Publishing comes after the load; one that fails is made up for by the next pull.
    """
    wait = 0 if job.due else job.settings.wait  # a run that shares its work has others to read meanwhile
    with one_run_at_a_time(job.place, job.name, wait=wait):
        started = job.clock.monotonic()
        if job.due:
            _check_unread(job, job.due)
        job.progress("looking", 0, None)
        sight = look_at_server(job)
        with open_ready(job.settings, job.clock) as warehouse:
            known = compare(warehouse, job, sight)
            remove_backups(job.settings, job.name, known.state.erased.has)  # of clients that another machine has erased
            due = sweep_is_due(known, job.source)
            unfinished = pending(warehouse)
            if not (job.full or due or unfinished) and nothing_to_do(known, job.source):
                return _heartbeat(job, warehouse, known, started)
        if unfinished:  # an erasure that was killed
            clean(job.settings, job.clock)
        pulled, surplus = _pull_changes(job, known, started)
        if pulled.run.kind != "full" and (due or surplus != (known.state.unexplained or 0)):
            pulled = _with_sweep(job, pulled, due=due)
        if not known.look.total and not sees_all(job.door):
            pulled = replace(pulled, notes=[*pulled.notes, BLIND], blind=True)
        if job.source.activities:
            pulled = replace(pulled, notes=[*pulled.notes, *pull_activities(job, pulled, sight)])
        purged = [client.id for client in pulled.departed if client.kind == PURGED]
        if told := erase_purged(job.settings, job.name, purged, job.clock):
            named = [one for one in pulled.departed if one.kind != PURGED]
            pulled = replace(pulled, notes=[*pulled.notes, *told], departed=named)
        return _published(job, pulled)


def _check_unread(job: Job, due: datetime) -> None:
    """Raises ReadAlready where another run has read the source since; under its lock, so that none can come between.

    A run that begins in the future was begun by a clock that was ahead: it may have read before this one was due.
    """
    with open_ready(job.settings, job.clock) as warehouse:
        begun = last_begun(warehouse, job.name, full=job.full)
    if begun is not None and due <= begun <= job.clock.now() + timedelta(seconds=JITTER):
        raise ReadAlready


def _heartbeat(job: Job, warehouse: Warehouse, known: Known, started: float) -> Pulled:
    """The one row that an idle pull writes. Pages of a run that was killed behind its commit are of no use any more."""
    Staging.of(job.place, job.name).clear()
    state, notes = known.state, known.sight.notes
    run = replace(_run(job, known.sight, "idle"), mirrored=state.mirrored, quarantine_open=state.quarantine_open)
    run = _finished(job, started)(replace(run, notes=_as_json(notes)))
    record_run(warehouse, run)
    return _publish(job, warehouse, Pulled(run, notes=notes, left=max(state.unexplained or 0, 0)))


def _with_sweep(job: Job, pulled: Pulled, *, due: bool) -> Pulled:
    """Read everything too, where that is due or needed. What was loaded before is published, whatever comes of it."""
    try:
        return _swept(job, pulled, due=due)
    except Exception:
        _published(job, pulled)
        raise


def _swept(job: Job, pulled: Pulled, *, due: bool) -> Pulled:
    """Read everything where that is due, or where the totals disagree for certain.

    The trap: the total was told before the scan, and clients that are new since count here and not there. So it is
    asked for again. Whatever is here was on the server at some time, so a surplus over what it lists now is of clients
    that have vanished. That there are fewer is certain only where nothing has changed since: then clients are listed
    again that were not, and what became of them meanwhile may be stamped before the watermark.
    """
    started, asked = job.clock.monotonic(), job.door.requests
    now = look_again(job)
    surplus, known = now.surplus, now.state.unexplained or 0
    differs = now.look.total is not None and (surplus > known or (now.mirrored and surplus < known))
    if not (differs or due):
        return replace(pulled, left=max(known, 0))
    swept, _ = _pull_changes(replace(job, full=True), now, started, asked_before=asked)
    if not differs:
        return both(pulled, swept, "Everything was read, as every sweep_days.")
    if not swept.departed and swept.left != surplus:
        _remember_a_wrong_total(job, surplus)
    more = f"{abs(surplus):,} {'more' if surplus > 0 else 'fewer'} here than on the server"
    if surplus < known and known > 0:
        more = f"{known - max(surplus, 0):,} listed again"
    elif not surplus:
        more = "one more here than was known"
    return both(pulled, swept, f"Clients: {more}; so everything was read.")


def _remember_a_wrong_total(job: Job, surplus: int) -> None:
    """A total that disagrees by as much as before, although everything was met, is no reason to read it all again.

    The trap: a client that was read and vanished during the scan makes the totals disagree too. That was not so before.
    """
    now = look_again(job)
    if not (now.mirrored and now.surplus == surplus):
        return
    with open_ready(job.settings, job.clock) as warehouse:
        remember_unexplained(warehouse, job.name, CLIENTS, surplus)


def _pull_changes(job: Job, known: Known, started: float, *, asked_before: int = 0) -> tuple[Pulled, int]:
    """One run; with it, how many clients more are in the warehouse then than the server has told."""
    from warehouse.load.load import Scanned, load  # noqa: PLC0415 - pyarrow: 0.3 s which an idle pull does not spend

    job = replace(job, full=True) if known.doubt else job
    state = known.state
    binding, reference = _bound(job, known)
    staging, scan = stage(job, known, binding)
    if scan.full or not known.mirrored:
        _check_company_again(job, binding, staging)
    aside = [*staging.quarantined, *map(poison, scan.poison)]
    verdict = reconcile(job, state, staging, scan, {one.id for one in aside})
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
    """The clients that a run has taken out, for its report."""
    found = warehouse.rows(statement("read/departed"), {"source": run.source, "run_id": run.run_id})
    return [Departed(*row) for row in found]  # type: ignore[arg-type]  # the statement names the fields, a test compares


def _published(job: Job, pulled: Pulled) -> Pulled:
    job.progress("publishing", pulled.run.received, pulled.run.received)
    with open_ready(job.settings, job.clock) as warehouse:
        return _publish(job, warehouse, pulled)


def _publish(job: Job, warehouse: Warehouse, pulled: Pulled) -> Pulled:
    """Publish what no published copy shows yet, this run's changes or an earlier one's.

    What is loaded stays loaded where the copies cannot be written: that is told, and the next pull tries again. Where
    writing them is dear, it is postponed: that is told too.
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
    """The company that the source is bound to, checked where it is not certain; the reference tables, where due."""
    state, due = known.state, job.full or reference_is_due(known.state, known.look)
    if state.binding and known.mirrored and state.binding.base_url == base_url_of(job.source) and not due:
        return state.binding, None
    company = current_company(job.door)
    binding = Binding(base_url_of(job.source), company.id, company.fingerprint)
    check_binding(job.name, state.binding, binding)
    return binding, read_reference(job.door, company) if due else None


def _check_company_again(job: Job, binding: Binding, staging: Staging) -> None:
    """Raises UnexpectedShape where the server answers for another company than before the scan."""
    if current_company(job.door).fingerprint != binding.company_fingerprint:
        staging.clear()  # nobody knows of which company its pages are
        raise UnexpectedShape(
            "While the clients were read, the server began to answer for another company; nothing was stored. Does a "
            "proxy or a cache in front of it mix up answers?"
        )


def _run(job: Job, sight: Sight, kind: str, scan: Scan | None = None) -> Run:
    """The record of a run; one that went on with an interrupted scan began with it."""
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
    """What stamps a run at its end, with the requests behind `asked_before`: publishing comes after it."""

    def finish(run: Run) -> Run:
        seconds = round(job.clock.monotonic() - started, 3)
        return replace(run, finished_at=job.clock.now(), seconds=seconds, requests=job.door.requests - asked_before)

    return finish


def _as_json(notes: Sequence[str]) -> str:
    return msgspec.json.encode(list(notes)).decode()


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

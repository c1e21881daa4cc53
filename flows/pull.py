"""The pull: Invoice Ninja → warehouse. Look, scan, stage, load, publish.

The warehouse is open at the start, for what it knows, and at the end, for one transaction; while pages are fetched it
is closed, so that a long fetch locks nobody out. The promise: a pull that starts after the last change leaves the
mirror equal to the server, for every change committed at most the look-back after its stamp.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from connector.scan import FirstLook, first_look, key, next_watermark, stamp
from connector.verbs import current_company, lister
from flows.activities import pull_activities
from flows.backups import remove_backups
from flows.erase import clean, erase_purged, expire
from flows.job import Departed, Job, Pulled, ReadAlready, both, open_ready, patiently
from flows.reconcile import reconcile
from flows.reference import read_reference, reference_is_due
from flows.settings import Source, base_url_of
from flows.stage import poison, stage
from schemas.entities import CLIENTS
from schemas.errors import WarehouseError
from schemas.normalise import normalise
from schemas.vanished import PURGED
from warehouse.control import Binding, Run, State, check_binding, last_begun, read_state, record_run
from warehouse.engine import Warehouse
from warehouse.erase import pending
from warehouse.lock import one_run_at_a_time
from warehouse.publish import Postponed, publish_if_due
from warehouse.staging import Staging
from warehouse.statements import statement
from warehouse.vanished import remember_unexplained, unlisted

if TYPE_CHECKING:
    from warehouse.load import Reference

DAY = 86400
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
        job.tell("looking", 0, None)
        look = first_look(lister(job.door, CLIENTS))
        with open_ready(job.settings, job.clock) as warehouse:
            state = read_state(warehouse, job.name)
            remove_backups(job.settings, job.name, state.erased.has)  # of clients that another machine has erased
            mirrored = is_mirrored(warehouse, job.name, look)
            due = sweep_is_due(state, look, job.source)
            unfinished = pending(warehouse)
            if not (job.full or due or unfinished) and mirrored and nothing_to_do(state, look, job.source):
                return _heartbeat(job, warehouse, state, look, started)
        if unfinished:  # an erasure that was killed
            clean(job.settings, job.clock)
        pulled, surplus = _pull_changes(job, state, look, started, company_is_known=mirrored)
        if pulled.run.kind != "full" and (due or surplus != (state.unexplained or 0)):
            pulled = _with_sweep(job, pulled, due=due)
        if job.source.activities:
            pulled = replace(pulled, notes=[*pulled.notes, *pull_activities(job, pulled)])
        if told := erase_purged(job, pulled):
            named = [one for one in pulled.departed if one.kind != PURGED]
            pulled = replace(pulled, notes=[*pulled.notes, *told], departed=named)
        return _published(job, pulled)


def _check_unread(job: Job, due: datetime) -> None:
    """Raises ReadAlready where another run has read the source since; under its lock, so that none can come between."""
    with open_ready(job.settings, job.clock) as warehouse:
        begun = last_begun(warehouse, job.name, full=job.full)
    if begun is not None and begun >= due:
        raise ReadAlready


def _heartbeat(job: Job, warehouse: Warehouse, state: State, look: FirstLook, started: float) -> Pulled:
    """The one row that an idle pull writes. Pages of a run that was killed behind its commit are of no use any more."""
    Staging.of(job.place, job.name).clear()
    run = replace(_run(job, look, "idle"), mirrored=state.mirrored, quarantine_open=state.quarantine_open)
    run = _finished(job, started)(run)
    record_run(warehouse, run)
    return _publish(job, warehouse, Pulled(run, left=max(state.unexplained or 0, 0)))


def nothing_to_do(state: State, look: FirstLook, source: Source) -> bool:
    """Whether a mirror that has exactly the newest record is known to equal the server.

    The total is the known one, the last scan began more than the look-back after that record's stamp (so that no late
    commit can hide under it, in the same second neither), server and version are the same, and the reference tables
    are not due.
    """
    if state.began_at is None or state.binding is None or look.total is None or look.newest is None:
        return False
    if not look.newest.get("client_hash"):
        return False  # perhaps a token that may not see money: the scan will say
    return (
        state.surplus(look.total) == (state.unexplained or 0)
        and state.began_at.timestamp() > stamp(look.newest) + source.look_back
        and state.binding.base_url == base_url_of(source)
        and state.server_version == look.version
        and not reference_is_due(state, look)
    )


def sweep_is_due(state: State, look: FirstLook, source: Source) -> bool:
    """Whether everything was last read so long ago that it is read again: changes that move no stamp are in it."""
    if not source.sweep_days or state.full_at is None:
        return False
    return look.began - state.full_at.timestamp() >= source.sweep_days * DAY


def is_mirrored(warehouse: Warehouse, name: str, look: FirstLook) -> bool:
    """Whether the newest record of the server is in the mirror as it is: then the server is the one that is bound."""
    batch = normalise(CLIENTS, [look.newest])
    found = warehouse.rows(statement("read/row_version"), {"source": name, "id": key(look.newest)})
    return bool(batch.rows) and found == [(batch.rows[0].row_hash, _moment(stamp(look.newest)))]


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
    look, state, at_rest = _look_again(job)
    surplus, known = state.surplus(look.total), state.unexplained or 0
    differs = look.total is not None and (surplus > known or (at_rest and surplus < known))
    if not (differs or due):
        return replace(pulled, left=max(known, 0))
    whole = replace(job, full=True)
    swept, _ = _pull_changes(whole, state, look, started, company_is_known=at_rest, asked_before=asked)
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


def _look_again(job: Job) -> tuple[FirstLook, State, bool]:
    """What the server says now, what the warehouse knows now, and whether the newest record is the same in both."""
    look = first_look(lister(job.door, CLIENTS))
    with open_ready(job.settings, job.clock) as warehouse:
        return look, read_state(warehouse, job.name), is_mirrored(warehouse, job.name, look)


def _remember_a_wrong_total(job: Job, surplus: int) -> None:
    """A total that disagrees by as much as before, although everything was met, is no reason to read it all again.

    The trap: a client that was read and vanished during the scan makes the totals disagree too. That was not so before.
    """
    look, state, at_rest = _look_again(job)
    if at_rest and state.surplus(look.total) == surplus:
        _remember(job, surplus)


def _remember(job: Job, surplus: int) -> None:
    with open_ready(job.settings, job.clock) as warehouse:
        remember_unexplained(warehouse, job.name, CLIENTS, surplus)


def _pull_changes(
    job: Job, state: State, look: FirstLook, started: float, *, company_is_known: bool, asked_before: int = 0
) -> tuple[Pulled, int]:
    """One run; with it, how many clients more are in the warehouse then than the server has told."""
    from warehouse.load import Scanned, load  # noqa: PLC0415 - pyarrow: 0.3 s which an idle pull does not spend

    binding, reference = _bound(job, state, look, company_is_known=company_is_known)
    staging, scan = stage(job, state, look, binding, recheck=job.full or not company_is_known)
    aside = [*staging.quarantined, *map(poison, scan.poison)]
    verdict = reconcile(job, state, staging, scan, {one.id for one in aside})
    notes = [*scan.notes, *verdict.notes]
    watermark, newest = next_watermark(scan, job.source.look_back), scan.newest_seen or None
    scanned = Scanned(
        entity=CLIENTS,
        binding=binding,
        watermark=state.watermark if watermark is None else _moment(watermark),
        newest_at=state.newest_at if newest is None else _moment(newest),
        skew=scan.skew,
        server_total=look.total,
        quarantined=aside,
        drift=frozenset(staging.drift),
        vanished=verdict.vanished,
        unlisted=verdict.unlisted if scan.full else None,
        after=state,
    )
    run = replace(_run(job, scan.look, "full" if scan.full else "pull"), received=staging.records)
    run = replace(run, notes=msgspec.json.encode(notes).decode())
    job.tell("loading", staging.records, staging.records)
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
    job.tell("publishing", pulled.run.received, pulled.run.received)
    with open_ready(job.settings, job.clock) as warehouse:
        return _publish(job, warehouse, pulled)


def _publish(job: Job, warehouse: Warehouse, pulled: Pulled) -> Pulled:
    """Publish what no published copy shows yet, this run's changes or an earlier one's.

    What is loaded stays loaded where the copies cannot be written: that is told, and the next pull tries again. Where
    writing them is dear, it is postponed: that is told too.
    """
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


def _bound(job: Job, state: State, look: FirstLook, *, company_is_known: bool) -> tuple[Binding, Reference | None]:
    """The company that the source is bound to, checked where it is not certain; the reference tables, where due."""
    due = job.full or reference_is_due(state, look)
    if state.binding and company_is_known and state.binding.base_url == base_url_of(job.source) and not due:
        return state.binding, None
    company = current_company(job.door)
    binding = Binding(base_url_of(job.source), company.id, company.fingerprint)
    check_binding(job.name, state.binding, binding)
    return binding, read_reference(job.door, company) if due else None


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


def _finished(job: Job, started: float, asked_before: int = 0) -> Callable[[Run], Run]:
    """What stamps a run at its end, with the requests behind `asked_before`: publishing comes after it."""

    def finish(run: Run) -> Run:
        seconds = round(job.clock.monotonic() - started, 3)
        return replace(run, finished_at=job.clock.now(), seconds=seconds, requests=job.door.requests - asked_before)

    return finish


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

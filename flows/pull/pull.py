"""The pull: Invoice Ninja → warehouse. Look, scan, stage, load, publish: one entity of a source after the other.

The promise: a pull that starts after the last change leaves the mirror equal to the server, for every change committed
at most the look-back after its stamp. Each table equals the server's list at its own watermark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from flows.pull.activities import pull_activities
from flows.pull.failures import Failures
from flows.pull.job import Job, Pulled
from flows.pull.known import (
    Known,
    Sight,
    check_unread,
    compare,
    look_at_server,
    nothing_to_do,
    sweep_is_due,
    with_recent,
)
from flows.pull.one_entity import as_json, finishing, pull_entity, run_of
from flows.session.backups import remove_backups
from flows.session.door import base_url_of, secrets_of
from flows.session.ready import open_ready
from flows.upkeep.erase import clean, erase_purged, expire
from schemas.entities import ACTIVITIES, CLIENTS
from schemas.errors import WarehouseError
from schemas.vanished import PURGED
from warehouse.control.erase import pending
from warehouse.control.state import record_run
from warehouse.engine.seam import Warehouse
from warehouse.load.staging import Staging
from warehouse.locks.lock import one_run_at_a_time
from warehouse.opened.secret_hosts import note_hosts
from warehouse.publish.publish import Postponed, publish_if_due


class _Outset(msgspec.Struct, frozen=True):
    """The state before a pull: of each entity what is known, and whether a full check is due or nothing is to be done.

    `unfinished`: a kill interrupted an erasure.
    """

    known: Mapping[str, Known]
    due: Mapping[str, bool]
    idle: Sequence[str]
    unfinished: bool


def pull(job: Job) -> Pulled:
    """Bring the mirror of a source up to date. Raises the errors of `schemas.errors`.

    An entity that fails stores nothing, and the others are still pulled; then the first error is raised. Raises
    ReadAlready too, for a job that shares its work. If the totals of an entity disagree afterwards, records have
    vanished from the server: then the pull does one full check of it. Publishing comes after the loads; if it fails,
    the next pull publishes.
    """
    wait = 0 if job.due else job.settings.wait  # a run that shares its work can read another source first
    with one_run_at_a_time(job.place, job.name, wait=wait):
        started = job.clock.monotonic()
        if job.due:
            check_unread(job, job.due)
        job.progress("looking", 0, None)
        failures = Failures()
        sights = {}
        for part in _parts(job):
            with failures.of(part.entity):
                sights[part.entity.name] = look_at_server(part)
        with open_ready(job.settings, job.clock) as warehouse:
            outset = _compared(warehouse, job, sights)
            if not failures and len(outset.idle) == len(sights):
                return _publish(job, warehouse, _of_all(_heartbeat(job, warehouse, outset, started)))
        if outset.unfinished:
            clean(job.settings, job.clock)
        try:
            return _pull_all(job, outset, failures, started)
        except Exception:
            if job.once.stored:
                _published(job, Pulled(job.once.stored[-1]))
            raise


def _parts(job: Job) -> list[Job]:
    """Return the job for each entity of the source, clients first."""
    return [replace(job, entity=entity) for entity in job.source.pulled]


def _compared(warehouse: Warehouse, job: Job, sights: Mapping[str, Sight]) -> _Outset:
    """Compare the server's first answers with the open warehouse."""
    parts = [part for part in _parts(job) if part.entity.name in sights]
    known = {part.entity.name: compare(warehouse, part, sights[part.entity.name]) for part in parts}
    for seen in list(known.values())[:1]:  # another machine may have erased clients
        remove_backups(job.settings, job.name, seen.state.erased.has)
    due = {name: sweep_is_due(seen, job.source) for name, seen in known.items()}
    unfinished = bool(pending(warehouse))
    idle = [
        part.entity.name
        for part in parts
        if not (job.full or due[part.entity.name] or unfinished) and nothing_to_do(known[part.entity.name], part)
    ]
    return _Outset(known, due, idle, unfinished)


def _pull_all(job: Job, outset: _Outset, failures: Failures, started: float) -> Pulled:
    """Pull the entities that have changed. At the end, raises the first failure of any entity."""
    results: dict[str, Pulled] = {}
    for part in _parts(job):
        if part.entity.name in outset.known:
            with failures.of(part.entity):
                results[part.entity.name] = _without_purged(part, _pull_part(part, outset, started))
            started = job.clock.monotonic()
    if clients := results.get(CLIENTS.name):
        with failures.of(ACTIVITIES):
            results[CLIENTS.name] = _with_activities(job, clients, outset)
    failures.raise_first([name for name, result in results.items() if result.run.kind != "idle" and not result.blind])
    if outset.idle:
        with open_ready(job.settings, job.clock) as warehouse:
            results |= {part.run.entity: part for part in _heartbeat(job, warehouse, outset, started)}
    else:
        Staging.of(job.place, job.name).clear_source()  # also pages of a kind that is no longer pulled
    return _published(job, _of_all([results[part.entity.name] for part in _parts(job)]))


def _of_all(results: Sequence[Pulled]) -> Pulled:
    """Return the result for clients, which comes first, with those for the other entities."""
    clients, *others = results
    return replace(clients, others=others)


def _pull_part(job: Job, outset: _Outset, started: float) -> Pulled:
    """Pull one entity. Those before it have changed the warehouse since it was compared with the server."""
    name = job.entity.name
    sight = outset.known[name].sight
    if name in outset.idle:
        return _idle(job, outset.known[name])
    finish = finishing(job, sight.requests, started)
    with open_ready(job.settings, job.clock) as warehouse:
        known = compare(warehouse, job, sight) if job.once.stored else outset.known[name]
        known = with_recent(warehouse, job, known)
    return pull_entity(job, known, finish, due=outset.due[name])


def _idle(job: Job, known: Known) -> Pulled:
    """Return the result for an entity that has not changed."""
    state, notes = known.state, known.sight.notes
    run = replace(run_of(job, known.sight, "idle"), mirrored=state.mirrored, quarantine_open=state.quarantine_open)
    run = replace(run, requests=known.sight.requests, notes=as_json(notes))
    return Pulled(run, notes=notes, left=max(state.unexplained or 0, 0))


def _heartbeat(job: Job, warehouse: Warehouse, outset: _Outset, started: float) -> list[Pulled]:
    """Write the one row of the idle entities, and remove pages left by a run that was killed after its commit.

    The first of them has the row and all requests.
    """
    Staging.of(job.place, job.name).clear_source()
    parts = [part for part in _parts(job) if part.entity.name in outset.idle]
    first, *others = [_idle(part, outset.known[part.entity.name]) for part in parts]
    requests = first.run.requests + sum(other.run.requests for other in others)
    run = finishing(job, requests, started)(first.run)
    record_run(warehouse, run)
    others = [replace(other, run=replace(other.run, run_id=run.run_id, requests=0)) for other in others]
    return [replace(first, run=run), *others]


def _with_activities(job: Job, pulled: Pulled, outset: _Outset) -> Pulled:
    """Read the activities, if the settings ask for it and anything was stored."""
    if not (job.source.activities and job.once.stored):
        return pulled
    notes = pull_activities(job, job.once.stored[-1].run_id, outset.known[CLIENTS.name].sight)
    return replace(pulled, notes=[*pulled.notes, *notes])


def _without_purged(job: Job, pulled: Pulled) -> Pulled:
    """Erase the clients that the server has purged, if the settings say so, and name them no more in the report.

    Their invoices and other records go with them, before those are read: if that fails, nobody would erase them later.
    """
    purged = [client.id for client in pulled.departed if client.kind == PURGED] if job.entity is CLIENTS else []
    notes = erase_purged(job.settings, job.name, purged, job.clock)
    if not notes:
        return pulled
    departed = [client for client in pulled.departed if client.kind != PURGED]
    return replace(pulled, departed=departed, notes=[*pulled.notes, *notes])


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

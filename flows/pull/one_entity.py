"""The pull of one entity of a source: scan, stage, reconcile, load, and the full check that may follow.

It opens the warehouse at the start, to read its state, and at the end, for one transaction. It is closed while pages
arrive, so that a long scan locks nobody out.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from connector.api.verbs import current_company
from connector.scan.scan import next_watermark
from connector.scan.state import Scan
from flows.pull.job import Departed, Job, Pulled, both, patiently
from flows.pull.known import Known, Sight, look_again, remember_a_wrong_total
from flows.pull.reconcile import reconcile
from flows.pull.reference import read_reference, reference_is_due
from flows.pull.stage import poison, stage
from flows.session.door import base_url_of
from flows.session.ready import open_ready
from flows.show.counted import noun_of
from schemas.clocks import Clocks
from schemas.entities import CLIENTS
from schemas.errors import UnexpectedShape
from warehouse.control.state import Binding, Run, check_binding
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement
from warehouse.load.staging import Staging
from warehouse.load.vanished import unlisted
from warehouse.schema.archive import archive_of

if TYPE_CHECKING:
    from warehouse.load.load import Reference

BLIND = (
    "The server lists no {} to this token, and the token may not see the whole company: lists leave out {} that it may "
    "not see, without saying so. Use a token of an owner or administrator."
)
MOST_NAMED = 200
"""The number of unlisted records that a pull names; mart.unlisted_clients and mart.unlisted_documents have all."""
Finish = Callable[[Run], Run]


def pull_entity(job: Job, known: Known, finish: Finish, *, due: bool) -> Pulled:
    """Bring the mirror of one entity up to date; do a full check too if it is due, or if the totals disagree."""
    pulled, surplus = _pull_changes(job, known, finish)
    if pulled.run.kind != "full" and (due or surplus != (known.state.unexplained or 0)):
        pulled = _swept(job, pulled, due=due)
    if not job.once.is_blind(job.door, known.look.total):
        return pulled
    return replace(pulled, notes=[*pulled.notes, BLIND.format(*[noun_of(job.entity, 2)] * 2)], blind=True)


def _swept(job: Job, pulled: Pulled, *, due: bool) -> Pulled:
    """Do a full check if it is due, or if the totals certainly disagree.

    The trap: the server gave its total before the scan, so records created since count here but not there. So we ask
    for the total again. Every mirrored record was once on the server, so a surplus over the new total means that
    records have vanished. A smaller mirror is certain only if nothing has changed since: then the server lists records
    again that it had left out, and their changes meanwhile may carry stamps before the watermark.
    """
    finish = finishing(job)
    now = look_again(job)
    surplus, known = now.surplus, now.state.unexplained or 0
    differs = now.look.total is not None and (surplus > known or (now.mirrored and surplus < known))
    if not (differs or due):
        return replace(pulled, left=max(known, 0))
    swept, _ = _pull_changes(replace(job, full=True), now, finish)
    if not differs:
        return both(pulled, swept, "A full check was due, as set by sweep_days.")
    if not swept.departed and swept.left != surplus:
        remember_a_wrong_total(job, surplus)
    more = f"{abs(surplus):,} {'more' if surplus > 0 else 'fewer'} here than on the server"
    if surplus < known and known > 0:
        more = f"{known - max(surplus, 0):,} listed again"
    elif not surplus:
        more = "one more here than before"
    return both(pulled, swept, f"{noun_of(job.entity, 2).capitalize()}: {more}; so a full check followed.")


def _pull_changes(job: Job, known: Known, finish: Finish) -> tuple[Pulled, int]:
    """Run once; return the result and the number of records that the warehouse then has beyond the server's total."""
    from warehouse.load.load import Scanned, load  # noqa: PLC0415 - pyarrow: an idle pull saves 0.3 s

    job = replace(job, full=True) if known.doubt else job
    state = known.state
    binding, reference = _bound(job, known)
    staging, scan = stage(job, known, binding)
    if scan.full or not known.mirrored:
        _check_company_again(job, binding, staging)
    aside = [*staging.quarantined, *(poison(job.entity, name) for name in scan.poison)]
    verdict = reconcile(job, state, staging, scan, {record.id for record in aside})
    notes = [*known.notes(), *scan.notes, *verdict.notes]
    watermark, newest = next_watermark(scan, job.source.look_back), scan.newest_seen or None
    scanned = Scanned(
        entity=job.entity,
        binding=binding,
        watermark=state.watermark if watermark is None else _moment(watermark),
        newest_at=state.newest_at if newest is None else _moment(newest),
        skew=scan.skew if newest or job.entity is CLIENTS else state.skew_seconds,  # an empty list measures nothing
        server_total=known.look.total,
        quarantined=aside,
        drift=frozenset(staging.drift),
        vanished=verdict.vanished,
        unlisted=verdict.unlisted if scan.full else None,
        after=state,
        clocks=Clocks(scan.look.began, staging.here),
        blind=job.once.is_blind(job.door, known.look.total),
    )
    run = run_of(job, known.sight, "full" if scan.full else "pull", scan)
    run = replace(run, received=staging.records, notes=as_json(notes))
    job.progress("loading", staging.records, staging.records)
    loaded = patiently(job, lambda warehouse: load(warehouse, staging, scanned, run, reference, finish))
    job.once.stored.append(loaded.run)
    departed, named = [], []
    if verdict.vanished or verdict.held:
        with open_ready(job.settings, job.clock) as warehouse:
            departed = _departed(warehouse, job, loaded.run) if verdict.vanished else []
            named = unlisted(warehouse, job.entity, job.name, MOST_NAMED) if verdict.held else []
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


def _departed(warehouse: Warehouse, job: Job, run: Run) -> list[Departed]:
    """Return the records that a run removed, for its report."""
    departed = statement("read/departed").format(**archive_of(job.entity))
    rows = warehouse.rows(departed, {"source": run.source, "run_id": run.run_id})
    return [Departed(*row) for row in rows]  # type: ignore[arg-type]  # the statement names the fields, a test compares


def _bound(job: Job, known: Known) -> tuple[Binding, Reference | None]:
    """Return the binding of the source, checked unless it is certain, and the reference tables if they are due."""
    state = known.state
    due = job.entity is CLIENTS and (job.full or reference_is_due(state, known.look))
    if state.binding and known.mirrored and state.binding.base_url == base_url_of(job.source):
        job.once.binding = state.binding
    if job.once.binding and not due:
        return job.once.binding, None
    company = current_company(job.door)
    binding = Binding(base_url_of(job.source), company.id, company.fingerprint)
    check_binding(job.name, state.binding, binding)
    job.once.binding = binding
    return binding, read_reference(job.door, company) if due else None


def _check_company_again(job: Job, binding: Binding, staging: Staging) -> None:
    """Raises UnexpectedShape if the server answers for another company than before the scan."""
    if current_company(job.door).fingerprint != binding.company_fingerprint:
        job.once.binding = None
        staging.clear()  # its pages may belong to either company
        raise UnexpectedShape(
            "During the scan, the server began to answer for another company; nothing was stored. Does a proxy or a "
            "cache in front of it mix up answers?"
        )


def run_of(job: Job, sight: Sight, kind: str, scan: Scan | None = None) -> Run:
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
        entity=job.entity.name,
    )


def finishing(job: Job, looked: int = 0, started: float | None = None) -> Finish:
    """Return the function that fills in the end of a run that begins now.

    It counts the requests from now on, and those that have `looked` already. It runs before publishing.
    """
    asked = job.door.requests - looked
    began = job.clock.monotonic() if started is None else started

    def finish(run: Run) -> Run:
        seconds = round(job.clock.monotonic() - began, 3)
        return replace(run, finished_at=job.clock.now(), seconds=seconds, requests=job.door.requests - asked)

    return finish


def as_json(notes: Sequence[str]) -> str:
    """Return the notes of a run as its row has them."""
    return msgspec.json.encode(list(notes)).decode()


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

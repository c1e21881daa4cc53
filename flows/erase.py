"""Erasing a client on purpose: tables, files and copies; and finishing what a kill has left unfinished."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from flows.backups import remove_backups
from flows.job import SYSTEM_CLOCK, Clock, Job, Pulled, open_ready
from flows.settings import Settings, place_of
from schemas.errors import SettingsError
from schemas.vanished import PURGED
from warehouse.engine import DUCKDB, Warehouse
from warehouse.erase import Found, erase, find, note_finished, pending, vacuum
from warehouse.kept_erasures import keep_erasures
from warehouse.lock import one_run_at_a_time
from warehouse.place import WORKING, staging_of
from warehouse.publish import publish
from warehouse.staging import Staging
from warehouse.statements import statement


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased: rows removed, whether figures were kept under a pseudonym, where it may still be."""

    removed: int
    kept_balances: bool
    remains: str


REMAINS = {
    "duckdb": "Not reached: backups, exports and copies that you keep elsewhere; they may still hold the client.",
    "postgres": "Not reached: files on other machines that use this warehouse (the next pull there removes what they "
    "hold of the client), your backups and exports, and Postgres' write-ahead log until it is recycled. Where this "
    "user is no superuser, Postgres' statistics of columns may hold values of the client too.",
}
"""Where an erased client may still be, although `erase` has done all that it can."""


def find_client(settings: Settings, name: str, client_id: str) -> Found:
    """What there is of a client. Raises SettingsError where there is nothing."""
    with open_ready(settings) as warehouse:
        found = find(warehouse, name, client_id)
    if found is None:
        raise SettingsError(
            f"There is nothing of a client {client_id!r} in the source {name!r}. Ids are those of mart.clients and "
            "mart.client_redirects."
        )
    return found


def erase_client(settings: Settings, name: str, client_id: str, *, reason: str, clock: Clock = SYSTEM_CLOCK) -> Erasure:
    """Erase a client from the warehouse and all its files; the server is not touched. Raises Busy, WarehouseError."""
    keep = settings.erasure.keep_balances
    with one_run_at_a_time(place_of(settings), name, wait=settings.wait):
        remove_backups(
            settings, name, client_id.__eq__
        )  # first: a kill in between leaves a client that is erased again
        with open_ready(settings, clock) as warehouse:
            removed = erase(warehouse, name, client_id, reason=reason, keep_balances=keep, now=clock.now())
            engine = warehouse.engine
        clean(settings, clock)
    return Erasure(removed, keep, REMAINS[engine])


def erase_purged(job: Job, pulled: Pulled) -> list[str]:
    """Erase the clients that a pull has found purged, by evidence, where the settings say so; notes for the report."""
    purged = [one.id for one in pulled.departed if one.kind == PURGED]
    if not (purged and job.settings.erasure.after_purge):
        return []
    keep, now = job.settings.erasure.keep_balances, job.clock.now()
    with open_ready(job.settings, job.clock) as warehouse:
        for one in purged:
            remove_backups(job.settings, job.name, one.__eq__)
            erase(warehouse, job.name, one, reason="purged on the server", keep_balances=keep, now=now)
    clean(job.settings, job.clock)
    return [f"Erased, as they were purged on the server: {len(purged)}."]


def clean(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> bool:
    """Clean all files of what was erased and is not finished; whether anything was. Killed, it is begun again."""
    place = place_of(settings)
    with open_ready(settings, clock) as warehouse:
        sources = pending(warehouse)
    if not sources:
        return False
    for source in sources:
        Staging.of(place, source).clear()
    shutil.rmtree(staging_of(place) / WORKING, ignore_errors=True)
    if isinstance(place, Path):
        from warehouse.rewrite import rewrite  # noqa: PLC0415 - pyarrow, for few

        rewrite(place, wait=settings.wait)
    with open_ready(settings, clock) as warehouse:
        vacuum(warehouse)
        keep_erasures(warehouse, place)  # first: what is not finished is begun again by the next pull
        note_finished(warehouse, clock.now())
        if settings.publish and warehouse.engine == DUCKDB:
            publish(warehouse, now=clock.now())
    return True


def expire(settings: Settings, warehouse: Warehouse, name: str, clock: Clock) -> None:
    """Remove what is older than the settings say it may be kept; the version that holds always stays."""
    kept = settings.retention
    for days, steps in (
        (kept.history_days, ("versions", "changes", "quarantine")),
        (kept.record_days, ("records",)),
    ):
        if days:
            before = clock.now() - timedelta(days=days)
            for step in steps:
                warehouse.execute(statement(f"erase/expired_{step}"), {"source": name, "before": before})

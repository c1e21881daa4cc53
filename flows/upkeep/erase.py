"""Erase a client on purpose from tables, files and copies, and finish erasures that a kill interrupted."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec

from flows.configuration.load import place_of
from flows.configuration.values import Settings
from flows.session.backups import remove_backups
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.ready import open_ready
from flows.show.counted import counted
from schemas.errors import SettingsError
from warehouse.control.erase import Found, erase, find, note_finished, pending, vacuum
from warehouse.control.kept_erasures import keep_erasures
from warehouse.engine.place import WORKING, staging_of
from warehouse.engine.seam import DUCKDB, Warehouse
from warehouse.engine.sql import statement
from warehouse.load.staging import Staging
from warehouse.locks.lock import one_run_at_a_time
from warehouse.publish.publish import publish


class Erasure(msgspec.Struct, frozen=True):
    """The result of an erasure: the rows removed, whether figures stay under a pseudonym, and where data may remain."""

    removed: int
    kept_balances: bool
    remains: str


REMAINS = {
    "duckdb": "Not reached: backups, exports and copies that you keep elsewhere; they may still hold the client.",
    "postgres": "Not reached: files on other machines that use this warehouse (the next pull there removes what they "
    "hold of the client), your backups and exports, and Postgres' write-ahead log until it is recycled. If this user "
    "is not a superuser, Postgres' column statistics may hold the client's values too.",
}
"""The places that an erasure cannot reach, by engine."""


def find_client(settings: Settings, name: str, client_id: str) -> Found:
    """Return a client's data in the warehouse. Raises SettingsError if there is none."""
    with open_ready(settings) as warehouse:
        held = find(warehouse, name, client_id)
    if held is None:
        raise SettingsError(
            f"The source {name!r} has no data of a client {client_id!r}. Use an id of mart.clients or "
            "mart.client_redirects."
        )
    return held


def erase_client(settings: Settings, name: str, client_id: str, *, reason: str, clock: Clock = SYSTEM_CLOCK) -> Erasure:
    """Erase a client from the warehouse and all its files, but not from the server. Raises Busy, WarehouseError."""
    keep = settings.erasure.keep_balances
    with one_run_at_a_time(place_of(settings), name, wait=settings.wait):
        # First the backups: after a kill in between, the client is still here, and can be erased again.
        remove_backups(settings, name, client_id.__eq__)
        with open_ready(settings, clock) as warehouse:
            removed = erase(warehouse, name, client_id, reason=reason, keep_balances=keep, now=clock.now())
            engine = warehouse.engine
        clean(settings, clock)
    return Erasure(removed, keep, REMAINS[engine])


def erase_purged(settings: Settings, name: str, purged: Sequence[str], clock: Clock) -> list[str]:
    """Erase clients that the server has purged, if the settings say so. Return notes for the report."""
    if not (purged and settings.erasure.after_purge):
        return []
    keep, now = settings.erasure.keep_balances, clock.now()
    with open_ready(settings, clock) as warehouse:
        for client_id in purged:
            remove_backups(settings, name, client_id.__eq__)
            erase(warehouse, name, client_id, reason="purged on the server", keep_balances=keep, now=now)
    clean(settings, clock)
    return [f"Erased, because the server has purged them: {counted(len(purged), 'client')}."]


def clean(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> bool:
    """Clean the files of unfinished erasures; return whether there were any. After a kill, the next pull does it."""
    place = place_of(settings)
    with open_ready(settings, clock) as warehouse:
        sources = pending(warehouse)
    if not sources:
        return False
    for source in sources:
        Staging.of(place, source).clear_source()
    shutil.rmtree(staging_of(place) / WORKING, ignore_errors=True)
    if isinstance(place, Path):
        from warehouse.publish.rewrite import rewrite  # noqa: PLC0415 - pyarrow, for few

        rewrite(place, wait=settings.wait)
    with open_ready(settings, clock) as warehouse:
        vacuum(warehouse)
        keep_erasures(warehouse, place)  # before it counts as finished: else the next pull starts again
        note_finished(warehouse, clock.now())
        if settings.publish and warehouse.engine == DUCKDB:
            publish(warehouse, now=clock.now())
    return True


def expire(settings: Settings, warehouse: Warehouse, name: str, clock: Clock) -> None:
    """Remove data that is older than the retention in the settings. Current versions always stay."""
    kept = settings.retention
    for days, steps in (
        (
            kept.history_days,
            (
                "erase/expired_versions",
                "erase/expired_changes",
                "erase/expired_record_versions",
                "erase/expired_record_changes",
                "erase/expired_quarantine",
                "erase/expired_forms",
            ),
        ),
        (kept.record_days, ("erase/expired_records", "erase/expired_whole_records", "erase/expired_forms")),
    ):
        if days:
            before = clock.now() - timedelta(days=days)
            for step in steps:
                warehouse.execute(statement(step), {"source": name, "before": before})

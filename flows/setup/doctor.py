"""Find problems and their remedies: URL, token, rights, clock, time zone, version, warehouse."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from connector.api.activities import sees_all
from connector.api.verbs import current_company, lister, ping
from connector.door.door import Door
from connector.scan.scan import first_look
from connector.scan.skew import HOUR, measure_skew
from connector.scan.state import FirstLook, stamp
from flows.configuration.load import place_of
from flows.configuration.values import Settings
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.door import base_url_of, check_server, open_door
from flows.show.counted import counted, noun_of
from schemas.entities import CLIENTS, PULLED
from schemas.entity import Entity
from schemas.errors import Busy, NotAuthorised, SettingsError, SyncError, WarehouseError
from schemas.generation import TESTED, is_tested, numbers_of
from warehouse.control.state import Binding, check_binding, read_state
from warehouse.engine.place import is_there
from warehouse.engine.private import reason
from warehouse.engine.seam import POSTGRES, Warehouse
from warehouse.engine.sql import named, statement
from warehouse.opened.open import open_place
from warehouse.schema.mirror import mirror_is_current, missing_columns
from warehouse.schema.views import views_are_current

MOST_CLOCK_DIFFERENCE = 120  # seconds
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `state` is good, note or bad; `found` is the finding, with the remedy."""

    name: str
    state: str
    found: str
    exit_code: int = 0


def _check_server(settings: Settings, name: str) -> None:
    """Raises SettingsError if the token belongs to another server, and Busy if the warehouse cannot answer now."""
    try:
        check_server(settings, name)
    except Busy:
        raise
    except WarehouseError:
        return  # the check of the warehouse reports it


def examine(settings: Settings, name: str, clock: Clock = SYSTEM_CLOCK) -> list[Check]:
    """Run all checks of one source and of the warehouse; a failed check ends the checks that need it.

    It changes nothing: it only reads the warehouse, and neither creates nor upgrades it. (On Postgres, its requests
    take turns like all others.)
    """
    checks, known = _warehouse(settings, name)
    try:
        checks += [Check("address", "good", base_url_of(settings.sources[name]))]
        _check_server(settings, name)
        with open_door(settings, name, attempts=2, allowed=True) as door:  # two attempts, so that nobody waits long
            for check in _server(settings, name, door, known, clock):
                checks.append(check)
    except SyncError as problem:
        hint = " Create one in Invoice Ninja: Settings > Account Management > API Tokens." * _is_wrong_token(problem)
        checks.append(Check("server", "bad", f"{problem}{hint}", problem.exit_code))
    return checks


def _is_wrong_token(problem: SyncError) -> bool:
    return isinstance(problem, NotAuthorised) and problem.status == 403  # noqa: PLR2004 - "Invalid token", TokenAuth.php


def _warehouse(settings: Settings, name: str) -> tuple[list[Check], Binding | None]:
    """Check the warehouse; return the checks, and the company bound to the source if the warehouse knows it."""
    try:
        path = place_of(settings)
        if isinstance(path, Path):
            _may_be_written(path)
        if not is_there(path):
            return [Check("warehouse", "note", f"{path} does not exist yet: the first pull creates it")], None
        with open_place(path, read_only=True, wait=settings.wait) as warehouse:
            shown = str(path)
            if warehouse.engine == POSTGRES:
                from warehouse.engine import postgres_rights as rights  # noqa: PLC0415 - not for DuckDB

                rights.check_writable(warehouse)
                shown += " (through a connection pooler)" * rights.is_pooled(warehouse)
            coming = _coming(warehouse)
            if coming:
                if warehouse.engine == POSTGRES:
                    rights.check_may_create(warehouse)
                return [Check("warehouse", "note", f"{shown} {coming}")], None
            if missing := missing_columns(warehouse):
                return [_lacking(shown, missing)], None
            states = {part.name: read_state(warehouse, name, part) for part in settings.sources[name].pulled}
            state = states[CLIENTS.name]
            figures = _figures(warehouse, name)
    except SyncError as problem:
        return [Check("warehouse", "bad", str(problem), problem.exit_code)], None
    counts = [counted(found.mirrored, noun_of(PULLED[part])) for part, found in states.items()]
    held = f"{', '.join(counts)} of {name!r}" if state.binding else f"nothing of {name!r} yet"
    if left := sum(max(found.unexplained or 0, 0) for found in states.values()):
        held += f"; the server does not list {left:,} of them: `ninja-sync sweep` checks"
        return [Check("warehouse", "note", f"{shown}: {held}"), *figures], state.binding
    return [Check("warehouse", "good", f"{shown}: {held}"), *figures], state.binding


def _lacking(shown: str, missing: list[str]) -> Check:
    named = ", ".join(missing[:MOST_NAMED]) + (f" and {len(missing) - MOST_NAMED} more" if missing[MOST_NAMED:] else "")
    remedy = "somebody changed its tables. Restore a backup (`ninja-sync restore`), or pull into a new warehouse"
    return Check("warehouse", "bad", f"{shown} lacks {named}: {remedy}", WarehouseError.exit_code)


def _figures(warehouse: Warehouse, name: str) -> list[Check]:
    """Compare the figures of clients with their documents, if those have been read."""
    checks = []
    for _, *counts in warehouse.rows(statement("read/differing_clients"), {"source": name}):
        clients, differing = (int(str(count)) for count in counts)
        if differing:
            found = f"{differing:,} of {counted(clients, 'client')} differ from their documents: "
            checks.append(Check("figures", "note", found + "`ninja-sync reconciliation` names them"))
        else:
            checks.append(Check("figures", "good", f"those of {counted(clients, 'client')} agree with their documents"))
    return checks


def _may_be_written(path: Path) -> None:
    """Raises SettingsError if a pull could not create or write this file.

    The trap: root has the right to write everywhere, yet cannot create a file in /proc. So this creates a nameless
    temporary file in the folder.
    """
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        raise SettingsError(f"The warehouse {path} cannot be created: {folder} is not a folder.")
    for place in filter(Path.exists, (folder, path)):
        if not os.access(place, os.W_OK):
            raise SettingsError(f"The warehouse {path} cannot be written: you may not write to {place}.")
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as problem:
        raise SettingsError(
            f"The warehouse {path} cannot be created: nothing can be written to {folder} ({reason(problem)})."
        ) from None


def _coming(warehouse: Warehouse) -> str:
    """Return how the next pull will change the tables of an open warehouse; '' if they are this version's."""
    tables = warehouse.rows("select table_schema, table_name from information_schema.tables")
    if ("control", "migrations") not in tables:
        return "has no mirror yet: the first pull creates it"
    had, known = [name for (name,) in warehouse.rows("select name from control.migrations")], named("control")
    if not set(had) <= set(known):
        raise WarehouseError(f"{warehouse.shown} was written by a newer version of Ninja Sync: upgrade it here.")
    if len(had) < len(known) or not (mirror_is_current(warehouse) and views_are_current(warehouse)):
        return "was written by an older version: the next pull upgrades it"
    return ""


def _server(settings: Settings, name: str, door: Door, known: Binding | None, clock: Clock) -> Iterator[Check]:
    company_name, user = ping(door)
    yield Check("token", "good", f"accepted: user {user!r} of company {company_name!r}")
    company = current_company(door)
    try:
        check_binding(name, known, Binding(base_url_of(settings.sources[name]), company.id, company.fingerprint))
        yield Check("company", "good", f"{company.id}" + ("" if known else ", which the first pull will bind"))
    except SyncError as problem:
        yield Check("company", "bad", str(problem), problem.exit_code)
    look = first_look(lister(door, CLIENTS))
    everything = sees_all(door)
    yield _rights(look, sees_all=everything)
    for entity in settings.sources[name].pulled[1:]:
        yield _list(door, entity, sees_all=everything)
    yield _version(look)
    yield _clock(look, clock)
    yield _time_zone(door, look)


def _rights(look: FirstLook, *, sees_all: bool) -> Check:
    good = "use one of an owner or administrator"
    if look.newest is not None and not look.newest.get("client_hash", True):
        return Check("rights", "bad", f"this token may not see money: {good}", NotAuthorised.exit_code)
    if not sees_all and not look.total:
        return Check("rights", "bad", f"this token sees no client: {good}", NotAuthorised.exit_code)
    seen = "no client yet" if not look.total else f"this token sees {counted(look.total, 'client')}, with money"
    if not sees_all:
        return Check(
            "rights", "note", f"{seen}; this token may not see the whole company, so there may be others: {good}"
        )
    return Check("rights", "good", seen)


def _list(door: Door, entity: Entity, *, sees_all: bool) -> Check:
    """Check the list of one entity: an error there is about that list only."""
    plural = noun_of(entity, 2)
    try:
        look = first_look(lister(door, entity))
    except SyncError as problem:
        return Check(plural, "bad", str(problem), problem.exit_code)
    if look.total:
        return Check(plural, "good", f"this token sees {counted(look.total, noun_of(entity))}")
    if sees_all:
        return Check(plural, "good", f"there are no {plural} yet")
    return Check(
        plural, "note", f"this token sees no {plural}, and may not see the whole company, so there may be some"
    )


def _version(look: FirstLook) -> Check:
    if look.version is None:
        return Check("version", "note", "the server does not say its version (a proxy may drop X-APP-VERSION)")
    if not numbers_of(look.version):
        return Check("version", "note", f"the server's version is {look.version!r}: Ninja Sync treats it as 5.10")
    if is_tested(look.version):
        return Check("version", "good", f"{look.version}, a version Ninja Sync was tested against")
    return Check("version", "note", f"{look.version}; Ninja Sync was tested against {' and '.join(TESTED)}")


def _clock(look: FirstLook, clock: Clock) -> Check:
    difference = round(look.began - clock.now().timestamp())
    if abs(difference) <= MOST_CLOCK_DIFFERENCE:
        return Check("clock", "good", f"{abs(difference)} s from this machine's")
    return Check(
        "clock", "note", f"the server is {difference:+,} s from this machine; pulls use the server's clock only"
    )


def _time_zone(door: Door, look: FirstLook) -> Check:
    newest = stamp(look.newest)
    if not newest:
        return Check("time zone", "note", "cannot be measured before there is a client")
    skew = measure_skew(lister(door, CLIENTS), newest)
    if skew is None:
        return Check("time zone", "note", "the server ignores `updated_at`: every pull reads everything")
    if skew == 0:
        return Check("time zone", "good", "UTC: changes are visible at once")
    return Check(
        "time zone", "note",
        f"SERVER_TIMEZONE is not UTC: the filter is off by {(skew - HOUR) / HOUR:+.0f} h; pulls make up for it",
    )  # fmt: skip

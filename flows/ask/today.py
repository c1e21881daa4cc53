"""What a book-keeper wants to see first: how fresh the data is, what is owed, what changed, and what waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from flows.ask.ask import Result, reading
from flows.ask.decimals import in_decimals
from flows.ask.rights import EVERYTHING, Sight, sight_of
from flows.configuration.load import place_of
from flows.configuration.values import Settings
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.show.ages import ago
from schemas.errors import SettingsError
from warehouse.engine.place import is_there
from warehouse.engine.seam import Warehouse

CHANGES: Final = ("new", "changed", "moved", "vanished")
"""The kinds of changes: new clients, changed clients, balances that moved, clients that vanished."""
FIRST: Final = 5
"""The number of clients of each kind that Today itself shows."""
OLD: Final = timedelta(hours=26)
"""The age from which data is old: a nightly pull was missed."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The newest failed pull of a source, if no pull has ended well since. The message holds no person's data."""

    at: datetime
    exit_code: int
    message: str


@dataclass(frozen=True, slots=True)
class Fresh:
    """The age of a source's data. `checked_at` is the last pull that ended well; None if this role may not see it.

    `loaded_at` is the last pull that stored a change. Deleted clients are not counted.
    """

    source: str
    company: str | None = None
    clients: int = 0
    loaded_at: datetime | None = None
    checked_at: datetime | None = None
    failure: Failure | None = None
    not_listed: int = 0
    quarantined: int = 0
    checks_seen: bool = True

    @property
    def read_at(self) -> datetime | None:
        """The last time when the data was certainly right."""
        return self.checked_at or self.loaded_at

    def wrong(self, now: datetime) -> str:
        """Return what is wrong with the age of the data, as a sentence; '' if nothing is."""
        if self.failure:
            return f"The last pull failed {ago(self.failure.at, now)}: {self.failure.message}"
        if self.read_at is None:
            return "Nothing has been pulled yet."
        if self.checks_seen and now - self.read_at > OLD:
            return f"Nothing was pulled for {ago(self.read_at, now).removesuffix(' ago')}."
        return ""


@dataclass(frozen=True, slots=True)
class Today:
    """What Today shows. `changes` has the number of clients by kind, and `first` the first of each kind.

    `waiting` has the number of things that wait for a person, by source and kind.
    """

    sight: Sight
    at: datetime
    fresh: Sequence[Fresh]
    balances: Result = field(default=Result((), ()), repr=False)
    since: datetime | None = None
    changes: Mapping[str, int] = field(default_factory=dict)
    first: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict, repr=False)
    waiting: Mapping[tuple[str, str], int] = field(default_factory=dict)


def read_today(settings: Settings, source: str | None, *, first: int = FIRST, clock: Clock = SYSTEM_CLOCK) -> Today:
    """Return what Today shows of one source or of all. A role that may only read views gets what those have."""
    now = clock.now()
    if not is_there(place_of(settings)):
        return Today(EVERYTHING, now, _fresh(settings, source, [], EVERYTHING))
    with reading(settings, newest=True) as warehouse:
        sight = sight_of(warehouse)
        if sight is None:
            return Today(EVERYTHING, now, _fresh(settings, source, [], EVERYTHING))
        params = _params(warehouse, sight, source, now)
        rows = _asked(warehouse, sight, "today/freshness", params)
        checks = _asked(warehouse, sight, "today/checks", params) if sight.everything else []
        balances = in_decimals(warehouse.answer(sight.statement("today/balances"), params))
        changes = _changes(warehouse, sight, params)
        first_of = {
            kind: _list(warehouse, sight, kind, params, most=first) for kind in CHANGES if changes[kind] and first
        }
        waiting = _waiting(warehouse, sight, params, rows)
    fresh = _fresh(settings, source, [*rows, *checks, *balances.records()], sight)
    return Today(sight, now, fresh, balances, params["since"], changes, first_of, waiting)


def read_changes(
    settings: Settings, source: str | None, kind: str, *, most: int, skip: int = 0, clock: Clock = SYSTEM_CLOCK
) -> tuple[list[dict[str, Any]], int]:
    """Return some clients with one kind of change since the start of yesterday, and the number of all of them.

    Raises SettingsError for another kind than those of CHANGES.
    """
    if kind not in CHANGES:
        raise SettingsError(f"There is no list of {kind!r} clients: there are {', '.join(CHANGES)}.")
    with reading(settings, newest=True) as warehouse:
        sight = sight_of(warehouse)
        if sight is None:
            return [], 0
        params = _params(warehouse, sight, source, clock.now())
        rows = _list(warehouse, sight, kind, params, most=most, skip=skip)
        return rows, _changes(warehouse, sight, params)[kind]


def _params(warehouse: Warehouse, sight: Sight, source: str | None, now: datetime) -> dict[str, Any]:
    """Return the parameters of all statements: `since` is the start of yesterday in the companies' time zone."""
    ((since,),) = warehouse.rows(sight.statement("today/since"), {"source": source, "now": now})
    return {"source": source, "now": now, "since": since or now - timedelta(days=1)}


def _changes(warehouse: Warehouse, sight: Sight, params: Mapping[str, object]) -> dict[str, int]:
    """Return the number of clients by kind of change."""
    counted = _asked(warehouse, sight, "today/changes", params)
    return {str(row["kind"]): int(row["clients"]) for row in counted}


def _list(
    warehouse: Warehouse, sight: Sight, kind: str, params: Mapping[str, object], *, most: int, skip: int = 0
) -> list[dict[str, Any]]:
    names = {"new": "today/new", "changed": "today/changed", "moved": "today/moved", "vanished": "today/vanished"}
    values = {**params, "most": most, "skip": skip}
    return in_decimals(warehouse.answer(sight.statement(names[kind]), values)).records()


def _asked(warehouse: Warehouse, sight: Sight, name: str, params: Mapping[str, object]) -> list[dict[str, Any]]:
    return Result(*warehouse.answer(sight.statement(name), params)).records()


def _fresh(settings: Settings, source: str | None, rows: Sequence[Mapping[str, Any]], sight: Sight) -> list[Fresh]:
    """Return the age of each source in the warehouse, and of each that is configured and was not pulled yet."""
    known: dict[str, dict[str, Any]] = {}
    for row in rows:
        values = known.setdefault(str(row["source"]), {"clients": 0})
        values.update({**row, "clients": values["clients"] + int(row.get("clients") or 0)})
    wanted = [source] if source else sorted({*settings.sources, *known})
    return [_one(name, known.get(name, {}), sight) for name in wanted]


def _one(name: str, row: Mapping[str, Any], sight: Sight) -> Fresh:
    failed = row.get("failed_at")
    return Fresh(
        name,
        row.get("company"),
        int(row.get("clients") or 0),
        row.get("last_load_at"),
        row.get("checked_at"),
        Failure(failed, int(row["exit_code"]), str(row["message"])) if failed else None,
        int(row.get("not_listed") or 0),
        int(row.get("quarantined") or 0),
        sight.everything,
    )


def _waiting(
    warehouse: Warehouse, sight: Sight, params: Mapping[str, object], rows: Sequence[Mapping[str, Any]]
) -> dict[tuple[str, str], int]:
    """Return the number of things that wait, by source and kind, as far as this role may see them."""
    if sight.everything:
        found = _asked(warehouse, sight, "today/waiting", params)
        pairs = {(str(row["source"]), str(row["kind"])): int(row["things"]) for row in found}
        return {key: n for key, n in pairs.items() if params["source"] in (None, key[0])}
    kept = _asked(warehouse, sight, "today/kept", params)
    held = {(str(row["source"]), f"held {row['entity']}"): int(row["records"]) for row in kept}
    aside = {(str(row["source"]), "quarantine"): int(row["quarantined"]) for row in rows if row["quarantined"]}
    return {**held, **aside}

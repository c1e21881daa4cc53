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

    `loaded_at` is the last pull that stored a change.
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
    since: Mapping[str, datetime] = field(default_factory=dict)
    changes: Mapping[str, int] = field(default_factory=dict)
    first: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict, repr=False)
    waiting: Mapping[tuple[str, str], int] = field(default_factory=dict)


def read_today(settings: Settings, source: str | None, *, first: int = FIRST, clock: Clock = SYSTEM_CLOCK) -> Today:
    """Return what Today shows of one source or of all. A role that may only read views gets what those have."""
    now = clock.now()
    if not is_there(place_of(settings)):
        return Today(EVERYTHING, now, _fresh(settings, source, [], {}, EVERYTHING))
    with reading(settings, newest=True) as warehouse:
        sight = sight_of(warehouse)
        if sight is None:
            return Today(EVERYTHING, now, _fresh(settings, source, [], {}, EVERYTHING))
        params = {"source": source, "now": now}
        rows = _asked(warehouse, sight, "today/freshness", params)
        checks = _asked(warehouse, sight, "today/checks", params) if sight.everything else []
        fresh = _fresh(settings, source, rows, {str(row["source"]): row for row in checks}, sight)
        counted = _asked(warehouse, sight, "today/changes", params)
        changes = {kind: sum(int(row["clients"]) for row in counted if row["kind"] == kind) for kind in CHANGES}
        return Today(
            sight, now, fresh,
            in_decimals(warehouse.answer(sight.statement("today/balances"), params)),
            {str(row["source"]): row["since"] for row in counted},
            changes,
            {kind: _list(warehouse, sight, kind, params, most=first) for kind in CHANGES if changes[kind] and first},
            _waiting(warehouse, sight, params, rows),
        )  # fmt: skip


def read_changes(
    settings: Settings, source: str | None, kind: str, *, most: int, skip: int = 0, clock: Clock = SYSTEM_CLOCK
) -> tuple[list[dict[str, Any]], int]:
    """Return some clients with one kind of change since the start of yesterday, and the number of all of them.

    Raises SettingsError for another kind than those of CHANGES.
    """
    if kind not in CHANGES:
        raise SettingsError(f"There is no list of {kind!r} clients: there are {', '.join(CHANGES)}.")
    params = {"source": source, "now": clock.now()}
    with reading(settings, newest=True) as warehouse:
        sight = sight_of(warehouse)
        if sight is None:
            return [], 0
        counted = _asked(warehouse, sight, "today/changes", params)
        number = sum(int(row["clients"]) for row in counted if row["kind"] == kind)
        return _list(warehouse, sight, kind, params, most=most, skip=skip), number


def _list(
    warehouse: Warehouse, sight: Sight, kind: str, params: Mapping[str, object], *, most: int, skip: int = 0
) -> list[dict[str, Any]]:
    names = {"new": "today/new", "changed": "today/changed", "moved": "today/moved", "vanished": "today/vanished"}
    values = {**params, "most": most, "skip": skip}
    return in_decimals(warehouse.answer(sight.statement(names[kind]), values)).records()


def _asked(warehouse: Warehouse, sight: Sight, name: str, params: Mapping[str, object]) -> list[dict[str, Any]]:
    return Result(*warehouse.answer(sight.statement(name), params)).records()


def _fresh(
    settings: Settings,
    source: str | None,
    rows: Sequence[Mapping[str, Any]],
    checks: Mapping[str, Mapping[str, Any]],
    sight: Sight,
) -> list[Fresh]:
    """Return the age of each source in the warehouse, and of each that is configured and was not pulled yet."""
    known = {str(row["source"]): row for row in rows}
    wanted = [source] if source else sorted({*settings.sources, *known})
    return [_one(name, known.get(name, {}), checks.get(name, {}), sight) for name in wanted]


def _one(name: str, row: Mapping[str, Any], check: Mapping[str, Any], sight: Sight) -> Fresh:
    failed = check.get("failed_at")
    return Fresh(
        name,
        row.get("company"),
        int(row.get("clients") or 0),
        row.get("last_load_at"),
        check.get("checked_at"),
        Failure(failed, int(check["exit_code"]), str(check["message"])) if failed else None,
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

"""The health of the warehouse for people: runs, records set aside or kept, and the calls that wrote to the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from flows.ask.ask import Result, reading
from flows.ask.journal import unknown_in
from flows.ask.rights import Sight, sight_of
from flows.configuration.load import place_of
from flows.configuration.values import Settings
from flows.show.counted import noun_of
from schemas.entities import CLIENTS, PULLED
from schemas.errors import EXIT_CODES
from warehouse.control.journal import OpenCall
from warehouse.engine.place import is_there
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

FAILED: Final = "failed"
MOST_NAMED: Final = 20
"""The clients of a call that are shown with their names."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a source: its kind (full, idle, failed ...), its counts, and how it ended.

    `notes` are sentences; for a failed run, the reason. They hold no person's data.
    """

    source: str
    entity: str
    kind: str
    began_at: datetime
    seconds: float
    received: int
    inserted: int
    updated: int
    vanished: int
    quarantined: int
    exit_code: int
    notes: Sequence[str] = ()

    @property
    def result(self) -> str:
        """What the exit code means, in words."""
        return EXIT_CODES[self.exit_code]


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a list, and the number of all of them."""

    rows: Sequence[Any] = field(repr=False)
    number: int


NOTHING: Final = Part((), 0)


@dataclass(frozen=True, slots=True)
class Held:
    """The records that a source keeps until a person allows their removal: their number by kind, and some of them.

    If clients are kept, `records` are clients.
    """

    source: str
    counts: Mapping[str, int]
    records: Sequence[Mapping[str, Any]] = field(default=(), repr=False)

    @property
    def number(self) -> int:
        """The number that a person has to type. The documents of clients that go do not count."""
        return self.counts.get(CLIENTS.name) or max(self.counts.values())

    @property
    def words(self) -> str:
        """The numbers of all kinds: `14 clients, 51 invoices`."""
        return ", ".join(f"{number:,} {noun_of(PULLED[entity], number)}" for entity, number in self.counts.items())


@dataclass(frozen=True, slots=True)
class Health:
    """The first rows of each list. `sight` is None before the first pull; a role that sees little gets no rows.

    `names` has the clients of calls with an unknown outcome, by source and id.
    """

    sight: Sight | None
    runs: Part = NOTHING
    quarantine: Part = NOTHING
    calls: Part = NOTHING
    unknown: Sequence[tuple[str, OpenCall]] = ()
    names: Mapping[tuple[str, str], str] = field(default_factory=dict, repr=False)
    held: Sequence[Held] = ()


def read_health(settings: Settings, source: str | None, *, most: int, held: int, idle: bool = False) -> Health:
    """Return the first `most` rows of each list, and `held` of the records that each source keeps."""
    if not is_there(place_of(settings)):
        return Health(None)
    with reading(settings, newest=True) as warehouse:
        sight = sight_of(warehouse)
        if sight is None or not sight.everything:
            return Health(sight)
        values = {"source": source, "most": most, "skip": 0, "full": idle}
        unknown = unknown_in(warehouse, source)
        return Health(
            sight, _runs(warehouse, values), _quarantine(warehouse, values), _calls(warehouse, values),
            unknown, _names(warehouse, unknown), _held(warehouse, {**values, "most": held}),
        )  # fmt: skip


def last_runs(settings: Settings, source: str | None, *, most: int, skip: int = 0, idle: bool = False) -> Part:
    """Return the newest runs and failed pulls; with `idle`, the pulls that found nothing new too."""
    with reading(settings, newest=True) as warehouse:
        return _runs(warehouse, {"source": source, "most": most, "skip": skip, "full": idle})


def quarantine(settings: Settings, source: str | None, *, most: int, skip: int = 0) -> Part:
    """Return records in quarantine, the newest first: source, entity, id, field, reason, since."""
    with reading(settings, newest=True) as warehouse:
        return _quarantine(warehouse, {"source": source, "most": most, "skip": skip})


def journal(settings: Settings, source: str | None, *, most: int, skip: int = 0) -> Part:
    """Return calls that wrote to the server, the newest first."""
    with reading(settings, newest=True) as warehouse:
        return _calls(warehouse, {"source": source, "most": most, "skip": skip})


def held_records(settings: Settings, source: str | None, *, most: int = 0, skip: int = 0) -> list[Held]:
    """Return the sources that keep records, with some of the records of each: clients first, who owe most first."""
    with reading(settings, newest=True) as warehouse:
        return _held(warehouse, {"source": source, "most": most, "skip": skip})


def _names(warehouse: Warehouse, unknown: Sequence[tuple[str, OpenCall]]) -> dict[tuple[str, str], str]:
    """Return the names of the first clients of these calls."""
    names: dict[tuple[str, str], str] = {}
    for source, open_call in unknown:
        ids = [edit.client_id for edit in open_call.call.edits[:MOST_NAMED] if edit.client_id]
        rows = warehouse.rows(statement("read/names"), {"source": source, "ids": ids})
        names |= {(source, str(client_id)): str(name) for client_id, name in rows}
    return names


def _runs(warehouse: Warehouse, values: Mapping[str, object]) -> Part:
    rows = _records(warehouse, "health/runs", values)
    return Part([_run(row) for row in rows], int(rows[0]["of"]) if rows else 0)


def _quarantine(warehouse: Warehouse, values: Mapping[str, object]) -> Part:
    ((number,),) = warehouse.rows(statement("health/quarantined"), values)
    return Part(_records(warehouse, "health/quarantine", values), int(str(number)))


def _calls(warehouse: Warehouse, values: Mapping[str, object]) -> Part:
    ((number,),) = warehouse.rows(statement("health/calls"), values)
    return Part(_records(warehouse, "read/journal", {**values, "top": values["most"]}), int(str(number)))


def _held(warehouse: Warehouse, values: Mapping[str, object]) -> list[Held]:
    counts: dict[str, dict[str, int]] = {}
    for name, entity, number in warehouse.rows(statement("health/held_counts"), values):
        counts.setdefault(str(name), {})[str(entity)] = int(str(number))
    return [
        Held(name, own, _records(warehouse, "health/held", {**values, "source": name}) if values["most"] else ())
        for name, own in counts.items()
    ]


def _run(row: Mapping[str, Any]) -> Run:
    seconds, failed = float(row["seconds"]), row["kind"] == FAILED
    return Run(
        str(row["source"]),
        str(row["entity"]),
        str(row["kind"]),
        row["finished_at"] - timedelta(seconds=seconds),
        seconds,
        int(row["received"]),
        int(row["inserted"]),
        int(row["updated"]),
        int(row["vanished"]),
        int(row["quarantine_open"]),
        int(row["exit_code"]),
        [str(row["message"])] if failed else msgspec.json.decode(str(row["message"]), type=list[str]),
    )


def _records(warehouse: Warehouse, name: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
    return Result(*warehouse.answer(statement(name), values)).records()

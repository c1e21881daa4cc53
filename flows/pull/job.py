"""The job of a pull of one source, and its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from connector.api.activities import sees_all
from connector.door.door import Door
from flows.configuration.load import place_of
from flows.configuration.values import Settings, Source
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.progress import Progress, silent
from flows.session.ready import open_ready
from schemas.diff import Change
from schemas.entities import CLIENTS, PULLED
from schemas.entity import Entity
from schemas.errors import ConnectionLost, TooMuchChange
from schemas.normalise import Drift, Quarantined
from warehouse.control.state import Binding, Run
from warehouse.engine.place import Place
from warehouse.engine.seam import Warehouse
from warehouse.load.vanished import Unlisted

Result = TypeVar("Result")


COUNTS = ("requests", "seconds", "received", "inserted", "updated", "touched", "unchanged", "vanished")
"""The counts to add up when a pull did a full check after its first run."""


class Departed(msgspec.Struct, frozen=True):
    """A record that a run removed: its name or number, its fate, the client it was merged into, and the evidence."""

    id: str
    name: str
    kind: str
    into_id: str | None
    into_name: str | None
    evidence: str


class Pulled(msgspec.Struct, frozen=True):
    """The result of a pull: its last run, the first changes, new drift, quarantined records, removed clients.

    If the pull did a full check after its first run, `control.runs` has two runs; `run` is the second one, with the
    counts of both. `left` counts the records kept although the server does not list them. If this pull kept them on
    purpose, `held` says why, and `unlisted` has the first of them. `blind`: the server lists no record to this token,
    which may not see all of them. This is the result for one entity; that for clients has the `others` of the source.
    """

    run: Run
    changes: Sequence[Change] = ()
    drift: Sequence[Drift] = ()
    quarantined: Sequence[Quarantined] = ()
    notes: Sequence[str] = ()
    departed: Sequence[Departed] = ()
    left: int = 0
    unlisted: Sequence[Unlisted] = ()
    held: TooMuchChange | None = None
    published: Path | None = None
    unpublished: bool = False
    blind: bool = False
    others: Sequence[Pulled] = ()

    @property
    def parts(self) -> list[Pulled]:
        """The results for all entities of the source, clients first."""
        return [self, *self.others]

    @property
    def entity(self) -> Entity:
        """The entity that was pulled."""
        return PULLED[self.run.entity]

    @property
    def has_findings(self) -> bool:
        """Whether something about this entity needs a look.

        It does if records are in quarantine, fields are unknown, records are unlisted, copies could not be written, or
        the token sees no record.
        """
        findings = self.drift or self.quarantined or self.run.quarantine_open or self.held
        return bool(findings or self.left > 0 or self.unpublished or self.blind)

    @property
    def needs_a_look(self) -> bool:
        """Whether the pull ends with exit code 7: something about one of its entities needs a look."""
        return any(part.has_findings for part in self.parts)


class Once(msgspec.Struct):
    """The answers that hold for a whole pull, so that its entities share them, and the runs stored so far."""

    binding: Binding | None = None
    sees_all: bool | None = None
    stored: list[Run] = []

    def is_blind(self, door: Door, total: int | None) -> bool:
        """Whether a list is empty and the token may not see the whole company."""
        if total:
            return False
        if self.sees_all is None:
            self.sees_all = sees_all(door)
        return not self.sees_all


class Job(msgspec.Struct, frozen=True):
    """One pull of one source, with everything that comes from outside. Its steps work on one `entity` at a time.

    `full` asks for a full check. `at_most` is the number of records of each entity that the run may remove; None leaves
    it to the brake. `due` is the time when the run was due, if other runs share the work: a source that was read since
    is not read again (ReadAlready).
    """

    settings: Settings
    name: str
    door: Door
    full: bool = False
    at_most: int | None = None
    due: datetime | None = None
    progress: Progress = silent
    clock: Clock = SYSTEM_CLOCK
    entity: Entity = CLIENTS
    once: Once = msgspec.field(default_factory=Once)

    @property
    def source(self) -> Source:
        """The settings of the source."""
        return self.settings.sources[self.name]

    @property
    def place(self) -> Place:
        """The place of the warehouse."""
        return place_of(self.settings)


def both(first: Pulled, swept: Pulled, why: str) -> Pulled:
    """Return the result of a pull that read the changes and then did a full check."""
    counts = {name: getattr(first.run, name) + getattr(swept.run, name) for name in COUNTS}
    return replace(
        swept,
        run=replace(swept.run, **counts, changed=first.run.changed or swept.run.changed),
        changes=[*first.changes, *swept.changes],
        drift=[*first.drift, *swept.drift],
        notes=[*first.notes, why, *swept.notes],
        departed=[*first.departed, *swept.departed],
    )


def patiently(job: Job, work: Callable[[Warehouse], Result]) -> Result:
    """Return the result of `work` on the open warehouse; repeat it if the connection was lost and nothing was stored.

    Raises ConnectionLost if the connection to Postgres is lost three times.
    """
    for _ in range(2):
        with suppress(ConnectionLost), open_ready(job.settings, job.clock) as warehouse:
            return work(warehouse)
    with open_ready(job.settings, job.clock) as warehouse:
        return work(warehouse)

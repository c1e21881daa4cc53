"""What a run of one source is given, and what it tells at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from connector.door.door import Door
from flows.configuration.load import place_of
from flows.configuration.values import Settings, Source
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.progress import Progress, silent
from flows.session.ready import open_ready
from schemas.diff import Change
from schemas.errors import ConnectionLost, TooMuchChange
from schemas.normalise import Drift, Quarantined
from warehouse.control.state import Run
from warehouse.engine.place import Place
from warehouse.engine.seam import Warehouse
from warehouse.load.vanished import Unlisted

Result = TypeVar("Result")


COUNTS = ("requests", "seconds", "received", "inserted", "updated", "touched", "unchanged", "vanished")
"""What is told of both runs of a pull that read everything after it had read what is new."""


@dataclass(frozen=True, slots=True)
class Departed:
    """A client that was taken out: what it was called, what became of it, the client that took it in, the evidence."""

    id: str
    name: str
    kind: str
    into_id: str | None
    into_name: str | None
    evidence: str


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did: its last run, the first changes, new drift, what was set aside, which clients are gone.

    Where a pull had to read everything after it had read what is new, `control.runs` has two runs; `run` is the second
    one, with the counts of both.
    `left` is how many clients stay in the warehouse although the server does not list them; `held` says why, where this
    pull has left them on purpose, and `unlisted` the first of them. `blind`: no client is listed to this token, which
    may not see all of them.
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

    @property
    def needs_a_look(self) -> bool:
        """Whether the pull ends with exit code 7.

        Records are in quarantine, fields unknown, clients unlisted, copies not written, or the token sees no client.
        """
        found = self.drift or self.quarantined or self.run.quarantine_open or self.held
        return bool(found or self.left > 0 or self.unpublished or self.blind)


@dataclass(frozen=True, slots=True)
class Job:
    """One pull of one source, with everything that comes in from outside.

    `full` reads everything; `at_most` is how many clients the run may take out, where it is told. `due` is when it was
    due, where other runs share the work: a source that was read since is not read again (ReadAlready).
    """

    settings: Settings
    name: str
    door: Door
    full: bool = False
    at_most: int | None = None
    due: datetime | None = None
    progress: Progress = silent
    clock: Clock = SYSTEM_CLOCK

    @property
    def source(self) -> Source:
        """The settings of the source."""
        return self.settings.sources[self.name]

    @property
    def place(self) -> Place:
        """Where the warehouse is."""
        return place_of(self.settings)


def both(first: Pulled, swept: Pulled, why: str) -> Pulled:
    """The report of a pull that read what was new, and then everything."""
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
    """What the work on the open warehouse comes to, done anew where the connection was lost and nothing was stored.

    A connection of Postgres that is lost twice more is an error: ConnectionLost.
    """
    for _ in range(2):
        with suppress(ConnectionLost), open_ready(job.settings, job.clock) as warehouse:
            return work(warehouse)
    with open_ready(job.settings, job.clock) as warehouse:
        return work(warehouse)

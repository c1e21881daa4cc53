"""A file of corrections in a person's session, and its check in the background: shared by the pages of corrections."""

from __future__ import annotations

from dataclasses import dataclass, field

from flows.desk.answers import See
from flows.desk.visit import Visit
from flows.push.corrections import Correction, check
from flows.push.grid import Grid
from flows.session.door import open_door
from flows.session.progress import Progress


@dataclass
class Work:
    """A person's file, in this session only: the corrections, the grid of those checked last, and the newest plan."""

    correction: Correction = field(repr=False)
    checked: Correction | None = field(default=None, repr=False)
    grid: Grid | None = field(default=None, repr=False)
    plan_id: str = ""

    @property
    def is_checked(self) -> bool:
        """Whether the grid is that of the corrections as they are now."""
        return self.checked is not None and self.checked.asks_for == self.correction.asks_for


def work_of(visit: Visit) -> Work:
    """Return the file of an address. Raises SettingsError if it is forgotten."""
    return visit.kept(visit.path["key"], Work)


def file_of_plan(visit: Visit, plan_id: str) -> tuple[str, Work] | None:
    """Return the key of the file that a plan was made of, and the file; None if this session has none."""
    return next(((key, work) for key, work in visit.session.kept_of(Work) if work.plan_id == plan_id), None)


def check_in_background(visit: Visit, work: Work, note: str = "") -> See:
    """Compare the changes with the server in the background, then show the grid, with a note."""
    correction, settings, address = work.correction, visit.settings, f"/corrections/{visit.path['key']}/changes"

    def compared(progress: Progress) -> Grid:
        with open_door(settings, correction.source) as door:
            return check(settings, correction, door, progress=progress)

    def then(grid: Grid) -> str:
        work.checked, work.grid = correction, grid
        if note:
            visit.note(note)
        return address

    return visit.start("Check the corrections", compared, then)

"""A person's file of corrections on its way to a plan: how it is read, its columns, and the person's edits.

Nothing of it is stored: it is in the memory of a session. Each step returns another `Correction`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Final

from connector.door.door import Door
from flows.ask.ask import reading
from flows.ask.rights import check_sees_all
from flows.configuration.values import Settings
from flows.push.columns import Labels, Suggestion, labels_of, mapped, suggestions
from flows.push.compare import compare
from flows.push.grid import Grid, grid_of
from flows.push.plan import Planned, plan_push
from flows.push.undo import names_of
from flows.push.wishes import HEADINGS, KEYS, NULL_WORDS, Headings, WishedRow, wishes_of_rows
from flows.session.api import check_bound
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.progress import Progress, silent
from flows.sheets.recognise import Recognised, recognise
from flows.sheets.spreadsheets import AS_IT_IS, Reading, amount
from flows.sheets.workbooks import SheetRow
from schemas.errors import SettingsError
from schemas.server_form import NUMBERS, WRITABLE
from warehouse.control.state import read_state

KNOWN: Final = frozenset({*KEYS, *WRITABLE, *HEADINGS})
"""Headings that reveal where the table of a file begins."""


@dataclass(frozen=True)
class Correction:
    """A file for one source: its table, the choice for each column, and the cells that a person has typed again.

    `blank_clears` lets blank cells empty the field. `edits` are texts by line and column; `left_out` are lines.
    """

    source: str
    name: str = field(repr=False)
    content: bytes = field(repr=False)
    read: Recognised
    labels: Labels = field(repr=False)
    suggested: Sequence[Suggestion]
    choices: Sequence[str]
    blank_clears: bool = False
    edits: Mapping[tuple[int, int], str] = field(default_factory=dict, repr=False)
    left_out: Set[int] = frozenset()

    @property
    def columns(self) -> Sequence[str]:
        """The headings of the file."""
        return self.read.table.columns

    @cached_property
    def headings(self) -> Headings:
        """The field of each column. Raises SettingsError if the choices cannot be."""
        return mapped(self.columns, self.choices, self.labels)

    @cached_property
    def rows(self) -> Sequence[SheetRow]:
        """The rows with their edits, without those left out. A row that a person has edited is no longer wrong."""
        edited: dict[int, dict[int, str]] = {}
        for (line, at), text in self.edits.items():
            edited.setdefault(line, {})[at] = text
        return [
            _with(row, edited[row.line]) if row.line in edited else row
            for row in self.read.table.rows
            if row.line not in self.left_out
        ]

    @property
    def asks_for(self) -> tuple[object, ...]:
        """All that decides the changes: if it is the same as at a check, the check is of now."""
        return self.read.how, tuple(self.choices), self.blank_clears, self.edits, self.left_out


def begin(settings: Settings, source: str, name: str, content: bytes) -> Correction:
    """Read a file, and suggest what its columns are. Raises SettingsError, with advice, for a file that is no table."""
    read, labels = recognise(name, content, AS_IT_IS, KNOWN), labels_of(settings, source)
    return _with_suggestions(source, name, content, read, labels)


def read_again(correction: Correction, how: Reading) -> Correction:
    """Read the file in another way. Choices for columns of the same name stay; edits are forgotten."""
    read = recognise(correction.name, correction.content, how, KNOWN)
    made = _with_suggestions(correction.source, correction.name, correction.content, read, correction.labels)
    kept = dict(zip(correction.columns, correction.choices, strict=True))
    if set(made.columns) != set(kept):
        return made
    choices = [kept[column] for column in made.columns]
    return replace(made, choices=choices, blank_clears=correction.blank_clears)


def choose(
    correction: Correction, choices: Sequence[str], *, blank_clears: bool, decimal: str | None, null_words: str | None
) -> Correction:
    """Choose what each column is. Raises SettingsError with advice if that cannot be, or if a choice is missing."""
    how = replace(correction.read.how, decimal=decimal, null_words=null_words)
    made = replace(
        correction, choices=tuple(choices), blank_clears=blank_clears, read=replace(correction.read, how=how)
    )
    _ = made.headings
    if decimal is None and has_two_readings(made):
        raise SettingsError("An amount such as 1.234 can be read in two ways. Choose the decimal sign.")
    if null_words is None and has_null_words(made):
        raise SettingsError("Some cells say NULL, none or the like. Choose whether that is a text or a blank.")
    return made


def edit(correction: Correction, texts: Mapping[tuple[int, int], str], left_out: Mapping[int, bool]) -> Correction:
    """Take the texts of a form, by line and column, and whether lines are left out. Unchanged texts are no edits."""
    rows = {row.line: row for row in correction.read.table.rows}
    edits = dict(correction.edits)
    for (line, at), typed in texts.items():
        text = typed.replace("\r\n", "\n")
        if line not in rows or at >= len(correction.columns) or text == shown(correction, rows[line], at):
            continue
        if text == as_text(rows[line].cells[at]):
            edits.pop((line, at), None)
        else:
            edits[line, at] = text
    out = {line for line in correction.left_out if left_out.get(line, True)}
    out |= {line for line, is_out in left_out.items() if is_out and line in rows}
    return replace(correction, edits=edits, left_out=frozenset(out))


def wishes_of(correction: Correction) -> list[WishedRow]:
    """Return the changes that the file asks for. Raises SettingsError if its columns cannot be."""
    how = replace(correction.read.how, null_words=correction.read.how.null_words or "text")
    return wishes_of_rows(correction.rows, correction.headings, null_clears=correction.blank_clears, how=how)


def check(settings: Settings, correction: Correction, door: Door, *, progress: Progress = silent) -> Grid:
    """Compare the corrections with the clients as the server has them now. Stores nothing, sends no change.

    Raises SettingsError for another company's token, and where this role may read the views only.
    """
    with reading(settings, newest=True) as warehouse:
        check_sees_all(warehouse, "Corrections need")
        bound = read_state(warehouse, correction.source).binding
    check_bound(settings, correction.source, door, bound)
    rows = wishes_of(correction)
    compared = compare(settings, correction.source, door, rows, progress=progress)
    unread = set(compared.clients.values()) - compared.views.keys()
    names = names_of(settings, correction.source, unread) if unread else {}
    return grid_of(correction.headings, correction.rows, compared, names, correction.labels)


def plan_correction(
    settings: Settings,
    correction: Correction,
    door: Door,
    *,
    reason: str = "",
    clock: Clock = SYSTEM_CLOCK,
    progress: Progress = silent,
) -> Planned:
    """Make and store a plan of the corrections. They are compared with the server again; nothing is sent."""
    rows = wishes_of(correction)
    return plan_push(settings, correction.source, door, rows, reason=reason, clock=clock, progress=progress)


def shown(correction: Correction, row: SheetRow, at: int) -> str:
    """Return the text of a cell as a person sees it, with its edit."""
    edited = correction.edits.get((row.line, at))
    return as_text(row.cells[at]) if edited is None else edited


def as_text(cell: object) -> str:
    """Return a cell as the text that a person would type for it."""
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case Decimal():
            return f"{cell:f}"
    return str(cell).replace("\r\n", "\n").replace("\r", "\n")


def has_two_readings(correction: Correction) -> bool:
    """Whether a column of numbers has a text such as 1.234, which is over a thousand or just over one."""
    places = [at for at, name in correction.headings.fields.items() if name in NUMBERS]
    return any(_can_be_two(row.cells[at]) for row in correction.rows for at in places)


def has_null_words(correction: Correction) -> bool:
    """Whether a column to write has a text such as NULL, which programs write for an absent value."""
    places = correction.headings.fields
    texts = (row.cells[at] for row in correction.rows for at in places)
    return any(isinstance(text, str) and text.strip().casefold() in NULL_WORDS for text in texts)


def _can_be_two(cell: object) -> bool:
    if not isinstance(cell, str):
        return False
    readings = set()
    for decimal in (",", "."):
        try:
            readings.add(amount(cell, decimal))
        except ValueError:
            return False
    return len(readings) > 1


def _with_suggestions(source: str, name: str, content: bytes, read: Recognised, labels: Labels) -> Correction:
    suggested = suggestions(read.table.columns, labels)
    choices = tuple(suggestion.choice for suggestion in suggested)
    return Correction(source, name, content, read, labels, suggested, choices)


def _with(row: SheetRow, texts: Mapping[int, str]) -> SheetRow:
    cells = [texts.get(at, cell) for at, cell in enumerate(row.cells)]
    return SheetRow(row.line, [cell if not isinstance(cell, str) or cell.strip() else None for cell in cells])

"""The grid of corrections: for each row of a file, each value before and after, or the reason of a refusal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from flows.ask.ask import Result
from flows.ask.field_names import field_name
from flows.push.columns import Labels, words_for
from flows.push.compare import Compared
from flows.push.wishes import Headings, place_of
from flows.sheets.workbooks import SheetRow
from schemas.plan import Cell
from schemas.server_form import GIVEN_BY_PUT

REASON: Final = "reason"
"""The heading of the reasons in a file of refused rows."""


class State(StrEnum):
    """The state of a value: it will change, is so already, is refused, or is blank and left alone."""

    CHANGE = "change"
    SAME = "same"
    REFUSED = "refused"
    BLANK = "blank"


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a row for a column of a client: its place in the file, its state, and why it is refused."""

    at: int
    column: str
    state: State
    before: object = field(default=None, repr=False)
    after: object = field(default=None, repr=False)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file: its line, its client as far as it is known, its values, and why all of it is refused.

    `lacks` are fields without which a value of it is refused: saving the client would give it the company's.
    """

    line: int
    client_id: str = ""
    number: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    values: Sequence[Value] = ()
    reason: str = ""
    lacks: Sequence[str] = ()

    @property
    def is_refused(self) -> bool:
        """Whether it is refused, or a value of it is."""
        return bool(self.reason) or any(value.state is State.REFUSED for value in self.values)

    @property
    def changes(self) -> bool:
        """Whether a value of it will change."""
        return any(value.state is State.CHANGE for value in self.values)


@dataclass(frozen=True, slots=True)
class Grid:
    """All rows of a file, and the counts: values to change and their clients, refused values, and values already so.

    `refused_rows` counts the rows with a refusal.
    """

    lines: Sequence[Line]
    changing: int
    clients: int
    refused: int
    refused_rows: int
    same: int


def grid_of(
    headings: Headings, rows: Sequence[SheetRow], compared: Compared, names: Mapping[str, str], labels: Labels
) -> Grid:
    """Return the grid of a file's rows, which were compared with the server.

    `names` are those of clients that were not read, because all of their row is refused.
    """
    cells = {(cell.client_id, cell.column): cell for cell in compared.cells}
    refused: dict[str, dict[str, str]] = {}
    for wish in compared.refused:
        refused.setdefault(wish.place, {})[wish.column] = _for_people(wish.reason, labels)
    lines = [_line(row, headings, compared, cells, refused.get(place_of(row.line), {}), names) for row in rows]
    return Grid(
        lines, len(cells), len({client_id for client_id, _ in cells}), len(compared.refused),
        sum(line.is_refused for line in lines), len(compared.same),
    )  # fmt: skip


def refused_rows(grid: Grid, columns: Sequence[str], rows: Sequence[SheetRow], labels: Labels) -> Result:
    """Return the rows of a file with a refusal: their cells, and the reason behind them."""
    reasons = {line.line: _reason(line, labels) for line in grid.lines if line.is_refused}
    named = [*columns, next(name for name in (REASON, "why refused", "reason of Ninja Sync") if name not in columns)]
    return Result(named, [[*row.cells, reasons[row.line]] for row in rows if row.line in reasons])


def _reason(line: Line, labels: Labels) -> str:
    reasons = [f"{words_for(value.column, labels)} {value.reason}" for value in line.values if value.reason]
    return "; ".join([line.reason] * bool(line.reason) + reasons)


def _line(
    row: SheetRow, headings: Headings, compared: Compared, cells: Mapping[tuple[str, str], Cell],
    reasons: Mapping[str, str], names: Mapping[str, str],
) -> Line:  # fmt: skip
    client_id = compared.clients.get(place_of(row.line), "")
    view = compared.views.get(client_id, {})
    values = [_value(at, name, client_id, view, compared, cells, reasons) for at, name in headings.fields.items()]
    whole = reasons.get("") or _reason_of_client(values, view)
    if whole:
        values = [Value(v.at, v.column, v.state, v.before) if v.reason == whole else v for v in values]
    number, name = (str(view.get(key) or "") for key in ("number", "display_name"))
    return Line(
        row.line,
        client_id,
        number,
        name or names.get(client_id, ""),
        values,
        whole,
        compared.lacking.get(client_id, ()),
    )


def _for_people(reason: str, labels: Labels) -> str:
    """Return a reason with the words of the fields that it names."""
    for name in GIVEN_BY_PUT:
        reason = reason.replace(name, field_name(name, labels))
    return reason


def _value(
    at: int, name: str, client_id: str, view: Mapping[str, object], compared: Compared,
    cells: Mapping[tuple[str, str], Cell], reasons: Mapping[str, str],
) -> Value:  # fmt: skip
    before = view.get(name)
    if "" in reasons or name in reasons:
        return Value(at, name, State.REFUSED, before, reason=reasons.get(name, ""))
    if cell := cells.get((client_id, name)):
        return Value(at, name, State.CHANGE, cell.before, cell.after)
    if (client_id, name) in compared.same:
        return Value(at, name, State.SAME, before, before)
    return Value(at, name, State.BLANK, before)


def _reason_of_client(values: Sequence[Value], view: Mapping[str, object]) -> str:
    """Return the one reason of all refused values of a row, if it is about the client: not found, or deleted."""
    reasons = {value.reason for value in values if value.reason}
    return reasons.pop() if len(reasons) == 1 and (not view or view.get("is_deleted")) else ""

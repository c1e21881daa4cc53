"""A plan: the changes to make on the server, by the fewest calls; counted, with a digest, and never edited.

A plan changes values, or merges clients (schemas.merge_plan). A wish is a value that somebody wants; a cell is a wish
that differs from the server's value. Cells are grouped into calls: one `bulk_update` for all clients with the same new
value in a column, one `assign_group` for those that get the same group, and a PUT for each client with any other
change, which carries that client's other cells too.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from schemas.entity import Written
from schemas.journal import Edit, Outcome
from schemas.merge_plan import MergeStep
from schemas.server_form import WRITABLE

PUSH: Final = "push"
MERGE: Final = "merge"
"""Kinds of plans, and the commands that make and apply them."""
CHUNK: Final = 500
"""Most clients of a bulk call; the call asks for as many in its answer, which otherwise is a page of 20."""
ALONE: Final = 3
"""From so many bulk calls for one client alone, a PUT is cheaper: it takes a read and a write."""
UPDATE, BULK_UPDATE, ASSIGN_GROUP = "update", "bulk_update", "assign_group"


@dataclass(frozen=True, slots=True)
class Wish:
    """A value that somebody wants in a column of a client. `place` is where the wish was written, such as `row 7`.

    Where the client was named by its number or id_number, `key` and `named` keep it: the server has the last word.
    `typed` values come from a spreadsheet, which may have dropped leading zeros.
    """

    client_id: str
    column: str
    value: object = field(repr=False)
    place: str = ""
    key: str = "id"
    named: str = field(default="", repr=False)
    typed: bool = False


@dataclass(frozen=True, slots=True)
class RefusedWish:
    """A wish that was not planned, and why; the reason holds no value."""

    place: str
    client_id: str
    column: str
    reason: str


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One column of one client to change: its value when the plan was made, and its new value.

    `by_put` means that a PUT writes it, although a bulk call could write such a column.
    """

    client_id: str
    column: str
    before: object = field(repr=False, compare=False)
    after: object = field(repr=False, compare=False)
    by_put: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class CellOutcome:
    """The outcome for one cell of a plan."""

    client_id: str
    column: str
    outcome: Outcome
    message: str = ""


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One call: its verb, and its cells. In a bulk call all cells have the same column and the same value."""

    verb: str
    cells: Sequence[Cell]

    @property
    def client_ids(self) -> list[str]:
        """The clients it changes, each once, in order."""
        return list(dict.fromkeys(cell.client_id for cell in self.cells))

    @property
    def edits(self) -> list[Edit]:
        """Its changes, client by client, for the journal."""
        return edits_of(self.cells)


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes to make at one source: values (PUSH), or clients to merge (MERGE). Times are aware, in UTC.

    `base_at` is the server's clock when its clients were read, and `newest_at` its newest stamp at that moment: a
    server without one as new may be restored from a backup. `company` is the fingerprint of the company that was read:
    ids repeat between servers, so no other one may get the plan. `version` is the server's; it decides how figures of
    merges are foreseen. `undoes` is the plan whose values this one puts back.
    """

    plan_id: str
    source: str
    kind: str
    made_at: datetime
    expires_at: datetime
    base_at: datetime
    newest_at: datetime
    author: str
    reason: str
    company: str
    version: str = ""
    undoes: str | None = None
    cells: Sequence[Cell] = field(default_factory=list)
    steps: Sequence[MergeStep] = field(default_factory=list)

    @property
    def calls(self) -> list[PlannedCall]:
        """The calls that write its values, always the same ones."""
        return calls_for(self.cells)

    @property
    def client_ids(self) -> list[str]:
        """The clients to change, each once, in order."""
        merged = (client_id for step in self.steps for client_id in (step.survivor_id, step.mergeable_id))
        return list(dict.fromkeys([*(cell.client_id for cell in self.cells), *merged]))

    @property
    def digest(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 over all of it: to approve them is to approve every value.

        Plans stored by earlier versions keep their digest.
        """
        content = self._merges() if self.kind == MERGE else self._changes()
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]

    def _changes(self) -> object:
        times = (self.made_at, self.expires_at, self.base_at, self.newest_at)
        return {
            "plan_id": self.plan_id, "source": self.source, "undoes": self.undoes, "company": self.company,
            "times": [_iso(at) for at in times], "author": self.author, "reason": self.reason,
            "cells": [[c.client_id, c.column, c.before, c.after, c.by_put] for c in sorted(self.cells)],
        }  # fmt: skip

    def _merges(self) -> object:
        return [
            self.plan_id, self.source, self.author, self.reason, self.company, self.version, _iso(self.made_at),
            _iso(self.expires_at), [step.as_plain for step in self.steps],
        ]  # fmt: skip


def calls_for(cells: Iterable[Cell], *, chunk: int = CHUNK) -> list[PlannedCall]:
    """The calls that write these cells, in a fixed order.

    A client that needs a PUT anyway gets its other cells in it, where a PUT can write them. Cells that only a bulk call
    can empty come last: a PUT after it would fill them again.
    """
    ordered = sorted(cells)
    put = {cell.client_id for cell in ordered if needs_put(cell)}
    groups: dict[tuple[str, str, str], list[Cell]] = defaultdict(list)
    alone: dict[str, list[Cell]] = defaultdict(list)
    for cell in ordered:
        if cell.client_id in put and not _bulk_only(cell):
            alone[cell.client_id].append(cell)
        else:
            groups[_verb(cell), cell.column, json.dumps(cell.after)].append(cell)
    calls = [
        PlannedCall(verb, group[start : start + chunk])
        for (verb, _, _), group in sorted(groups.items())
        for start in range(0, len(group), chunk)
    ]
    last = [call for call in calls if _bulk_only(call.cells[0])]
    first = [call for call in calls if not _bulk_only(call.cells[0])]
    return [*first, *(PlannedCall(UPDATE, own) for own in alone.values()), *last]


def with_fewest_calls(cells: Sequence[Cell], without_put: Set[str] = frozenset()) -> list[Cell]:
    """The cells, with `by_put` for a client that would need several bulk calls alone.

    Clients in `without_put` keep their bulk calls: a PUT would change something in them that nobody named.
    """
    count: dict[str, int] = defaultdict(int)
    for call in calls_for(cells):
        if call.verb != UPDATE and len(call.cells) == 1:
            count[call.cells[0].client_id] += 1
    put = {key for key, calls in count.items() if calls >= ALONE and key not in without_put}
    return [replace(cell, by_put=True) if cell.client_id in put and not _bulk_only(cell) else cell for cell in cells]


def calls_without_grouping(cells: Iterable[Cell]) -> int:
    """How many calls a loop over clients would make: a PUT for each client."""
    return len({cell.client_id for cell in cells})


def edits_of(cells: Iterable[Cell]) -> list[Edit]:
    """The cells, client by client."""
    before: dict[str, dict[str, object]] = defaultdict(dict)
    after: dict[str, dict[str, object]] = defaultdict(dict)
    for cell in cells:
        before[cell.client_id][cell.column] = cell.before
        after[cell.client_id][cell.column] = cell.after
    return [Edit(key, before[key], after[key]) for key in before]


def needs_put(cell: Cell) -> bool:
    """Whether no bulk call can write this cell."""
    return cell.by_put or _verb(cell) == UPDATE


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _bulk_only(cell: Cell) -> bool:
    """A PUT does not empty the country: the server sets the company's instead (ClientRepository.php:73-77)."""
    return cell.column == "country_id" and cell.after is None


def _verb(cell: Cell) -> str:
    """How a single cell is written: a PUT takes a group away, because assign_group needs one."""
    kind = WRITABLE[cell.column].written
    if kind is Written.BULK:
        return BULK_UPDATE
    return ASSIGN_GROUP if kind is Written.GROUP and cell.after is not None else UPDATE

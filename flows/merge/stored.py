"""A stored plan of merges as people see it, also later and at another desk: each merge's preview, state and result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from flows.ask.ask import Result, asked, reading
from flows.ask.field_names import field_labels
from flows.ask.names import Names, names_in
from flows.configuration.values import Settings
from schemas.client import Client
from schemas.generation import numbers_of
from schemas.journal import Outcome
from schemas.merge_plan import MergeStep, preview_of
from schemas.merge_preview import Preview
from schemas.plan import MERGE
from warehouse.control.plans import UNMERGED, Stored, read_plan
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement


@dataclass(frozen=True, slots=True)
class FiguresNow:
    """The figures of a client in the mirror, and the code of their currency."""

    figures: Mapping[str, Decimal] = field(repr=False)
    code: str


@dataclass(frozen=True, slots=True)
class StoredMerge:
    """One merge of a plan: its place, what it does, how far it is, and its result.

    `checked` is the outcome for the client kept, from the server's figures right after the merge; None if the merge was
    not sent. `now` are the figures of the client kept in the mirror, if it was read after the merge. `again` means that
    a later merge of the plan changes the client kept once more.
    """

    place: int
    step: MergeStep
    preview: Preview
    state: str
    backup: str | None
    noted_at: datetime | None
    checked: Outcome | None = None
    now: FiguresNow | None = None
    again: bool = False

    @property
    def balances(self) -> Sequence[tuple[Client, str]]:
        """Both clients as of the plan, each with the code of its currency."""
        return list(zip((self.preview.survivor, self.preview.mergeable), self.preview.currencies, strict=True))


@dataclass(frozen=True, slots=True)
class StoredMerges:
    """A plan of merges and all that people want to see of it.

    `names` are those of ids, `labels` the company's names of custom fields.
    """

    stored: Stored
    merges: Sequence[StoredMerge]
    names: Names = field(repr=False)
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)


def read_merges(settings: Settings, plan_id: str) -> StoredMerges:
    """Return a stored plan of merges. Raises SettingsError if there is none."""
    with reading(settings, newest=True) as warehouse:
        stored = read_plan(warehouse, plan_id, MERGE)
        plan = stored.plan
        values = {"source": plan.source, "plan_id": plan_id}
        noted = {row[0]: row[1] for row in warehouse.rows(statement("plans/steps_noted"), values)}
        checked = {row[0]: row[1] for row in warehouse.rows(statement("plans/merges_checked"), values)}
        done = [
            step.survivor_id for step, state in zip(plan.steps, stored.states, strict=True) if state not in UNMERGED
        ]
        now, loaded_at = _figures_now(warehouse, plan.source, done) if done else ({}, None)
        names, labels = names_in(warehouse, plan.source), field_labels(warehouse).get(plan.source, {})
    version = numbers_of(plan.version)
    merges: list[StoredMerge] = []
    coming = [step.survivor_id for step in plan.steps]
    for place, step, state, backup in zip(stored.places, plan.steps, stored.states, stored.backups, strict=True):
        at, outcome = noted.get(place), checked.get(step.mergeable_id)
        coming.pop(0)
        is_read = isinstance(at, datetime) and loaded_at is not None and loaded_at >= at
        merges.append(
            StoredMerge(
                place, step, preview_of(step, version), state, backup, at if isinstance(at, datetime) else None,
                Outcome(outcome) if outcome else None, now.get(step.survivor_id) if is_read else None,
                again=step.survivor_id in coming,
            )
        )  # fmt: skip
    return StoredMerges(stored, merges, names, labels)


def list_merge_plans(settings: Settings, source: str | None = None, *, top: int, first: int = 0) -> tuple[Result, int]:
    """Return plans of merges, the newest first, and how many there are. Each has its progress."""
    values = {"source": source, "top": top, "first": first}
    found = asked(settings, "read/merge_plans", values, newest=True)
    of_all = int(str(found.rows[0][-1])) if found.rows else 0
    return Result(found.columns[:-1], [row[:-1] for row in found.rows]), of_all


def merge_of_backup(settings: Settings, backup: Path) -> StoredMerge | None:
    """Return the merge whose backup is this file; None if no plan knows it."""
    file = str(backup.resolve())
    with reading(settings, newest=True) as warehouse:
        rows = warehouse.rows(statement("plans/of_backup"), {"backup": file})
    if not rows:
        return None
    plan_id = str(rows[0][0])
    return next((merge for merge in read_merges(settings, plan_id).merges if merge.backup == file), None)


def _figures_now(
    warehouse: Warehouse, source: str, ids: Sequence[str]
) -> tuple[dict[str, FiguresNow], datetime | None]:
    """Return the figures of mirrored clients, and when the mirror was last read from the server."""
    columns, rows = warehouse.answer(statement("plans/figures_now"), {"source": source, "ids": sorted(set(ids))})
    records = [dict(zip(columns, row, strict=True)) for row in rows]
    figures = {}
    loaded_at: datetime | None = None
    for record in records:
        key, code, loaded_at = str(record.pop("id")), str(record.pop("currency_code") or ""), record.pop("loaded_at")  # type: ignore[assignment]  # the statement's columns
        figures[key] = FiguresNow(record, code)  # type: ignore[arg-type]  # as above
    return figures, loaded_at

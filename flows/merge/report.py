"""How plans of merges look, in money and in people: before they are applied, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Final

from flows.merge.apply import AppliedMerges
from flows.merge.plan import PlannedMerges
from flows.merge.screen import preview_as_json, show_preview
from flows.show.output import write_output
from flows.show.show import amount, plain, say, show_json, show_records, show_table
from schemas.errors import LOADED_WITH_FINDINGS, SyncError
from schemas.merge_plan import MergeStep
from schemas.plan import Plan
from schemas.values import to_json
from warehouse.control.plans import APPLYING, Stored

MOST: Final = 20
"""Merges that are shown one by one; --json gives all."""


def tell_planned_merges(planned: PlannedMerges, to: Path | None = None, *, as_json: bool) -> int:
    """Report what came of pairs, and write it into a file where one is named; the exit code."""
    result = {
        "plan": None if planned.plan is None else merges_as_json(planned.plan),
        "previews": [preview_as_json(one) for one in planned.previews],
        "refused": [asdict(one) for one in planned.refused],
        "notes": planned.notes,
    }
    if to is not None:
        write_output(to, to_json(plain(result)).encode() + b"\n")
    if as_json:
        show_json(result)
        return LOADED_WITH_FINDINGS if planned.refused else 0
    for number, one in enumerate(planned.previews[:MOST], start=1):
        show_preview(number, one)
    if len(planned.previews) > MOST:
        say(f"and {len(planned.previews) - MOST:,} merges more; --json and --to give all")
    for note in planned.notes:
        say(note)
    if planned.refused:
        rows = [
            (one.survivor or one.survivor_id, one.mergeable or one.mergeable_id, one.reason) for one in planned.refused
        ]
        show_table("Refused", ("client kept", "to be merged in", "why"), rows)
    if to is not None:
        say(f"Written: {to}")
    if planned.plan is None:
        say("There is nothing to merge, so there is no plan.")
    else:
        command = f"ninja-sync merge apply {planned.plan.plan_id} --digest {planned.plan.digest}"
        say(f"Nothing was sent yet. Until {planned.plan.expires_at:%Y-%m-%d %H:%M} UTC: {command}")
    return LOADED_WITH_FINDINGS if planned.refused else 0


def show_merges(stored: Stored, names: Mapping[str, str]) -> None:
    """A stored plan, and how far each of its merges has come. `names` are those of the mirror."""
    rows = [
        (
            _called(step, step.survivor_id, names),
            _called(step, step.mergeable_id, names),
            _balance(step, 0),
            _balance(step, 1),
            state,
        )
        for step, state in zip(stored.plan.steps, stored.states, strict=True)
    ]
    columns = ("client kept", "merged in", "balance", "its balance", "state")
    show_table(f"Plan {stored.plan.plan_id}", columns, rows)
    _show_backups(stored.plan, stored.backups)
    say(f"{stored.state}; its digest is {stored.digest}.")


def tell_applied_merges(applied: AppliedMerges, *, as_json: bool) -> None:
    """Report how far the merges have come, as the server has them. Raises the error at which they stopped."""
    plan_id, total = applied.plan.plan_id, len(applied.states)
    if as_json:
        stopped = str(applied.stopped) if applied.stopped else None
        merges = [
            {"survivor_id": step.survivor_id, "mergeable_id": step.mergeable_id, "state": state, "backup": backup}
            for step, state, backup in zip(applied.plan.steps, applied.states, applied.backups, strict=True)
        ]
        show_json(
            {
                "plan_id": plan_id, "state": applied.state, "merges": merges, "done": applied.merged,
                "stopped": stopped,
            }
        )  # fmt: skip
    else:
        say(
            f"{plan_id}: {applied.merged:,} of {total:,} merge{'s' * (total != 1)} done on the server; "
            f"{_stands(applied)}"
        )
        rows = [
            (step.name_of(step.survivor_id), step.name_of(step.mergeable_id), state)
            for step, state in zip(applied.plan.steps, applied.states, strict=True)
        ]
        show_table("", ("client kept", "merged in", "state"), rows)
        _show_backups(applied.plan, applied.backups)
    if applied.stopped:
        raise applied.stopped


@contextmanager
def naming(plan: Plan, *, as_json: bool) -> Iterator[None]:
    """Errors about the clients of a plan call them by number and name, for the person at the terminal.

    Elsewhere, as in Prefect's records, the same errors hold ids and no name.
    """
    try:
        yield
    except SyncError as problem:
        if not as_json:
            problem.args = (named(str(problem), plan.steps),)
        raise


def named(text: str, steps: Iterable[MergeStep]) -> str:
    """A text in which the clients of merges are called by number, name and id instead of by the id alone."""
    called = {key: step.name_of(key) for step in steps for key in (step.survivor_id, step.mergeable_id)}
    for client_id, name in called.items():
        text = text.replace(client_id, name)
    return text


def merges_as_json(plan: Plan) -> dict[str, object]:
    """A plan for machines."""
    return {
        "plan_id": plan.plan_id, "source": plan.source, "digest": plan.digest, "author": plan.author,
        "reason": plan.reason, "made_at": plan.made_at, "expires_at": plan.expires_at, "version": plan.version,
        "merges": [step.told for step in plan.steps],
    }  # fmt: skip


def _stands(applied: AppliedMerges) -> str:
    """What can be done with a plan now."""
    if applied.state == APPLYING:
        plan_id = applied.plan.plan_id
        return f"it stopped. Go on: ninja-sync merge resume {plan_id}. Or end it: ninja-sync merge close {plan_id}."
    return f"the plan is {applied.state}."


def _called(step: MergeStep, client_id: str, names: Mapping[str, str]) -> str:
    """A client by number and name, as the plan has them, else as the mirror has them."""
    known = step.name_of(client_id)
    return f"{names[client_id]} ({client_id})" if known == client_id and client_id in names else known


def _balance(step: MergeStep, place: int) -> str:
    """The balance of one of both, with its currency; plans of earlier versions have none."""
    expected = (step.survivor, step.mergeable)[place]
    code = step.currencies[place] if step.currencies else ""
    return f"{amount(Decimal(str(expected['balance'])))} {code}".strip()


def _show_backups(plan: Plan, backups: Iterable[str | None]) -> None:
    """Where the backups are: below each other, so that a path can be copied."""
    rows = [(step.name_of(step.mergeable_id), file) for step, file in zip(plan.steps, backups, strict=True) if file]
    if rows:
        show_records("Backup", ("of", "file"), rows, most=MOST)

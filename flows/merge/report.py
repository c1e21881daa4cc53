"""Show plans of merges, their figures and contacts, before and after they are applied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

from flows.ask.names import Names
from flows.merge.apply import AppliedMerges
from flows.merge.plan import PlannedMerges
from flows.merge.screen import preview_as_json, show_preview
from flows.merge.stored import StoredMerges
from flows.show.output import write_output
from flows.show.show import amount, plain, say, show_json, show_records, show_table
from schemas.errors import LOADED_WITH_FINDINGS, NotVerified, SyncError
from schemas.merge_plan import MergeStep
from schemas.plan import Plan
from schemas.values import to_json
from warehouse.control.plans import APPLYING

MOST: Final = 20
"""The most backups shown; --json gives all."""


def tell_planned_merges(planned: PlannedMerges, names: Names, to: Path | None = None, *, as_json: bool) -> int:
    """Report planned merges, write them into a file if one is named, and return the exit code.

    `names` has the names of ids.
    """
    result = {
        "plan": None if planned.plan is None else merges_as_json(planned.plan),
        "previews": [preview_as_json(preview) for preview in planned.previews],
        "refused": [asdict(merge) for merge in planned.refused],
        "notes": planned.notes,
    }
    if to is not None:
        write_output(to, to_json(plain(result)).encode() + b"\n")
    if as_json:
        show_json(result)
        return LOADED_WITH_FINDINGS if planned.refused else 0
    for number, preview in enumerate(planned.previews, start=1):  # all of them: they are approved together
        show_preview(number, preview, names)
    for note in planned.notes:
        say(note)
    if planned.refused:
        rows = [
            (merge.survivor or merge.survivor_id, merge.mergeable or merge.mergeable_id, merge.reason)
            for merge in planned.refused
        ]
        show_table("Refused", ("client kept", "to be merged in", "why"), rows)
    if to is not None:
        say(f"Written: {to}")
    if planned.plan is None:
        say("There is nothing to merge, so there is no plan.")
    else:
        command = f"ninja-sync merge apply {planned.plan.plan_id} --digest {planned.plan.digest}"
        say(f"Nothing was sent yet. To merge, until {planned.plan.expires_at:%Y-%m-%d %H:%M} UTC:")
        say(command)
    return LOADED_WITH_FINDINGS if planned.refused else 0


def show_merges(shown: StoredMerges) -> None:
    """Show a stored plan whole: what each merge does or did, and its progress."""
    plan = shown.stored.plan
    for number, merge in enumerate(shown.merges, start=1):
        show_preview(number, merge.preview, shown.names, merge.step.remarks, shown.labels)
    rows = [
        (
            merge.step.name_of(merge.step.survivor_id),
            merge.step.name_of(merge.step.mergeable_id),
            *(f"{amount(client.balance, code)} {code}".strip() for client, code in merge.balances),
            merge.state,
        )
        for merge in shown.merges
    ]
    columns = ("client kept", "merged in", "balance", "its balance", "state")
    show_table(f"Plan {plan.plan_id}", columns, rows)
    _show_backups(plan, shown.stored.backups)
    say(f"{shown.stored.state}; its digest is {shown.stored.digest}.")


def tell_applied_merges(applied: AppliedMerges, *, as_json: bool) -> None:
    """Report the progress of the merges on the server. Raises the error that stopped them."""
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
    """Have errors name the plan's clients by number and name, and amounts, for the person at the terminal.

    Elsewhere, as in Prefect's records, the same errors have ids, and neither names nor amounts.
    """
    try:
        yield
    except SyncError as problem:
        if not as_json:
            problem.args = (in_names(problem, plan.steps),)
        raise


def in_names(problem: SyncError, steps: Iterable[MergeStep], *, ids: bool = True) -> str:
    """Return an error's text with number and name of each client, and the figures; without `ids`, names alone."""
    figures = f" The figures: {problem.figures}." if isinstance(problem, NotVerified) and problem.figures else ""
    return named(f"{problem}{figures}", steps, ids=ids)


def named(text: str, steps: Iterable[MergeStep], *, ids: bool = True) -> str:
    """Return a text with number, name and id of each client in place of the id alone; without `ids`, no id."""
    called = {
        key: step.name_of(key) if ids else step.label_of(key) or key
        for step in steps for key in (step.survivor_id, step.mergeable_id)
    }  # fmt: skip
    for client_id, name in called.items():
        text = text.replace(client_id, name)
    return text


def merges_as_json(plan: Plan) -> dict[str, object]:
    """Return a plan for machines."""
    return {
        "plan_id": plan.plan_id, "source": plan.source, "digest": plan.digest, "author": plan.author,
        "reason": plan.reason, "made_at": plan.made_at, "expires_at": plan.expires_at, "version": plan.version,
        "merges": [step.as_plain for step in plan.steps],
    }  # fmt: skip


def _stands(applied: AppliedMerges) -> str:
    """Return the next steps for a plan."""
    if applied.state == APPLYING:
        plan_id = applied.plan.plan_id
        return f"it stopped. Go on: ninja-sync merge resume {plan_id}. Or end it: ninja-sync merge close {plan_id}."
    return f"the plan is {applied.state}."


def _show_backups(plan: Plan, backups: Iterable[str | None]) -> None:
    """Show the paths of the backups below each other, so that they can be copied."""
    rows = [(step.name_of(step.mergeable_id), file) for step, file in zip(plan.steps, backups, strict=True) if file]
    if rows:
        show_records("Backup", ("of", "file"), rows, most=MOST)

"""The flow `push`: plan changes, wait for an approval, and apply the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.configuration.load import choose_source
from flows.configuration.values import Settings
from flows.plans.applying import find_plan
from flows.plans.brake import check_brake
from flows.push.apply import Applied, apply_plan
from flows.push.plan import check_not_empty, plan_push
from flows.push.wishes import WishedRow, wishes_of_file, wishes_of_query
from flows.scheduled.approval import Made, approved_plan, check_approved
from flows.scheduled.notices import keep, task_progress, with_links
from flows.scheduled.states import LOOK, ended, own_words, read_settings, retried, run_name
from flows.session.door import open_door
from flows.show.counted import counted
from schemas.entities import CLIENTS
from schemas.errors import SettingsError, SyncError, TooMuchChange
from schemas.plan import PUSH, Plan, calls_without_grouping
from warehouse.control.plans import APPLYING

Wishes = Sequence[WishedRow] | None
"""None means the changes in the outbox."""


@retried("plan a push", "plan {source}")
def plan_one(source: str, file: str | None, null_clears: bool, reason: str) -> Made:
    """Make and store a plan. Sends no change, so it may be retried."""
    log = get_run_logger()
    try:
        settings = read_settings()
        rows = _changes(settings, file, null_clears=null_clears)
        with open_door(settings, source) as door:
            planned = plan_push(settings, source, door, rows, reason=reason)
    except Exception as problem:  # noqa: BLE001 - Prefect stores every message
        failed = own_words(problem)
    else:
        log.info("%s: %s values already set, %s refused", source, planned.unchanged, len(planned.refused))
        return Made(planned.plan, [f"{_field(change.column)}: {change.reason}" for change in planned.refused])
    raise failed


@task(name="apply a plan", task_run_name="apply {plan_id}", retries=0, cache_policy=NO_CACHE, persist_result=False)
def apply_one(source: str, plan_id: str, digest: str) -> Applied:
    """Apply an approved plan, once. Not retried: after an error, a person looks first, then runs `push resume`."""
    try:
        settings = read_settings()
        check_approved(settings, source, plan_id, digest)
        with open_door(settings, source) as door:
            return apply_plan(settings, door, plan_id, digest, progress=task_progress(source))
    except Exception as problem:  # noqa: BLE001 - as above
        failed = own_words(problem)
    raise failed


@flow(name="push", flow_run_name=run_name, retries=0, persist_result=False, log_prints=False)
def push(source: str | None = None, file: str | None = None, null_clears: bool = False, reason: str = "") -> State[Any]:
    """Write back the changes of the outbox, or of `file`, after an approval.

    `file` is the name of a file in the folder `prefect.changes_folder` of the settings: a query if it ends in .sql,
    else a spreadsheet or Parquet. The run stores the plan, reports its figures, and is suspended until it is resumed
    after `ninja-sync approve DIGEST`.
    """
    return ended(lambda settings: _pushed(settings, source, file, null_clears, reason))


def figures(plan: Plan) -> str:
    """Return the figures of a plan as Markdown, without data of clients."""
    fields = Counter(cell.column for cell in plan.cells)
    lines = [
        f"Plan `{plan.plan_id}` of the source {plan.source}, digest `{plan.digest}`.",
        "",
        f"- clients: {len(plan.client_ids):,}, values: {len(plan.cells):,}",
        f"- calls: {len(plan.calls):,} (one by one: {calls_without_grouping(plan.cells):,})",
        f"- fields: {', '.join(f'{name} {count:,}' for name, count in fields.most_common())}",
        f"- expires: {plan.expires_at:%Y-%m-%d %H:%M} UTC",
        "",
        f"Details: `ninja-sync push show {plan.plan_id}`.",
        f"Approve it and resume the run: `ninja-sync approve {plan.digest} --resume`.",
    ]
    return "\n".join(lines) + "\n"


def _pushed(settings: Settings, source: str | None, file: str | None, null_clears: bool, reason: str) -> State[Any]:
    name = choose_source(settings, source)
    approved = approved_plan(
        settings,
        name,
        PUSH,
        make=lambda: _braked(settings, plan_one(name, file, null_clears, reason)),
        figures=figures,
    )
    if isinstance(approved, State):
        return approved
    plan = approved.plan
    applied = apply_one(name, plan.plan_id, approved.digest)
    counts = ", ".join(f"{number:,} {what}" for what, number in applied.counts.items())
    summary = f"{plan.plan_id}: {counts}; {counted(applied.calls, 'call')}"
    more = f"{summary}. `ninja-sync push show {plan.plan_id}` has more.\n"
    keep(lambda: create_markdown_artifact(with_links(more), key="ninja-sync-push"))
    if applied.stopped and find_plan(settings, PUSH, plan.plan_id).state == APPLYING:
        hint = f"then `ninja-sync push resume {plan.plan_id}`"
        return Failed(message=f"{summary}. It stopped: {own_words(applied.stopped)}; {hint}")
    if applied.stopped:
        return Completed(name=LOOK, message=f"{summary}; the mirror does not show it yet: {own_words(applied.stopped)}")
    return Completed(name=None if applied.as_planned else LOOK, message=summary)


def _braked(settings: Settings, made: Made) -> Made:
    """Return the plan if it needs no --force. Raises TooMuchChange, with the command that applies it."""
    plan = made.plan
    if plan is not None:
        try:
            check_brake(settings, plan)
        except TooMuchChange as refused:
            how = f"ninja-sync push apply {plan.plan_id} --digest {plan.digest} --force"
            raise TooMuchChange(f"{refused} The plan is stored. To apply it anyway: {how}") from None
    return made


def _field(name: str) -> str:
    """Return the name of a known field; a queued change may hold any text in its place."""
    return name if name in {field.name for field in CLIENTS.fields} else "an unknown field"


def _changes(settings: Settings, file: str | None, *, null_clears: bool) -> Wishes:
    """Return the changes in a file. Raises SettingsError without the reader's message, which quotes the file."""
    if not file:
        return None
    path = file_of_changes(settings, file)
    try:
        return _read(settings, path, null_clears=null_clears)
    except SyncError as problem:
        kind = type(problem).__name__
    raise SettingsError(f"{path} cannot be used for changes ({kind}): `ninja-sync push plan` shows the reason.")


def _read(settings: Settings, path: Path, *, null_clears: bool) -> Sequence[WishedRow]:
    if path.suffix.lower() == ".sql":
        rows = wishes_of_query(settings, _text(path), null_clears=null_clears)
    else:
        rows, _ = wishes_of_file(path, null_clears=null_clears)
    check_not_empty(rows)
    return rows


def file_of_changes(settings: Settings, name: str) -> Path:
    """Return the file of this name in the folder of changes. Raises SettingsError, also for a link out of it."""
    if not settings.prefect.changes_folder:
        raise SettingsError("A run may name a file only if the settings have [prefect] changes_folder.")
    folder = Path(settings.prefect.changes_folder)
    path = folder / Path(name).name
    if Path(name).name != name or name.startswith("."):
        raise SettingsError(f"`file` is the name of a file in the folder {folder}, not a path.")
    if not path.is_file() or path.resolve().parent != folder.resolve():
        raise SettingsError(f"There is no file of this name in the folder {folder}.")
    return path


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{file} cannot be read: {type(problem).__name__}.") from None

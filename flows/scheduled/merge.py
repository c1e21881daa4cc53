"""The flow `merge`: plan merges of decided duplicates, wait for an approval, and merge each once, without retries."""

from __future__ import annotations

from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.configuration.load import choose_source
from flows.configuration.values import Settings
from flows.merge.apply import AppliedMerges, apply_merges
from flows.scheduled.approval import Made, approved_plan, check_approved
from flows.scheduled.notices import keep, task_progress, with_links
from flows.scheduled.states import LOOK, ended, own_words, read_rules, read_settings, run_name
from flows.session.door import open_door
from flows.session.password import password_reader
from flows.show.counted import counted
from schemas.plan import MERGE, Plan
from warehouse.control.plans import APPLYING


@task(name="plan merges", task_run_name="plan {source}", retries=0, cache_policy=NO_CACHE, persist_result=False)
def plan_one(source: str, certain: bool) -> Made:
    """Make and store a plan of clusters decided to be the same; with `certain`, of certain ones. Sends no change."""
    log = get_run_logger()
    try:
        settings = read_settings()
        chosen = read_rules(settings)
        from flows.dedupe.plan import plan_clusters, planned_cases  # noqa: PLC0415 - an extra, only for duplicates

        if not planned_cases(settings, source, certain=certain):
            return Made(None)
        password_reader(settings.sources[source])()  # a missing password is an error now, not after an approval
        with open_door(settings, source) as door:
            planned = plan_clusters(
                settings, source, door, chosen, certain=certain, allowed=set(chosen.allow),
                public_notes=chosen.public_notes,
            )  # fmt: skip
    except Exception as problem:  # noqa: BLE001 - Prefect stores every message
        failed = own_words(problem)
    else:
        log.info("%s: %s merges planned, %s refused", source, len(planned.previews), len(planned.refused))
        return Made(planned.plan, [refusal.reason for refusal in planned.refused])
    raise failed


@task(name="apply merges", task_run_name="apply {plan_id}", retries=0, cache_policy=NO_CACHE, persist_result=False)
def apply_one(source: str, plan_id: str, digest: str) -> AppliedMerges:
    """Apply an approved plan of merges. Never retried: after an error, a person looks at the merges first."""
    try:
        settings = read_settings()
        check_approved(settings, source, plan_id, digest)
        password = password_reader(settings.sources[source])
        with open_door(settings, source) as door:
            return apply_merges(settings, door, plan_id, digest, password, progress=task_progress(source))
    except Exception as problem:  # noqa: BLE001 - as above
        failed = own_words(problem)
    raise failed


@flow(name="merge", flow_run_name=run_name, retries=0, persist_result=False, log_prints=False)
def merge(source: str | None = None, certain: bool = False) -> State[Any]:
    """Merge the groups of duplicates that people decided are the same, after an approval of the plan.

    `certain` also plans groups that nobody has decided on, if every pair is at least 99.9 % probable and no two clients
    contradict each other. A merge cannot be undone. The run stores the plan, reports its figures, and is suspended
    until it is resumed after `ninja-sync approve DIGEST`. It stops at the first surprise.
    """
    return ended(lambda settings: _merged(settings, source, certain))


def figures(plan: Plan) -> str:
    """Return the figures of a plan of merges as Markdown, without data of clients."""
    rescues = sum(not (step.before.is_empty and step.then.is_empty) for step in plan.steps)
    owing = sum(bool(step.mergeable["balance"]) for step in plan.steps)
    lines = [
        f"Plan `{plan.plan_id}` of the source {plan.source}, digest `{plan.digest}`.",
        "",
        f"- merges: {len(plan.steps):,}, into {counted(len({step.survivor_id for step in plan.steps}), 'client')}",
        f"- with a balance that moves: {owing:,}; with fields or contacts to rescue: {rescues:,}",
        f"- expires: {plan.expires_at:%Y-%m-%d %H:%M} UTC",
        "",
        f"Details: `ninja-sync merge show {plan.plan_id}`.",
        f"Approve it and resume the run: `ninja-sync approve {plan.digest} --resume`.",
    ]
    return "\n".join(lines) + "\n"


def _merged(settings: Settings, source: str | None, certain: bool) -> State[Any]:
    name = choose_source(settings, source)
    approved = approved_plan(
        settings,
        name,
        MERGE,
        make=lambda: plan_one(name, certain),
        figures=figures,
    )
    if isinstance(approved, State):
        return approved
    plan = approved.plan
    applied = apply_one(name, plan.plan_id, approved.digest)
    summary = f"{plan.plan_id}: {applied.merged:,} of {counted(len(applied.states), 'merge')} done"
    more = f"{summary}. `ninja-sync merge show {plan.plan_id}` has more.\n"
    keep(lambda: create_markdown_artifact(with_links(more), key="ninja-sync-merge"))
    if applied.stopped and applied.finished:
        return Completed(name=LOOK, message=f"{summary}; the mirror does not show it yet: {own_words(applied.stopped)}")
    if applied.stopped:
        hint = "plan again"
        if applied.state == APPLYING:
            hint = (
                f"look at it, then `ninja-sync merge resume {plan.plan_id}` or `ninja-sync merge close {plan.plan_id}`"
            )
        return Failed(message=f"{summary}. It stopped: {own_words(applied.stopped)}; {hint}")
    return Completed(message=summary)

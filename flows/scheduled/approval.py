"""Plans of flows: make and store a plan, suspend the run until a person approves its digest, and apply it once.

Access to Prefect's API is enough to start and resume runs, but not to approve: an approval is a row in `control`, which
`ninja-sync approve` writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from prefect import get_run_logger, runtime
from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.states import Completed

from flows.configuration.values import Settings
from flows.plans.applying import find_plan
from flows.scheduled.notices import emit, keep, with_links
from flows.scheduled.states import LOOK
from flows.session.clock import SYSTEM_CLOCK
from flows.session.ready import open_ready
from schemas.errors import StalePlan, UnsafePlan
from schemas.plan import Plan
from warehouse.control.approvals import Waiting, approval_of, ask, asked_by, require_approval, waiting
from warehouse.control.plans import APPLYING, PLANNED, REJECTED, Stored, see_why

ARTIFACT: Final = "ninja-sync-plan"


class GoOn(RunInput):
    """An empty form: `ninja-sync approve` gives the approval, not Prefect's page."""


@dataclass(frozen=True, slots=True)
class Made:
    """The result of planning: a plan or None, and the reasons for each refusal, which hold no values."""

    plan: Plan | None
    refused: Sequence[str] = ()

    @property
    def refusals(self) -> str:
        """The number of refusals, and their reasons."""
        reasons = Counter(self.refused).most_common()
        why = "; ".join(f"{reason} ({count:,})" if count > 1 else reason for reason, count in reasons)
        return f"refused: {len(self.refused):,}: {why}" if self.refused else ""


@dataclass(frozen=True, slots=True)
class Approved:
    """A plan, and the digest that a person has approved: nothing else may be applied."""

    plan: Plan
    digest: str


def approved_plan(
    settings: Settings,
    name: str,
    kind: str,
    make: Callable[[], Made],
    figures: Callable[[Plan], str],
) -> Approved | State[Any]:
    """Return the plan of this flow run once it is approved, or the final state of a run that applies no plan.

    Until then the run is suspended, and its process ends. A resumed run starts again, and finds its plan by the id of
    the run. Without an approval it is suspended again. Raises StalePlan if the plan has expired, or if it was begun
    already: then the run was cut off, or somebody retried it.
    """
    run = str(runtime.flow_run.id)
    with open_ready(settings) as warehouse:
        asked = asked_by(warehouse, run)
        others = [] if asked else [plan for plan in waiting(warehouse, name, SYSTEM_CLOCK.now()) if plan.kind == kind]
    for other in others:
        if other.asked_by and is_suspended(other.asked_by):
            return Completed(
                message=f"The plan {other.plan_id} is already waiting: ninja-sync approve {other.digest} --resume"
            )
    if asked:
        plan = _unapplied(find_plan(settings, kind, asked.plan_id))
    else:
        made = make()
        if made.plan is None:
            return _nothing(f"{name}: nothing to {kind}", made, others)
        plan = made.plan
        with open_ready(settings) as warehouse:
            ask(warehouse, plan.source, plan.plan_id, plan.digest, run, SYSTEM_CLOCK.now())
        shown = figures(plan) + (f"\n**Not in it**, {made.refusals}\n" if made.refused else "")
        page = with_links(shown)
        keep(lambda: create_markdown_artifact(page, key=ARTIFACT, description="A plan that is waiting for approval."))
        if runtime.deployment.id is not None:
            command = f"ninja-sync approve {plan.digest} --resume"
            emit("plan.waiting", name, shown, plan=plan.plan_id, digest=plan.digest, command=command)
    if isinstance(plan, State):
        return plan
    digest = asked.digest if asked else plan.digest
    _wait(settings, plan, digest, figures(plan))
    return Approved(plan, digest)


def check_approved(settings: Settings, source: str, plan_id: str, digest: str) -> None:
    """Raises StalePlan if nobody has approved exactly this digest. Call it right before the plan is applied."""
    with open_ready(settings) as warehouse:
        require_approval(warehouse, source, plan_id, digest)


def is_suspended(run: str) -> bool:
    """Whether a flow run is still waiting. Prefect may have deleted it, or somebody may have cancelled it."""
    try:
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(UUID(run)).state
    except (ObjectNotFound, ValueError):
        return False
    return state is not None and state.is_paused()


def _nothing(message: str, made: Made, left: Sequence[Waiting]) -> State[Any]:
    """Return the final state of a run that has planned nothing: it needs a look if plans are left, or a refusal.

    A plan is left if its run was killed before it asked, or cancelled since. No other plan takes up its changes.
    """
    notes = [made.refusals] if made.refused else []
    for plan in left:
        show = f"ninja-sync {plan.kind} show {plan.plan_id}"
        notes.append(f"the plan {plan.plan_id} is stored, and no run asks for its approval: {show}")
    return Completed(name=LOOK if notes else None, message="; ".join([message, *notes]))


def _unapplied(stored: Stored) -> Plan | State[Any]:
    """Return the plan that the run made before it was suspended, or a state if it was applied or rejected meanwhile."""
    plan = stored.plan
    if stored.state == APPLYING:
        raise StalePlan(
            f"The plan {plan.plan_id} was cut off. Look at it, then run `ninja-sync {plan.kind} resume {plan.plan_id}`."
        )
    if stored.state == REJECTED:
        by = f" by {stored.rejection.rejected_by}" if stored.rejection else ""
        return Completed(
            name="Rejected", message=f"The plan {plan.plan_id} was rejected{by}. {see_why(plan)} Nothing was sent."
        )
    if stored.state != PLANNED:
        return Completed(
            message=f"The plan {plan.plan_id} is already {stored.state}: ninja-sync {plan.kind} show {plan.plan_id}"
        )
    return plan


def _wait(settings: Settings, plan: Plan, digest: str, description: str) -> None:
    log = get_run_logger()
    while True:
        with open_ready(settings) as warehouse:
            given = approval_of(warehouse, plan.plan_id, digest)
        if given:
            log.info("The plan %s was approved by %s", plan.plan_id, given.approved_by)
            return
        seconds = (plan.expires_at - SYSTEM_CLOCK.now()).total_seconds()
        if seconds <= 0:
            raise StalePlan(f"The plan {plan.plan_id} has expired without an approval: run the flow again.")
        log.info("The plan %s is waiting: ninja-sync approve %s --resume", plan.plan_id, digest)
        if runtime.deployment.id is None:
            raise UnsafePlan(
                f"The plan {plan.plan_id} is stored, but only a run of a deployment can wait for its approval. Apply "
                f"it on the command line, with the digest {digest}."
            )
        suspend_flow_run(wait_for_input=GoOn.with_initial_data(description=description), timeout=int(seconds) + 1)

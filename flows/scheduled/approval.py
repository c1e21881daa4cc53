"""Plans of flows: made, kept, suspended until a person has approved of their digest, and then applied; once.

Whoever can reach Prefect's API can start and resume runs, but cannot approve: an approval is a row in `control`, which
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
from warehouse.control.approvals import approval_of, ask, asked_by, waiting
from warehouse.control.plans import APPLYING, PLANNED, Stored

ARTIFACT: Final = "ninja-sync-plan"


class GoOn(RunInput):
    """Nothing is asked for: an approval is given by `ninja-sync approve`, not here."""


@dataclass(frozen=True, slots=True)
class Made:
    """What came of wishes or duplicates: a plan, or none; and why some are not in it, in words without a value."""

    plan: Plan | None
    refused: Sequence[str] = ()

    @property
    def told(self) -> str:
        """How many were refused, and why."""
        reasons = Counter(self.refused).most_common()
        why = "; ".join(f"{reason} ({count:,})" if count > 1 else reason for reason, count in reasons)
        return f"refused: {len(self.refused):,}: {why}" if self.refused else ""


def approved_plan(
    settings: Settings,
    name: str,
    kind: str,
    make: Callable[[], Made],
    figures: Callable[[Plan], str],
) -> Plan | State[Any]:
    """The plan of this flow run, when it is approved; or the state in which the run ends without applying one.

    The run is suspended until then, and its process ends: when it is resumed it starts again, and finds its plan by its
    own id. Resumed without an approval, it is suspended again. A run that starts again although its plan was begun (it
    was cut off, or somebody retries it) applies nothing. Raises StalePlan for that, and where the plan expires.
    """
    run = str(runtime.flow_run.id)
    with open_ready(settings) as warehouse:
        asked = asked_by(warehouse, run)
        others = [] if asked else waiting(warehouse, name, SYSTEM_CLOCK.now())
    for other in others:
        if other.kind == kind and other.asked_by and is_suspended(other.asked_by):
            return Completed(
                message=f"The plan {other.plan_id} waits already: ninja-sync approve {other.digest} --resume"
            )
    if asked:
        plan = _unapplied(find_plan(settings, kind, asked.plan_id))
    else:
        made = make()
        if made.plan is None:
            told = f"{name}: nothing to {kind}"
            return Completed(name=LOOK, message=f"{told}; {made.told}") if made.refused else Completed(message=told)
        plan = made.plan
        with open_ready(settings) as warehouse:
            ask(warehouse, plan.source, plan.plan_id, plan.digest, run, SYSTEM_CLOCK.now())
        shown = figures(plan) + (f"\n**Not in it**, {made.told}\n" if made.refused else "")
        page = with_links(shown)
        keep(lambda: create_markdown_artifact(page, key=ARTIFACT, description="A plan that waits for approval."))
        if runtime.deployment.id is not None:
            command = f"ninja-sync approve {plan.digest} --resume"
            emit("plan.waiting", name, shown, plan=plan.plan_id, digest=plan.digest, command=command)
    if isinstance(plan, State):
        return plan
    _wait(settings, plan, asked.digest if asked else plan.digest, figures(plan))
    return plan


def is_suspended(run: str) -> bool:
    """Whether a flow run still waits. Prefect may have forgotten it, or somebody has cancelled it."""
    try:
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(UUID(run)).state
    except (ObjectNotFound, ValueError):
        return False
    return state is not None and state.is_paused()


def _unapplied(stored: Stored) -> Plan | State[Any]:
    """The plan that a run has made before it was suspended; a state where it was applied meanwhile."""
    plan = stored.plan
    if stored.state == APPLYING:
        raise StalePlan(
            f"The plan {plan.plan_id} was cut off: look at it, then `ninja-sync {plan.kind} resume {plan.plan_id}`."
        )
    if stored.state != PLANNED:
        return Completed(
            message=f"The plan {plan.plan_id} is {stored.state} already: ninja-sync {plan.kind} show {plan.plan_id}"
        )
    return plan


def _wait(settings: Settings, plan: Plan, digest: str, told: str) -> None:
    log = get_run_logger()
    while True:
        with open_ready(settings) as warehouse:
            given = approval_of(warehouse, plan.plan_id, digest)
        if given:
            log.info("The plan %s is approved by %s", plan.plan_id, given.approved_by)
            return
        seconds = (plan.expires_at - SYSTEM_CLOCK.now()).total_seconds()
        if seconds <= 0:
            raise StalePlan(f"The plan {plan.plan_id} has expired without an approval: run the flow again.")
        log.info("The plan %s waits: ninja-sync approve %s --resume", plan.plan_id, digest)
        if runtime.deployment.id is None:
            raise UnsafePlan(
                f"The plan {plan.plan_id} is made. Only a run of a deployment is suspended until it is approved; this "
                f"plan is applied on the command line, by its digest {digest}."
            )
        suspend_flow_run(wait_for_input=GoOn.with_initial_data(description=told), timeout=int(seconds) + 1)

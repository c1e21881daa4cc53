"""Plans of flows: made, kept, suspended until a person has approved of their digest, and then applied; once.

Whoever can reach Prefect's API can start and resume runs, but cannot approve: an approval is a row in `control`, which
`ninja-sync approve` writes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from prefect import get_run_logger, runtime
from prefect.artifacts import create_markdown_artifact
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput

from flows.job import SYSTEM_CLOCK, open_ready
from flows.settings import Settings
from schemas.errors import StalePlan, UnsafePlan
from schemas.merge_plan import MergePlan
from schemas.plan import Plan
from warehouse.approvals import approval_of, ask, asked_by

ARTIFACT: Final = "ninja-sync-plan"


class GoOn(RunInput):
    """Nothing is asked for: an approval is given by `ninja-sync approve`, not here."""


def approved_plan(
    settings: Settings,
    make: Callable[[], Plan | MergePlan | None],
    read: Callable[[str], Plan | MergePlan],
    figures: Callable[[Any], str],
) -> Plan | MergePlan | None:
    """The plan of this flow run, when it is approved; None where there is nothing to plan.

    The run is suspended until then, and its process ends: when it is resumed it starts anew, and finds its plan by its
    own id. Resumed without an approval, it is suspended again. Raises StalePlan where the plan expires meanwhile.
    """
    run = str(runtime.flow_run.id)
    with open_ready(settings) as warehouse:
        asked = asked_by(warehouse, run)
    plan = read(asked.plan_id) if asked else make()
    if plan is None:
        return None
    if asked is None:
        with open_ready(settings) as warehouse:
            ask(warehouse, plan.source, plan.plan_id, plan.digest, run, SYSTEM_CLOCK.now())
        create_markdown_artifact(figures(plan), key=ARTIFACT, description="A plan that waits for its approval.")
    _wait(settings, plan, asked.digest if asked else plan.digest, figures(plan))
    return plan


def _wait(settings: Settings, plan: Plan | MergePlan, digest: str, told: str) -> None:
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
        log.info("The plan %s waits: ninja-sync approve %s", plan.plan_id, digest)
        if runtime.deployment.id is None:
            raise UnsafePlan(
                f"The plan {plan.plan_id} is made. Only a run of a deployment is suspended until it is approved; this "
                f"plan is applied on the command line, by its digest {digest}."
            )
        suspend_flow_run(wait_for_input=GoOn.with_initial_data(description=told), timeout=int(seconds) + 1)

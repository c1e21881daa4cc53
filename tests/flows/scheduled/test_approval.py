"""A flow applies exactly the plan that a person approved, and no plan without an approval."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from flows.configuration.load import load_settings
from flows.configuration.values import Settings
from flows.session.ready import open_ready
from schemas.errors import StalePlan, WrongDigest
from schemas.merge_plan import MergeStep
from schemas.plan import MERGE, PUSH, Cell, Plan
from tests.engines import Files, address
from warehouse.control.approvals import approve, ask
from warehouse.control.plans import ENDED, set_state, store_plan
from warehouse.control.rejections import reject

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC).replace(microsecond=0)
LATER = NOW + timedelta(days=1)
CHANGES = Plan(
    "push-1", "main", PUSH, NOW, LATER, NOW, NOW, "ann", "", "company", cells=[Cell("a1", "city", "Bern", "Zug")]
)
MERGES = Plan(
    "merge-1", "main", MERGE, NOW, LATER, NOW, NOW, "ann", "", "company", steps=[MergeStep("a1", "b2", {}, {})]
)
SOURCE = '[sources.main]\nurl = "http://127.0.0.1:1"\nretry_budget = 0.2\n'


@dataclass
class Run:
    """A run of a flow without Prefect's server: its settings, its module, and how it goes on."""

    settings: Settings
    flow: Any
    plan: Plan

    def go_on(self):
        if self.plan.kind == PUSH:
            return self.flow._pushed(self.settings, "main", None, False, "")
        return self.flow._merged(self.settings, "main", False)


@pytest.fixture(params=[CHANGES, MERGES], ids=["push", "merge"])
def run(request, tmp_path, monkeypatch, migrated_file):
    from flows.scheduled import approval, merge, push  # noqa: PLC0415 - Prefect takes seconds to import

    place = Files().copy(migrated_file, tmp_path / "state")
    config = tmp_path / "ninja-sync.toml"
    config.write_text(f'warehouse = "{address(place)}"\n{SOURCE}')
    for name, value in {"CONFIG": str(config), "TOKEN": "t" * 64, "PASSWORD": "p"}.items():
        monkeypatch.setenv(f"NINJA_SYNC_{name}", value)
    deployed = SimpleNamespace(flow_run=SimpleNamespace(id="run-1"), deployment=SimpleNamespace(id="a-deployment"))
    monkeypatch.setattr(approval, "runtime", deployed)
    monkeypatch.setattr(approval, "get_run_logger", lambda: logging.getLogger("flows"))
    for flow in (push, merge):
        monkeypatch.setattr(flow, "task_progress", lambda _source: lambda *_: None)
        monkeypatch.setattr(flow, "apply_one", flow.apply_one.fn)
    made = Run(load_settings(config), push if request.param.kind == PUSH else merge, request.param)
    with open_ready(made.settings) as warehouse:
        store_plan(warehouse, made.plan)
    return made


def alter(warehouse, plan):
    """Change a stored plan, and its stored digest with it."""
    if plan.kind == PUSH:
        other = replace(plan, cells=[replace(plan.cells[0], after="Worse")])
        warehouse.execute("update control.plan_cells set after = cast('\"Worse\"' as json)")
    else:
        other = replace(plan, steps=[])
        warehouse.execute("delete from control.merge_steps")
    warehouse.execute("update control.plans set digest = $digest", {"digest": other.digest})


def test_a_plan_that_was_altered_after_its_approval_is_not_applied(run):
    with open_ready(run.settings) as warehouse:
        ask(warehouse, "main", run.plan.plan_id, run.plan.digest, "run-1", NOW)
        approve(warehouse, run.plan.digest, "eva", NOW)
        alter(warehouse, run.plan)
    with pytest.raises(WrongDigest):
        run.go_on()


def test_no_plan_is_applied_without_an_approval_of_its_digest(run):
    with pytest.raises(StalePlan, match=f"is not approved: ninja-sync approve {run.plan.digest}"):
        run.flow.apply_one("main", run.plan.plan_id, run.plan.digest)


def test_a_plan_that_no_run_asks_for_is_reported_when_nothing_else_is_to_plan(run, monkeypatch):
    """As a run leaves it that was killed between storing its plan and asking: its changes are in no other plan."""
    from flows.scheduled import approval  # noqa: PLC0415 - as above

    monkeypatch.setattr(approval, "is_suspended", lambda asked_by: asked_by == "run-2")
    monkeypatch.setattr(run.flow, "plan_one", lambda *_: approval.Made(None, ["city: the client is deleted"]))
    with open_ready(run.settings) as warehouse:
        ask(warehouse, "main", run.plan.plan_id, run.plan.digest, "run-0", NOW)
    ended = run.go_on()
    assert ended.name == "Needs a look"
    assert ended.message == (
        f"main: nothing to {run.plan.kind}; refused: 1: city: the client is deleted; the plan {run.plan.plan_id} is "
        f"stored, and no run asks for its approval: ninja-sync {run.plan.kind} show {run.plan.plan_id}"
    )
    with open_ready(run.settings) as warehouse:
        ask(warehouse, "main", run.plan.plan_id, run.plan.digest, "run-2", NOW)
    assert (run.go_on().name, "already waiting" in run.go_on().message) == ("Completed", True)
    with open_ready(run.settings) as warehouse:
        set_state(warehouse, run.plan, ENDED, NOW)
    monkeypatch.setattr(run.flow, "plan_one", lambda *_: approval.Made(None))
    assert (run.go_on().name, run.go_on().message) == ("Completed", f"main: nothing to {run.plan.kind}")


def test_a_run_ends_with_the_rejection_of_its_plan_and_prefect_does_not_get_the_comment(run):
    with open_ready(run.settings) as warehouse:
        ask(warehouse, "main", run.plan.plan_id, run.plan.digest, "run-1", NOW)
        approve(warehouse, run.plan.digest, "eva", NOW)
        reject(warehouse, run.plan, run.plan.digest, "bob", "Canary Ann asked us not to.", NOW)
    ended = run.go_on()
    show = f"`ninja-sync {run.plan.kind} show {run.plan.plan_id}` shows why."
    message = f"The plan {run.plan.plan_id} was rejected by bob. {show} Nothing was sent."
    assert (ended.name, ended.message) == ("Rejected", message)
    with pytest.raises(StalePlan, match="was rejected by bob"):  # as when the word falls after the run has looked
        run.flow.apply_one("main", run.plan.plan_id, run.plan.digest)

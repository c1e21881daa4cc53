"""The sandbox answers every recorded scenario as the real server did (5.10.42).

Scenarios spend most of their time waiting for the server's clock to show another second, so several run at once, each
on a server of its own: none sees what another one switches, counts or makes.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from queue import Queue

import pytest

from sandbox.server import running

HERE = Path(__file__).parent
AT_ONCE = 8


def _conformance():
    spec = importlib.util.spec_from_file_location("conformance", HERE / "conformance.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["conformance"] = module
    spec.loader.exec_module(module)
    if not module.SCENARIOS:
        module.load([str(HERE / "scenarios.py")])
    return module


conformance = _conformance()
SCENARIOS = conformance.SCENARIOS


@pytest.fixture(scope="module")
def answers(request) -> Iterator[dict[str, Future]]:
    """The steps of every scenario that is tested here, by name, as soon as they are done."""
    here = [item for item in request.session.items if item.module is request.module and hasattr(item, "callspec")]
    wanted = [item.callspec.params["scenario"] for item in here]
    with ExitStack() as servers, ThreadPoolExecutor(AT_ONCE) as pool:
        free: Queue[argparse.Namespace] = Queue()
        for _ in range(min(AT_ONCE, len(wanted))):
            known = asdict(servers.enter_context(running(clients=60, seed=7)))
            free.put(argparse.Namespace(base_url=known.pop("url"), control="sandbox", **known))
        yield {scenario.name: pool.submit(_steps, scenario, free) for scenario in wanted}
        pool.shutdown(cancel_futures=True)


def _steps(scenario, free: Queue[argparse.Namespace]) -> list[dict]:
    server = free.get()
    try:
        return conformance.run_one(scenario, server)["steps"]
    finally:
        free.put(server)


@pytest.mark.parametrize("scenario", [pytest.param(scenario, id=scenario.name) for scenario in SCENARIOS])
def test_scenario_is_answered_as_recorded(scenario, answers):
    recorded = json.loads((HERE / "recorded" / f"{scenario.name}.json").read_text(encoding="utf-8"))
    different = conformance.diffs(recorded["steps"], answers[scenario.name].result())
    assert not different, "\n".join(different)


def test_every_recording_has_its_scenario():
    recorded = {path.stem for path in (HERE / "recorded").glob("*.json")}
    assert {scenario.name for scenario in SCENARIOS} == recorded

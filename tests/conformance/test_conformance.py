"""The sandbox answers every recorded scenario as the real servers did (5.10.42 and 5.12.28).

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
AT_ONCE = 24
FOLDERS = {"5.10": HERE / "recorded", "5.12": HERE / "recorded-5.12"}
DOCUMENTS = HERE / "recorded-documents"
"""Recorded of invoices, payments, credits and the like, on 5.12.28 alone."""
NOT_RECORDED = {("5.12", "limit-per-minute")}
UNTRUSTED = {
    ("5.12", "auth-plain-client"): (9,),
    ("5.12", "created-at-filter"): (8,),
    ("5.12", "invoices-list-order"): (21,),
}
"""Steps that say nothing: other clients stood on that server, and a moment passed between two requests."""


def _conformance():
    spec = importlib.util.spec_from_file_location("conformance", HERE / "conformance.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["conformance"] = module
    spec.loader.exec_module(module)
    if not module.SCENARIOS:
        module.load([str(HERE / "scenarios.py"), str(HERE / "scenarios_documents.py")])
    return module


conformance = _conformance()
SCENARIOS = conformance.SCENARIOS


def _recording(generation: str, scenario) -> Path:
    return (DOCUMENTS if scenario.area.startswith("doc-") else FOLDERS[generation]) / f"{scenario.name}.json"


EACH = [
    pytest.param(generation, scenario, id=f"{generation} {scenario.name}")
    for generation in FOLDERS
    for scenario in SCENARIOS
    if (generation, scenario.name) not in NOT_RECORDED
    if generation == "5.12" or not scenario.area.startswith("doc-")
]


@pytest.fixture(scope="module")
def answers(request) -> Iterator[dict[tuple[str, str], Future]]:
    """The steps of every scenario that is tested here, by generation and name, as soon as they are done."""
    here = [item for item in request.session.items if item.module is request.module and "scenario" in _params(item)]
    wanted = [(_params(item)["generation"], _params(item)["scenario"]) for item in here]
    with ExitStack() as servers, ThreadPoolExecutor(AT_ONCE) as pool:
        free: dict[str, Queue[argparse.Namespace]] = {generation: Queue() for generation in FOLDERS}
        for generation, queue in free.items():
            for _ in range(min(AT_ONCE, sum(of == generation for of, _ in wanted))):
                box = servers.enter_context(running(clients=60, seed=7, behaves_like=generation))
                known = asdict(box)
                queue.put(argparse.Namespace(base_url=known.pop("url"), control="sandbox", **known))
        yield {(of, one.name): pool.submit(_steps, one, free[of]) for of, one in wanted}
        pool.shutdown(cancel_futures=True)


def _params(item: pytest.Item) -> dict:
    return item.callspec.params if hasattr(item, "callspec") else {}


def _steps(scenario, free: Queue[argparse.Namespace]) -> list[dict]:
    server = free.get()
    try:
        return conformance.run_one(scenario, server)["steps"]
    finally:
        free.put(server)


@pytest.mark.parametrize(("generation", "scenario"), EACH)
def test_scenario_is_answered_as_recorded(generation, scenario, answers):
    recorded = json.loads(_recording(generation, scenario).read_text(encoding="utf-8"))["steps"]
    answered = answers[generation, scenario.name].result()
    for number in UNTRUSTED.get((generation, scenario.name), ()):
        answered[number - 1] = recorded[number - 1]
    different = conformance.diffs(recorded, answered)
    assert not different, "\n".join(different)


@pytest.mark.parametrize("generation", FOLDERS)
def test_every_recording_has_its_scenario(generation):
    paths = [*FOLDERS[generation].glob("*.json"), *(DOCUMENTS.glob("*.json") if generation == "5.12" else ())]
    assert {_recording(*param.values) for param in EACH if param.values[0] == generation} == set(paths)

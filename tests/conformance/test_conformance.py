"""The sandbox answers every recorded scenario as the real server did (5.10.42)."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from sandbox.server import running

HERE = Path(__file__).parent
AREAS = {
    "auth", "general", "list", "filter", "time", "include", "show", "create", "update", "lifecycle", "bulk", "merge",
    "purge", "upload", "statement", "limits", "feeds",
}  # fmt: skip
NOT_YET: dict = {}


def _conformance():
    spec = importlib.util.spec_from_file_location("conformance", HERE / "conformance.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["conformance"] = module
    spec.loader.exec_module(module)
    if not module.SCENARIOS:
        module.load([str(HERE / "scenarios.py")])
    return module


conformance = _conformance()


def _cases() -> Iterator[pytest.param]:
    for scenario in conformance.SCENARIOS:
        if (scenario.area in AREAS or scenario.name == "limit-per-minute") and scenario.name not in NOT_YET:
            yield pytest.param(scenario, id=scenario.name)


@pytest.fixture(scope="module")
def server() -> Iterator[argparse.Namespace]:
    with running(clients=60, seed=7) as sandbox:
        known = asdict(sandbox)
        yield argparse.Namespace(base_url=known.pop("url"), control="sandbox", **known)


@pytest.mark.parametrize("scenario", list(_cases()))
def test_scenario_is_answered_as_recorded(scenario, server):
    recorded = json.loads((HERE / "recorded" / f"{scenario.name}.json").read_text(encoding="utf-8"))
    got = conformance.run_one(scenario, server)
    different = conformance.diffs(recorded["steps"], got["steps"])
    assert not different, "\n".join(different)

"""Runs ordinary tests in a process of their own, with a mistake planted or without."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.planted.child import NOT_OURS, run_pytest
from tests.planted.mistake import ROOT, Mistake
from tests.planted.plugin import VARIABLE

LONGEST = 900
"""Seconds: only for what hangs."""


def run(nodes: Iterable[str], folder: Path, planted: str = "") -> tuple[int, str]:
    """The exit code of pytest (1: tests ran, and one failed) and what it said; all its files are in the folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment = kept | {VARIABLE: planted, "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis")}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # other plugins cost a second, most of such a run
    told = ["-x", "-q", "--tb=short", "-p", "tests.planted.plugin", f"--basetemp={folder / 'tests'}", *nodes]
    told += ["-k", "not postgres"]  # none of the mistakes is one of an engine
    said = folder / "said"
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(NOT_OURS)
    process = forks.Process(target=run_pytest, args=(told, ROOT, environment, said))
    process.start()
    process.join(LONGEST)
    if process.exitcode is None:
        process.kill()
        process.join()
    return process.exitcode, said.read_text()


def all_tests(mistakes: Mapping[str, Mistake]) -> list[str]:
    """The tests that catch any of them, each once."""
    return list(dict.fromkeys(node for one in mistakes.values() for node in one.caught_by))

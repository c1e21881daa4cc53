"""Runs ordinary tests in a process of their own, with a mistake planted or without."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.planted.mistake import ROOT, Mistake
from tests.planted.plugin import VARIABLE

LONGEST = 900
"""Seconds: only for what hangs."""


def run(nodes: Iterable[str], folder: Path, planted: str = "") -> tuple[int, str]:
    """The exit code of pytest (1: tests ran, and one failed) and what it said; all its files are in the folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment = kept | {VARIABLE: planted, "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis")}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # other plugins cost a second, most of such a run
    told = ["-x", "-q", "--tb=short", "-p", "tests.planted.plugin", f"--basetemp={folder / 'tests'}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *told, *nodes], cwd=ROOT, env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=LONGEST, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def all_tests(mistakes: Mapping[str, Mistake]) -> list[str]:
    """The tests that catch any of them, each once."""
    return list(dict.fromkeys(node for one in mistakes.values() for node in one.caught_by))

"""Programs as they run where only some packages are installed, in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = {name: needed for name, needed in PROJECT["optional-dependencies"].items() if name != "test"}
HIDE = """
import json, sys
from importlib.machinery import PathFinder
hidden = set(json.loads(sys.argv.pop(1)))
class Rest(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in hidden else super().find_spec(name, path, target)
sys.meta_path[:] = [Rest if finder is PathFinder else finder for finder in sys.meta_path]
"""
COMMAND = "from flows.cli.start import main\nmain()"


@cache
def modules() -> dict[str, list[str]]:
    """Every top module here, and the distributions that bring it."""
    return dict(packages_distributions())


def modules_of(distributions: Iterable[str]) -> set[str]:
    """The top modules that these distributions bring."""
    wanted = {canonicalize_name(name) for name in distributions}
    return {
        module for module, holders in modules().items() if wanted & {canonicalize_name(holder) for holder in holders}
    }


def named_in(requirements: Iterable[str]) -> set[str]:
    """The names of what is required, without versions."""
    return {Requirement(text).name for text in requirements}


def installed_with(requirements: Iterable[str]) -> set[str]:
    """The distributions that come with these requirements: they, what they need, and so on."""
    reached: set[str] = set()
    waiting = [(Requirement(text), "") for text in requirements]
    while waiting:
        needed, extra = waiting.pop()
        if needed.marker is not None and not needed.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(needed.name)
        if name in reached:
            continue
        reached.add(name)
        try:
            further = requires(name) or []
        except PackageNotFoundError:
            continue
        waiting += [(Requirement(text), chosen) for text in further for chosen in needed.extras or {""}]
    return reached


def run_without(modules: Iterable[str], code: str, *arguments: str, **options: object) -> subprocess.CompletedProcess:
    """Run Python code in a process that does not find these modules."""
    return subprocess.run(
        [sys.executable, "-c", HIDE + code, json.dumps(sorted(modules)), *arguments],
        capture_output=True, text=True, timeout=120, check=False, **options,
    )  # fmt: skip

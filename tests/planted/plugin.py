"""A pytest plugin that plants one mistake: `PLANTED_MISTAKE='one walk' python -m pytest -p tests.planted.plugin …`.

Modules are loaded from the altered text when they are first imported, so that whoever imports a name from them gets the
wrong one; statements in SQL are altered where they are read. Files stay as they are. A mistake that no longer fits the
code, or comes too late, is an error of usage: no test runs. Processes that a test starts have no mistake in them.
"""

from __future__ import annotations

import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location

import pytest

from tests.planted import keeping, reading
from tests.planted.mistake import ROOT, Mistake, with_mistake

VARIABLE = "PLANTED_MISTAKE"


class _Altered(SourceFileLoader):
    """Loads a module from a text that is not in its file, and leaves no compiled file behind."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self.text = text

    def get_data(self, path: str) -> bytes:  # noqa: ARG002 - of importlib's protocol, as below
        return self.text.encode()

    def path_stats(self, path: str) -> dict[str, float]:  # noqa: ARG002
        raise OSError  # importlib takes this for "cannot be cached"


class _Planter(MetaPathFinder):
    """Finds the modules that have the mistake in them, before anybody else does."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        if name not in self.texts:
            return None
        file = str(ROOT / f"{name.replace('.', '/')}.py")
        return spec_from_file_location(name, file, loader=_Altered(name, file, self.texts[name]))


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Plant the mistake before any module of the project is imported."""
    if name := os.environ.get(VARIABLE):
        try:
            plant((reading.MISTAKES | keeping.MISTAKES)[name])
        except (KeyError, ValueError) as problem:
            raise pytest.UsageError(f"{name}: {problem}") from None


def plant(one: Mistake) -> None:
    """Alter this process. Raises ValueError where a module is imported already, or an edit does not fit."""
    files = {edit.file for edit in one.edits}
    texts = {file: with_mistake(one, file) for file in files}
    modules = {file.removesuffix(".py").replace("/", "."): text for file, text in texts.items() if file.endswith(".py")}
    if late := sys.modules.keys() & modules.keys():
        raise ValueError(f"imported already: {late}")
    sys.meta_path.insert(0, _Planter(modules))
    _alter_statements({file: text for file, text in texts.items() if file.endswith(".sql")})


def _alter_statements(texts: dict[str, str]) -> None:
    from warehouse.engine import sql as statements  # noqa: PLC0415 - not before the planter stands

    right = statements.read_text
    statements.read_text = lambda file: texts.get(f"warehouse/sql/{file}") or right(file)

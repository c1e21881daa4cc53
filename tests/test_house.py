"""The house: folders that say what they are for, and modules that can be read in one go."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("connector", "flows", "sandbox", "schemas", "warehouse")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
FOLDERS = sorted({path.parent for path in MODULES})


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_has_at_most_300_lines_and_begins_with_what_it_is_for(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_folder_of_modules_is_a_package(folder):
    assert (folder / "__init__.py").is_file()


def test_no_folder_holds_so_many_modules_that_nobody_finds_one():
    crowded = {str(folder): len(list(folder.glob("*.py"))) for folder in FOLDERS}
    assert {name: count for name, count in crowded.items() if count > 32} == {}

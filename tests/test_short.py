"""The lists of what `make test` runs name files and tests that there are."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.short import ENGINES, KEPT, ON_BOTH

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("file", KEPT)
def test_the_tests_that_make_test_runs_are_there(file):
    made = {node.name for node in ast.walk(ast.parse((ROOT / file).read_text())) if isinstance(node, ast.FunctionDef)}
    assert {kept.partition("[")[0] for kept in KEPT[file]} <= made


def test_the_folders_are_there():
    assert [one for one in (*ENGINES, *ON_BOTH) if not (ROOT / one).exists()] == []

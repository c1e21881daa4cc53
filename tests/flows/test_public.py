"""The names that programs import from `flows`: those, and none at the cost of the others."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import flows

ROOT = Path(__file__).parents[2]

NAMES = ["aging", "engine", "frame", "metadata", "open_api", "settings", "table"]


def test_the_public_names_are_these_and_each_is_documented():
    assert sorted(flows.__all__) == NAMES
    assert set(NAMES) <= set(dir(flows))
    for name in NAMES:
        assert callable(getattr(flows, name))
        assert getattr(flows, name).__doc__


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nothing"):
        _ = flows.nothing


def test_importing_flows_loads_no_library():
    heavy = ["duckdb", "httpx", "pandas", "prefect", "pyarrow", "sqlalchemy", "typer"]
    code = f"import sys, flows; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("room", ["connector", "flows", "schemas", "warehouse", "sandbox"])
def test_no_signature_holds_the_environment_with_its_secrets(room):
    for file in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
                assert "os.environ" not in map(ast.unparse, defaults), f"{file.name}:{node.lineno}"

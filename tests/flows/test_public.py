"""The names that programs import from `flows`: those, and none at the cost of the others."""

from __future__ import annotations

import subprocess
import sys

import pytest

import flows

NAMES = ["engine", "frame", "open_api", "settings", "table"]


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

"""A cold pull of an unchanged server: the modules it imports, the warehouses it opens, the requests it sends.

Each of these was measured to cost processor time. A test cannot measure time, so it counts what takes it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from warehouse.engine.place import PostgresUrl

NEEDLESS = (
    "click", "duckdb", "h2", "httpx._main", "numpy", "pandas", "prefect", "psycopg_pool", "pyarrow",
    "pydantic", "pydantic_core", "pygments", "rich", "sandbox", "sqlalchemy", "starlette", "unittest",
)  # fmt: skip
"""Modules that a pull without changes does not need; some of them take as long as all of its work."""
PROGRAM = """
import atexit, json, sys
if sys.argv.pop(1) == "duckdb":
    import _duckdb as driver
else:
    import psycopg as driver
connect, opened = driver.connect, []
driver.connect = lambda *args, **named: opened.append(named.get("read_only")) or connect(*args, **named)
atexit.register(lambda: print("\\n" + json.dumps([opened, sorted(k for k, v in sys.modules.items() if v is not None)])))
from flows.cli.start import main
main()
"""


@pytest.fixture
def pull(server, place, tmp_path):
    """Pull in a process of its own; return how warehouses were opened, the modules imported and the requests sent."""
    for key in server.clients():
        server.stamp(key, 1_700_000_000)  # long before the look-back, so that the second pull is idle
    on_postgres = isinstance(place, PostgresUrl)
    environ = {
        "NINJA_SYNC_URL": server.box.url, "NINJA_SYNC_TOKEN": server.box.token, "HOME": str(tmp_path),
        "NINJA_SYNC_WAREHOUSE": place.url if on_postgres else str(place), "PATH": os.environ["PATH"],
        "NINJA_SYNC_ENTITIES": "clients",
    }  # fmt: skip

    def run(*args):
        server.requests()
        command = [sys.executable, "-c", PROGRAM, "postgres" if on_postgres else "duckdb", "pull", *args]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environ, check=True)
        opened, modules = json.loads(done.stdout.splitlines()[-1])
        return opened, modules, server.requests(), done.stderr

    return run


def test_a_pull_without_changes_does_no_more_than_it_needs(pull, place):
    pull()
    opened, modules, requests, said = pull("--source", "main")
    assert said == "main: nothing has changed (1 request).\n"
    assert len(requests) == 1
    # DuckDB: to check the secret's server, then to compare and to note the run. Postgres: also its lock and its turns.
    assert opened == ([None] * 4 if isinstance(place, PostgresUrl) else [True, False])
    assert [name for name in modules if name in NEEDLESS] == []

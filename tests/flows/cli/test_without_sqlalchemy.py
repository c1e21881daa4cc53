"""No command that finds its tables in place imports SQLAlchemy, which takes a third of a second."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.engines import address

PROGRAM = "import sys; sys.modules['sqlalchemy'] = None\nfrom flows.cli.start import main; main()"
"""A command that cannot import it."""
COMMANDS = (
    ["pull"], ["pull", "--full"], ["sweep"], ["status"], ["balances"], ["aging"], ["sql", "select 1"],
    ["reconciliation"], ["rates"], ["clients", "list"], ["journal"], ["dedupe", "find"], ["dedupe", "list"],
    ["merge", "list"], ["push", "list"], ["push", "queue"], ["approve"], ["source", "list"], ["doctor"],
    ["backup", "books.backup"], ["publish", "--to", "shared"], ["history"],
)  # fmt: skip


@pytest.fixture
def without(tmp_path, environment, server, place):
    """Run a command that cannot import SQLAlchemy, on a warehouse whose tables are in place."""
    environ = {**environment, "NINJA_SYNC_WAREHOUSE": address(place), "NINJA_SYNC_ENTITIES": "clients,invoices"}

    def run(*args):
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, *args], env=environ, cwd=tmp_path, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip

    assert run("pull").returncode == 0  # the first one: the fixture's warehouse has its tables
    server.edit(next(iter(server.clients(status="active").values())), city="Zürich")
    return run


@pytest.mark.quick(where=lambda args, **_: args in (["pull"], ["doctor"], ["balances"]))
@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_it_works_without_it(without, args):
    done = without(*args)
    assert (done.returncode, "sqlalchemy" in done.stderr) == (0, False), done.stderr


def test_only_new_tables_need_it(tmp_path, environment):
    environ = {**environment, "NINJA_SYNC_WAREHOUSE": str(tmp_path / "new.duckdb")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "pull"], env=environ,
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "ModuleNotFoundError at tables.py" in done.stderr

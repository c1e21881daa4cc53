"""The server and the pulls of the flows' tests, and settings with a warehouse on each engine."""

import msgspec
import pytest
from typer.testing import CliRunner

from flows.cli.app import app
from tests.engines import address
from tests.flows.conftest import pulls, server, settings

__all__ = ["pulls", "server", "settings", "told"]


@pytest.fixture
def told(settings, server, place, monkeypatch):
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    return msgspec.structs.replace(settings, warehouse=address(place))


@pytest.fixture
def command(server, tmp_path, monkeypatch):
    """Run a command in this process on a new DuckDB file: its result; raises what it raises."""
    for name, value in {
        "NINJA_SYNC_URL": server.box.url, "NINJA_SYNC_TOKEN": server.box.token,
        "NINJA_SYNC_WAREHOUSE": str(tmp_path / "w.duckdb"), "HOME": str(tmp_path),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, [*args], catch_exceptions=False)

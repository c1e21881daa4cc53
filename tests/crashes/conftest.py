"""A server, a warehouse and a stable of victims for the tests of crashes."""

from __future__ import annotations

import pytest

from sandbox.server import running
from tests.crashes.victim import stable
from tests.flows.conftest import Server

CLIENTS = 120


@pytest.fixture
def server():
    """A sandbox of its own for one test."""
    with running(clients=CLIENTS, seed=5) as box:
        yield Server(box)


@pytest.fixture
def path(tmp_path):
    """Where the warehouse of a test is: in a folder of its own."""
    return tmp_path / "state" / "warehouse.duckdb"


@pytest.fixture
def victims(server, path):
    """A stable whose victims pull the server into the warehouse as the source `main`."""
    with stable(path, {"main": (server.box.url, server.box.token)}) as opened:
        yield opened

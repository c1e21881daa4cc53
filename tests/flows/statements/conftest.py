"""A sandbox for statements, and its API."""

from __future__ import annotations

import pytest

from sandbox.server import running
from tests.connector.clients.conftest import Box
from tests.noted import Noted


@pytest.fixture(scope="module")
def box():
    with running(clients=12, seed=5) as sandbox:
        yield Box(sandbox)


@pytest.fixture
def api(box):
    opened = box.api(Noted())
    with opened.door:
        yield opened

"""The server and the pulls of the flows' tests, and settings with a warehouse on each engine."""

import msgspec
import pytest

from tests.engines import address
from tests.flows.conftest import pulls, server, settings

__all__ = ["pulls", "server", "settings", "told"]


@pytest.fixture
def told(settings, server, place, monkeypatch):
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    return msgspec.structs.replace(settings, warehouse=address(place))

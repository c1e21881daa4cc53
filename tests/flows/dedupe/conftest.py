"""The server and the pulls of the flows' tests."""

from tests.flows.conftest import pulls, server, settings

__all__ = ["pulls", "server", "settings"]

"""Ninja Sync for Python programs: the warehouse as tables, the server as functions.

    from flows import frame
    clients = frame("clients")

    from connector import clients
    from flows import open_api
    with open_api() as api:
        for client in clients.list_clients(api, clients.Filter(status={"active"})):
            print(client.number, client.balance)

Each name is imported when it is first used, so that none costs the time of the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from flows.ask.engine import engine, metadata
    from flows.ask.frames import aging, frame, table
    from flows.configuration.load import load_settings as settings
    from flows.session.api import open_api

__all__ = ["aging", "engine", "frame", "metadata", "open_api", "settings", "table"]

_HOMES: Final = {
    "aging": "flows.ask.frames:aging",
    "engine": "flows.ask.engine:engine",
    "frame": "flows.ask.frames:frame",
    "metadata": "flows.ask.engine:metadata",
    "open_api": "flows.session.api:open_api",
    "settings": "flows.configuration.load:load_settings",
    "table": "flows.ask.frames:table",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

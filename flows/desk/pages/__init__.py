"""The pages of the desk, a module a subject: handlers and their routes."""

from __future__ import annotations

from typing import Final

from flows.desk.answers import DeskRoute
from flows.desk.pages import client, clients, shared

PAGES: Final[tuple[DeskRoute, ...]] = (
    *shared.ROUTES,
    *clients.ROUTES,
    *client.ROUTES,
)  # fmt: skip
"""The routes of all pages but the entrance."""

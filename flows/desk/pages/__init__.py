"""The pages of the desk, a module a subject: handlers and their routes."""

from __future__ import annotations

from typing import Final

from flows.desk.answers import DeskRoute
from flows.desk.pages import health, shared, today
from flows.desk.pages import duplicates, review, shared
from flows.desk.pages import merge_plan, merges, shared
from flows.desk.pages import corrections, corrections_grid, shared
from flows.desk.pages import plans, queue, shared
from flows.desk.pages import receivables, shared, statements

PAGES: Final[tuple[DeskRoute, ...]] = (
    *duplicates.ROUTES,
    *review.ROUTES,
    *shared.ROUTES,
    *today.ROUTES,
    *health.ROUTES,
    *merges.ROUTES,
    *merge_plan.ROUTES,
    *corrections.ROUTES,
    *corrections_grid.ROUTES,
    *queue.ROUTES,
    *plans.ROUTES,
    *receivables.ROUTES,
    *statements.ROUTES,
)  # fmt: skip
"""The routes of all pages but the entrance."""

"""The pages of the desk, a module a subject: handlers and their routes."""

from __future__ import annotations

from typing import Final

from flows.desk.answers import DeskRoute
from flows.desk.pages import (
    client,
    clients,
    corrections,
    corrections_grid,
    duplicates,
    health,
    merge_plan,
    merges,
    plans,
    queue,
    receivables,
    review,
    shared,
    statement_mails,
    statement_runs,
    statements,
    today,
)

PAGES: Final[tuple[DeskRoute, ...]] = (
    *today.ROUTES,
    *clients.ROUTES,
    *client.ROUTES,
    *duplicates.ROUTES,
    *review.ROUTES,
    *merges.ROUTES,
    *merge_plan.ROUTES,
    *corrections.ROUTES,
    *corrections_grid.ROUTES,
    *queue.ROUTES,  # before the plans: /plans/queued is no plan
    *plans.ROUTES,
    *receivables.ROUTES,
    *statement_runs.ROUTES,
    *statement_mails.ROUTES,
    *statements.ROUTES,
    *health.ROUTES,
    *shared.ROUTES,
)
"""The routes of all pages but the entrance."""

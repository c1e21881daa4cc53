"""The brake: a plan that changes more clients than the settings allow needs `--force`, or a person who confirms it."""

from __future__ import annotations

from flows.configuration.values import Settings
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.ready import open_ready
from flows.show.counted import counted
from schemas.errors import TooMuchChange
from schemas.plan import PUSH, Plan
from warehouse.control.state import read_state
from warehouse.engine.seam import Warehouse


def check_brake(settings: Settings, plan: Plan, clock: Clock = SYSTEM_CLOCK) -> None:
    """Raises TooMuchChange if a plan changes more clients than the settings allow without `--force`."""
    if plan.kind != PUSH:
        return
    with open_ready(settings, clock) as warehouse:
        most = most_clients(settings, warehouse, plan.source)
    clients = len(plan.client_ids)
    if clients > most:
        raise TooMuchChange(
            f"The plan changes {counted(clients, 'client')}; at most {most:,} are allowed without --force "
            f"([push] of the settings: most_clients, most_share). Nothing was sent."
        )


def most_clients(settings: Settings, warehouse: Warehouse, source: str) -> int:
    """Return how many clients a plan of changes may have without `--force`."""
    push, mirrored = settings.push, read_state(warehouse, source).mirrored
    return max(push.at_least, min(push.most_clients, int(mirrored * push.most_share)))

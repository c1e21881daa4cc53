"""Believable clients, the same for the same seed."""

from __future__ import annotations

from sandbox.accounts import open_accounts
from sandbox.database import transaction
from sandbox.world import World


def populate(world: World, *, clients: int, seed: int) -> dict[str, str]:
    """Fills an empty database; returns tokens and password."""
    with transaction(world.db):
        return open_accounts(world, seed)

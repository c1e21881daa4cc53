"""The trail of what was done to a client, as far as `include=activities` shows it."""

from __future__ import annotations

from sandbox.calls import Call
from sandbox.database import insert

CREATED, ARCHIVED, DELETED, RESTORED, UPDATED = 1, 2, 3, 26, 61
"""Activity types (recorded). bulk_update, assign_group, merge and purge leave none on 5.10."""


def note(call: Call, client_id: int, activity_type: int) -> None:
    """Adds one activity of the token's user."""
    stamp = call.world.clock.stamp()
    about = {"company_id": call.token.company_id, "user_id": call.token.user_id, "client_id": client_id}
    insert(
        call.world.db,
        "activities",
        about | {"activity_type_id": activity_type, "created_at": stamp, "updated_at": stamp},
    )

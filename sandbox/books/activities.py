"""The trail of actions on a client: written here, shown by `include=activities` and the feeds."""

from __future__ import annotations

from sandbox.store.database import insert
from sandbox.wire.calls import Call

CREATED, ARCHIVED, DELETED, RESTORED, UPDATED = 1, 2, 3, 26, 61
"""Activity types (recorded). bulk_update and assign_group leave none, merge and purge none on 5.10."""
MERGED, PURGED = 151, 153
"""Since 5.12.22: the first on the survivor, the second on no client, because it is gone."""
NEWEST = 50
"""How many activities a client's relation holds: shown, moved by a merge, removed by a purge (Client.php:350)."""


def note(call: Call, client_id: int | None, activity_type: int, notes: str = "") -> None:
    """Add one activity of the token's user, done by that token (ActivityRepository.php)."""
    db, stamp, who = call.world.db, call.world.clock.stamp(), (call.token.user_id, call.token.company_id)
    token = db.execute("SELECT rowid FROM tokens WHERE user_id = ? AND company_id = ?", who).fetchone()
    insert(
        db,
        "activities",
        {
            "company_id": call.token.company_id,
            "user_id": call.token.user_id,
            "token_id": token[0] if token else None,
            "client_id": client_id,
            "activity_type_id": activity_type,
            "notes": notes,
            "created_at": stamp,
            "updated_at": stamp,
        },
    )

"""POST /clients/{id}/purge: a client and everything of its own are gone for good (ClientRepository.php:146-167).

One table after the other, each committed separately, the client last.
"""

from __future__ import annotations

from starlette.responses import Response

from sandbox.books.activities import NEWEST, PURGED, note
from sandbox.clients.clients import bound
from sandbox.clients.records import contacts_of
from sandbox.clients.shown import display_name
from sandbox.store.database import Row
from sandbox.wire.access import may_edit
from sandbox.wire.answers import compact_answer, forbidden
from sandbox.wire.calls import Call

EMPTIED = (
    "contacts", "tasks", "invoices", "ledger", "gateway_tokens", "projects", "credits", "quotes", "activities",
    "recurring_invoices", "expenses", "system_logs", "documents", "payments",
)  # fmt: skip
"""The tables in the server's order."""


def purge(call: Call) -> Response:
    """Remove the client, in any state, and on 5.10 of any company; 5.12 leaves an activity behind.

    Up to 5.10 only the newest 50 activities go, because the relation holds no more of them.
    """
    row, db = destroyable(call), call.world.db
    if call.world.generation.tells_of_merges:
        note(call, None, PURGED, farewell(call, row))
    for table in EMPTIED:
        rows = "client_id = ?"
        if table == "activities" and not call.world.generation.tells_of_merges:
            rows = f"id IN (SELECT id FROM activities WHERE client_id = ? ORDER BY id DESC LIMIT {NEWEST})"
        db.execute(f"DELETE FROM {table} WHERE {rows}", (row["id"],))
    db.execute("DELETE FROM clients WHERE id = ?", (row["id"],))
    return compact_answer({"message": "Success"})


def destroyable(call: Call) -> Row:
    """The client in the path, for admins: only from 2026 on is the company checked (PurgeClientRequest.php:23-29)."""
    row = bound(call)
    ours = may_edit(call.token, row) or not call.world.generation.merges_at_once
    if not (call.token.is_admin and ours):
        raise forbidden()
    return row


def farewell(call: Call, row: Row) -> str:
    """The text of the activity about a client that goes: its name and its client_hash."""
    return f"{display_name(row, contacts_of(call.world.db, row['id']))} ({row['client_hash'] or ''})"

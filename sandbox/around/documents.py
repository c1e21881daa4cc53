"""The documents themselves: /documents, and the download of a file's bytes (DocumentController).

Read from the vendor's code, not recorded, apart from the list of one client's documents.
"""

from __future__ import annotations

from starlette.responses import Response

from sandbox.clients.clients import bound as bound_client
from sandbox.clients.listing import envelope, paged
from sandbox.clients.shown import document_json
from sandbox.php import hashids
from sandbox.php.text import is_numeric, to_int
from sandbox.store.database import Row, select, update
from sandbox.store.world import MICROS
from sandbox.wire.access import may_view
from sandbox.wire.answers import compact_answer, forbidden, not_found, numeric_id
from sandbox.wire.calls import Call


def of_client(call: Call) -> Response:
    """POST /clients/{id}/documents: a page of the client's documents (recorded)."""
    client = bound_client(call)
    if not may_view(call.token, client):
        raise forbidden()
    return _listed(call, "client_id = ?", client["id"])


def index(call: Call) -> Response:
    """GET /documents: a page of the company's documents."""
    return _listed(call, "company_id = ?", call.token.company_id)


def show(call: Call) -> Response:
    """GET /documents/{id}."""
    return envelope(call, document_json(_bound(call), call.host))


def download(call: Call) -> Response:
    """GET /documents/{id}/download: the bytes, named as on the disk.

    The handler gives no media type, so PHP uses its default; a browser sends `inline=true` to display the file.
    """
    row = _bound(call)
    stored = select(call.world.db, "document_contents", "document_id = ?", (row["id"],))
    shown = "inline" if call.input.get("inline") == "true" else f"attachment; filename={row['hash']}"
    return Response(
        stored[0]["content"] if stored else b"",
        headers={"Content-Type": "text/html; charset=UTF-8", "Content-Disposition": shown},
    )


def save(call: Call) -> Response:
    """PUT /documents/{id}: its name and whether it is public; touches the client."""
    row, stamp = _bound(call), call.world.clock.stamp()
    name, public = call.text("name"), call.input.get("is_public", row["is_public"])
    values = {"name": name or row["name"], "is_public": int(bool(to_int(public))), "updated_at": stamp}
    update(call.world.db, "documents", values, [row["id"]])
    update(call.world.db, "clients", {"updated_at": stamp}, [row["client_id"]])
    return show(call)


def destroy(call: Call) -> Response:
    """DELETE /documents/{id}, with the password: gone for good; the client is not touched."""
    row = _bound(call)
    call.world.db.execute("DELETE FROM documents WHERE id = ?", (row["id"],))
    return compact_answer({"message": "Success"})


def _bound(call: Call) -> Row:
    """The document in the path, if the token may see it: an admin's of the company, or made by the user."""
    value = call.ids["id"]
    if is_numeric(value):
        raise numeric_id(value)
    rows = select(call.world.db, "documents", "id = ?", (hashids.decode(value),))
    if not rows:
        raise not_found("Document")
    if not (may_view(call.token, rows[0]) and (call.token.is_admin or rows[0]["user_id"] == call.token.user_id)):
        raise forbidden()
    return rows[0]


def _listed(call: Call, where: str, number: int) -> Response:
    """In lists, a user without rights on documents sees only their own; `updated_at` works here too."""
    own = "" if call.token.is_admin else f" AND user_id = {call.token.user_id:d}"
    since = max(to_int(call.input.get("updated_at") or 0), 0) * MICROS
    recent = f" AND updated_at >= {since:d}" if since else ""
    rows = select(call.world.db, "documents", f"{where} AND deleted_at IS NULL{own}{recent} ORDER BY id", (number,))
    return paged(call, [document_json(row, call.host) for row in rows])

"""Merging two clients, and purging one: physical, without a way back (Services/Client/Merge.php:32-100).

Both need the password and an admin, and look neither at the state of the clients nor, for the one in the path, at its
company. The real merge is not transactional; here every request is, so a half-done merge is not among the faults.
"""

from __future__ import annotations

from decimal import Decimal

from starlette.responses import Response

from sandbox import hashids
from sandbox.activities import UPDATED
from sandbox.answers import bad_request, compact_answer, forbidden
from sandbox.business import amount
from sandbox.calls import Call
from sandbox.client_records import NEWEST, contacts_of, item_answer
from sandbox.clients import bound, reread
from sandbox.database import Row, insert, select, update
from sandbox.world import MICROS

SUMMED = ("balance", "paid_to_date", "credit_balance")
"""payment_balance is not carried over (recorded); credits are, and with them their balance."""


def purge(call: Call) -> Response:
    """POST /clients/{id}/purge: the client and all that is its own are gone; no activity tells of it."""
    row = _for_admins(call)
    _remove(call, row["id"])
    call.world.db.execute("DELETE FROM activities WHERE client_id = ?", (row["id"],))
    return compact_answer({"message": "Success"})


def merge(call: Call) -> Response:
    """POST /clients/{id}/{other}/merge: what the other one has goes to the first, and the other one is gone."""
    survivor = _for_admins(call)
    found = select(
        call.world.db,
        "clients",
        "id = ? AND company_id = ?",
        (hashids.decode(call.ids["other"]), call.token.company_id),
    )
    if not found:
        raise bad_request("Client not found")
    if found[0]["id"] == survivor["id"]:
        raise bad_request("Attempting to merge the same client is not possible.")
    _add_figures(call, survivor, found[0])
    _note_in_ledger(call, survivor, found[0])
    _move(call, survivor, found[0])
    _remove(call, found[0]["id"])
    return item_answer(call, reread(call, survivor["id"]))


def _for_admins(call: Call) -> Row:
    row = bound(call)
    if not call.token.is_admin:
        raise forbidden()
    return row


def _add_figures(call: Call, survivor: Row, other: Row) -> None:
    """Sums without looking at currencies."""
    sums = {name: _plus(survivor[name], other[name]) for name in SUMMED}
    update(call.world.db, "clients", sums | {"updated_at": call.world.clock.stamp()}, [survivor["id"]])


def _plus(a: str, b: str) -> str:
    return amount(int((Decimal(a) + Decimal(b)) * MICROS))


def _note_in_ledger(call: Call, survivor: Row, other: Row) -> None:
    """One row; its balance is the ledger's running one, not the client's (recorded)."""
    newest = select(call.world.db, "ledger", "client_id = ? ORDER BY id DESC LIMIT 1", (survivor["id"],))
    stamp = call.world.clock.stamp()
    row = {
        "company_id": survivor["company_id"],
        "client_id": survivor["id"],
        "activity_id": UPDATED,
        "adjustment": other["balance"],
        "balance": _plus(newest[0]["balance"] if newest else "0", other["balance"]),
        "notes": f"Balance update after merging {other['name'] or ''}",
        "created_at": stamp,
        "updated_at": stamp,
    }
    insert(call.world.db, "ledger", row)


def _move(call: Call, survivor: Row, other: Row) -> None:
    """Hands over contacts, documents, cards and the newest activities.

    A contact stays behind if the survivor has its very address, or if it has none itself: those known by name only are
    lost. Primary contacts stay primary, so there may be two.
    """
    db, to = call.world.db, {"client_id": survivor["id"], "updated_at": call.world.clock.stamp()}
    addresses = {contact["email"] for contact in contacts_of(db, survivor["id"])}
    moving = [
        contact["id"]
        for contact in contacts_of(db, other["id"])
        if not addresses or ((contact["email"] or "").strip() and contact["email"] not in addresses)
    ]
    update(db, "contacts", to, moving)
    for table in ("documents", "gateway_tokens"):
        update(db, table, to, [row["id"] for row in select(db, table, "client_id = ?", (other["id"],))])
    newest = select(db, "activities", "client_id = ? ORDER BY id DESC LIMIT ?", (other["id"], NEWEST))
    update(db, "activities", to, [row["id"] for row in newest])


def _remove(call: Call, number: int) -> None:
    """Deletes the row; what still points at it goes with it by foreign key."""
    call.world.db.execute("DELETE FROM clients WHERE id = ?", (number,))

"""POST /clients/{id}/{other}/merge: the other client's records go to the first, and the other is gone for good.

Up to 5.12 these are the steps of Merge.php:32-100 and ClientService, each committed separately: steps done before a
merge dies stay done, and a second try adds the figures again (recorded: 100, 200, 300, 400). From 2026 on it is one
transaction that adds nothing, but computes the figures again from invoices, payments and credits. It needs the password
and an admin. It checks neither the state of the clients nor, up to 5.12, the company of the first. `merge_dies`
(`MergeDeath`) ends a merge after any of its steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from starlette.responses import Response

from sandbox.books.activities import MERGED, NEWEST, note
from sandbox.books.ledger import FIGURES, add_row, credit_balance, money, totals
from sandbox.clients.clients import reread
from sandbox.clients.purge import destroyable, farewell
from sandbox.clients.records import contacts_of, item_answer
from sandbox.clients.shown import display_name
from sandbox.php import hashids
from sandbox.store.database import Row, select, transaction, update
from sandbox.store.world import Fault, MergeDeath, NoAnswer
from sandbox.wire.answers import bad_request, server_error
from sandbox.wire.calls import Call


@dataclass(frozen=True, slots=True)
class Merging:
    """Both clients and their live contacts at the start of the request: the server loads them once."""

    call: Call
    survivor: Row
    other: Row
    staying: Sequence[Row]
    coming: Sequence[Row]


Step = Callable[[Merging], None]
MOVED = (
    "contacts", "gateway_tokens", "credits", "expenses", "invoices", "payments", "projects", "quotes",
    "recurring_invoices", "tasks", "documents",
)  # fmt: skip
"""The tables whose rows move, in the server's order."""
ONLY_LIVE = ("contacts", "gateway_tokens", "documents")
"""Of these, archived and deleted rows stay behind, and go with the other client."""


def merge(call: Call) -> Response:
    """Merge, and answer the survivor. Refuses a client of another company, and the client itself."""
    survivor = destroyable(call)
    db, number = call.world.db, hashids.decode(call.ids["other"])
    others = select(db, "clients", "id = ? AND company_id = ?", (number, call.token.company_id))
    if not others:
        raise bad_request("Client not found")
    if others[0]["id"] == survivor["id"]:
        raise bad_request("Attempting to merge the same client is not possible.")
    merging = Merging(call, survivor, others[0], contacts_of(db, survivor["id"]), contacts_of(db, others[0]["id"]))
    _carry_out(merging, _next_death(call))
    return item_answer(call, reread(call, survivor["id"]))


def _carry_out(merging: Merging, death: MergeDeath | None) -> None:
    call, farewell_note = merging.call, farewell(merging.call, merging.other)
    if call.world.generation.merges_at_once:
        with transaction(call.world.db):
            _take(AT_ONCE, merging, death)
    else:
        _take(STEPS, merging, death)
    if call.world.generation.tells_of_merges:
        note(call, merging.survivor["id"], MERGED, farewell_note)
    if death is not None:
        _die(death)


def _take(steps: Sequence[Step], merging: Merging, death: MergeDeath | None) -> None:
    """Do the steps one by one, up to the one after which this merge dies, unless that is the last."""
    for done, step in enumerate(steps):
        if death is not None and death.after == done:
            _die(death)
        step(merging)


def _next_death(call: Call) -> MergeDeath | None:
    """The death of this merge, counted from now on; None if it survives."""
    death = call.world.switches.merge_dies
    if death is None or death.struck >= death.times:
        return None
    death.struck += 1
    return death


def _die(death: MergeDeath) -> None:
    if death.do == "500":
        raise server_error()
    raise NoAnswer(Fault("hang" if death.do == "hang" else "reset", seconds=death.seconds))


# ---- the steps ------------------------------------------------------------------------------------------------------


def add_figures(merging: Merging) -> None:
    """Add and save balance and paid_to_date at once, without a check of currencies (Merge.php:38-40)."""
    kept, other = merging.survivor, merging.other
    sums = {name: money(Decimal(kept[name]) + Decimal(other[name])) for name in ("balance", "paid_to_date")}
    _save(merging, sums)


def note_in_ledger(merging: Merging) -> None:
    """Add one ledger row for the other client's balance (Merge.php:80-99)."""
    _tell(merging, Decimal(merging.other["balance"]))


def hand_over(merging: Merging) -> None:
    """Move the other client's records to the survivor, ids unchanged, one table after the other (Merge.php:47-58).

    All its live contacts move, also those that the next step drops; only the newest 50 activities, so older ones keep
    a dead client_id. System logs, the other client's ledger and its trashed rows stay, and go with it.
    """
    db, gone, here = merging.call.world.db, merging.other["id"], merging.survivor["id"]
    moved = (here, merging.call.world.clock.stamp(), gone)
    newest = f"id IN (SELECT id FROM activities WHERE client_id = ? ORDER BY id DESC LIMIT {NEWEST})"
    db.execute(f"UPDATE activities SET client_id = ?, updated_at = ? WHERE {newest}", moved)
    for table in MOVED:
        live = " AND deleted_at IS NULL" if table in ONLY_LIVE else ""
        db.execute(f"UPDATE {table} SET client_id = ?, updated_at = ? WHERE client_id = ?{live}", moved)


def drop_doubles(merging: Merging) -> None:
    """Soft-delete contacts that came with an address that the survivor had, or without any (Merge.php:61-70).

    The spelling must match. Those without an address go only where the survivor had a contact at all: a contact known
    only by name is lost. Primary contacts stay primary, so there may be two. A contact touches the client with which it
    was loaded, so the other one is touched here.
    """
    addresses = {contact["email"] for contact in merging.staying}
    doubles = [x["id"] for x in merging.coming if addresses and (_no_address(x) or x["email"] in addresses)]
    if doubles:
        db, stamp = merging.call.world.db, merging.call.world.clock.stamp()
        update(db, "contacts", {"deleted_at": stamp, "updated_at": stamp}, doubles)
        update(db, "clients", {"updated_at": stamp}, [merging.other["id"]])


def remove(merging: Merging) -> None:
    """Delete the other client; rows that still point at it go with it by foreign key (Merge.php:72)."""
    merging.call.world.db.execute("DELETE FROM clients WHERE id = ?", (merging.other["id"],))


def recompute_credit(merging: Merging) -> None:
    """Set credit_balance to the sum of the credits, which are all the survivor's now; without any it falls to 0."""
    _save(merging, {"credit_balance": credit_balance(merging.call.world.db, merging.survivor)})


def compute_anew(merging: Merging) -> None:
    """Set all other figures to the sums of invoices and payments, payment_balance too (2026)."""
    sums = totals(merging.call.world.db, merging.survivor["id"])
    _save(merging, {name: sums[name] for name in FIGURES if name != "credit_balance"})


def note_difference(merging: Merging) -> None:
    """Add one ledger row for the change of the survivor's balance (2026)."""
    now = reread(merging.call, merging.survivor["id"])["balance"]
    _tell(merging, Decimal(now) - Decimal(merging.survivor["balance"]))


STEPS: tuple[Step, ...] = (add_figures, note_in_ledger, hand_over, drop_doubles, remove, recompute_credit)
"""The steps of a merge, in this order, each committed before the next (5.10, 5.12)."""
AT_ONCE: tuple[Step, ...] = (hand_over, drop_doubles, remove, compute_anew, recompute_credit, note_difference)
"""The steps of a merge inside one transaction (2026)."""


def _save(merging: Merging, values: Row) -> None:
    stamp = merging.call.world.clock.stamp()
    update(merging.call.world.db, "clients", values | {"updated_at": stamp}, [merging.survivor["id"]])


def _tell(merging: Merging, adjustment: Decimal) -> None:
    notes = f"Balance update after merging {display_name(merging.other, merging.coming)}"
    add_row(merging.call.world.db, merging.survivor, merging.call.world.clock.stamp(), adjustment, notes)


def _no_address(contact: Row) -> bool:
    """Whether PHP sees no address: empty, one blank, or the text "0"."""
    return contact["email"] in {None, "", " ", "0"}

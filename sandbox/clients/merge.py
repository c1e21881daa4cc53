"""POST /clients/{id}/{other}/merge: what the other client has goes to the first, and the other is gone for good.

Up to 5.12 the steps of Merge.php:32-100 and ClientService, each committed on its own: what a merge did before it died
stays, and a second try adds the figures again (recorded: 100, 200, 300, 400). From 2026 on one transaction that adds
nothing, but computes the figures anew from the papers behind them. Needs the password and an admin; looks neither at
the state of the clients nor, up to 5.12, at the company of the first. `merge_dies` (`MergeDeath`) ends a
merge after any of its steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from starlette.responses import Response

from sandbox.books.activities import MERGED, NEWEST, note
from sandbox.books.ledger import FIGURES, PAPERS, add_row, credit_balance, money, totals, write_papers
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
    """Both clients and their live contacts, as they were when the request came: the server loads them once."""

    call: Call
    survivor: Row
    other: Row
    staying: Sequence[Row]
    coming: Sequence[Row]


Step = Callable[[Merging], None]


def merge(call: Call) -> Response:
    """Merges, and answers the survivor. Refuses what is no client of the token's company, and the client itself."""
    survivor = destroyable(call)
    db, number = call.world.db, hashids.decode(call.ids["other"])
    found = select(db, "clients", "id = ? AND company_id = ?", (number, call.token.company_id))
    if not found:
        raise bad_request("Client not found")
    if found[0]["id"] == survivor["id"]:
        raise bad_request("Attempting to merge the same client is not possible.")
    write_papers(db, [survivor["id"], found[0]["id"]])
    merging = Merging(call, survivor, found[0], contacts_of(db, survivor["id"]), contacts_of(db, found[0]["id"]))
    _carry_out(merging, _next_death(call))
    return item_answer(call, reread(call, survivor["id"]))


def _carry_out(merging: Merging, death: MergeDeath | None) -> None:
    call, told = merging.call, farewell(merging.call, merging.other)
    if call.world.generation.merges_at_once:
        with transaction(call.world.db):
            _take(AT_ONCE, merging, death)
    else:
        _take(STEPS, merging, death)
    if call.world.generation.tells_of_merges:
        note(call, merging.survivor["id"], MERGED, told)
    if death is not None:
        _die(death)


def _take(steps: Sequence[Step], merging: Merging, death: MergeDeath | None) -> None:
    """The steps one by one, up to the one after which this merge dies, if that is not the last."""
    for done, step in enumerate(steps):
        if death is not None and death.after == done:
            _die(death)
        step(merging)


def _next_death(call: Call) -> MergeDeath | None:
    """The death that this merge will die; it counts from now on."""
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
    """Balance and paid_to_date are added and saved at once, without a look at currencies (Merge.php:38-40)."""
    one, other = merging.survivor, merging.other
    sums = {name: money(Decimal(one[name]) + Decimal(other[name])) for name in ("balance", "paid_to_date")}
    _save(merging, sums)


def note_in_ledger(merging: Merging) -> None:
    """One ledger row tells of the other client's balance (Merge.php:80-99)."""
    _tell(merging, Decimal(merging.other["balance"]))


def hand_over(merging: Merging) -> None:
    """What is the other client's becomes the survivor's, ids unchanged, one table after the other (Merge.php:47-58).

    Live contacts all of them, also those that the next step drops; only the newest 50 activities, so that older ones
    keep a dead client_id. System logs, the other client's ledger and its trashed rows stay, and go with it.
    """
    db, gone, here = merging.call.world.db, merging.other["id"], merging.survivor["id"]
    moved = (here, merging.call.world.clock.stamp(), gone)
    newest = f"id IN (SELECT id FROM activities WHERE client_id = ? ORDER BY id DESC LIMIT {NEWEST})"
    db.execute(f"UPDATE activities SET client_id = ?, updated_at = ? WHERE {newest}", moved)
    for table in ("contacts", "gateway_tokens", *PAPERS, "documents"):
        live = "" if table in PAPERS else " AND deleted_at IS NULL"
        db.execute(f"UPDATE {table} SET client_id = ?, updated_at = ? WHERE client_id = ?{live}", moved)


def drop_doubles(merging: Merging) -> None:
    """Contacts that came are soft-deleted if the survivor had their very address, or they have none (Merge.php:61-70).

    By exact spelling; those without an address only where the survivor had a contact at all: who is known by name
    alone is lost. Primary contacts stay primary, so there may be two. A contact touches the client that it was loaded
    with, so the other one is touched here.
    """
    addresses = {contact["email"] for contact in merging.staying}
    doubles = [x["id"] for x in merging.coming if addresses and (_no_address(x) or x["email"] in addresses)]
    if doubles:
        db, stamp = merging.call.world.db, merging.call.world.clock.stamp()
        update(db, "contacts", {"deleted_at": stamp, "updated_at": stamp}, doubles)
        update(db, "clients", {"updated_at": stamp}, [merging.other["id"]])


def remove(merging: Merging) -> None:
    """The other client is deleted; what still points at it goes with it by foreign key (Merge.php:72)."""
    merging.call.world.db.execute("DELETE FROM clients WHERE id = ?", (merging.other["id"],))


def recompute_credit(merging: Merging) -> None:
    """credit_balance becomes the sum of the credits, which are all the survivor's now; without any it falls to 0."""
    _save(merging, {"credit_balance": credit_balance(merging.call.world.db, merging.survivor)})


def compute_anew(merging: Merging) -> None:
    """All other figures become what the papers add up to, payment_balance too (2026)."""
    sums = totals(merging.call.world.db, merging.survivor["id"])
    _save(merging, {name: sums[name] for name in FIGURES if name != "credit_balance"})


def note_difference(merging: Merging) -> None:
    """One ledger row tells by how much the survivor's balance has changed (2026)."""
    now = reread(merging.call, merging.survivor["id"])["balance"]
    _tell(merging, Decimal(now) - Decimal(merging.survivor["balance"]))


STEPS: tuple[Step, ...] = (add_figures, note_in_ledger, hand_over, drop_doubles, remove, recompute_credit)
"""What a merge does, in this order, each committed before the next (5.10, 5.12)."""
AT_ONCE: tuple[Step, ...] = (hand_over, drop_doubles, remove, compute_anew, recompute_credit, note_difference)
"""What a merge does inside one transaction (2026)."""


def _save(merging: Merging, values: Row) -> None:
    stamp = merging.call.world.clock.stamp()
    update(merging.call.world.db, "clients", values | {"updated_at": stamp}, [merging.survivor["id"]])


def _tell(merging: Merging, adjustment: Decimal) -> None:
    notes = f"Balance update after merging {display_name(merging.other, merging.coming)}"
    add_row(merging.call.world.db, merging.survivor, merging.call.world.clock.stamp(), adjustment, notes)


def _no_address(contact: Row) -> bool:
    """None in PHP's eyes: empty, one blank, or the text "0"."""
    return contact["email"] in {None, "", " ", "0"}

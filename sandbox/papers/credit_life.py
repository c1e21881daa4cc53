"""What happens to a credit (Credit/MarkSent, CreditService, ApplyCreditPayment)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sandbox.books.client_settings import currency_of, formatted
from sandbox.books.ledger import money
from sandbox.papers import lines, states
from sandbox.papers.catalogue import CREDIT
from sandbox.papers.entered import amount_of
from sandbox.papers.figures import add_figures, client_of
from sandbox.papers.invitations import mark_as_sent
from sandbox.papers.money import new_payment, parts_of, place
from sandbox.papers.states import write
from sandbox.papers.statuses import DRAFT, PAID, PARTIAL, SENT
from sandbox.papers.totals import Line
from sandbox.store.database import Row, marks, select
from sandbox.store.world import World
from sandbox.wire.calls import Call

APPLIED = PAID
PAYMENT_TYPE_CREDIT = 32


def now(world: World, row: Row) -> Row:
    """The credit as stored now."""
    return select(world.db, "credits", "id = ?", (row["id"],))[0]


def mark_sent(call: Call, row: Row) -> Row:
    """Send a draft: its balance becomes its amount, and the client may spend it."""
    if row["status_id"] != DRAFT:
        return row
    world, worth = call.world, amount_of(row)
    mark_as_sent(world, CREDIT, row)
    balance = money(amount_of(row, "balance") + worth)
    write(world, "credits", row["id"], {"status_id": SENT, "balance": balance})
    add_figures(world, row, credit_balance=worth)
    return now(world, row)


def spend(call: Call, payment: Row, row: Row, amount: Decimal) -> None:
    """Take a part of a credit for a payment; a line of the credit records it."""
    world, balance = call.world, amount_of(row, "balance")
    values: Row = {"line_items": lines.stored([*lines.loaded(row), _line_of(world, payment, amount)])}
    if amount <= balance:
        values["status_id"] = APPLIED if amount == balance else PARTIAL
        values["balance"] = money(balance - amount)
    values["paid_to_date"] = money(amount_of(row, "paid_to_date") + amount)
    write(world, "credits", row["id"], values)
    add_figures(world, row, credit_balance=-amount)


def _line_of(world: World, payment: Row, amount: Decimal) -> Line:
    """A line that counts nothing, in the words of the server (recorded)."""
    client = client_of(world, payment)
    ids = [part["paper_id"] for part in parts_of(world, payment, "invoice")]
    invoices = select(world.db, "invoices", f"id IN ({marks(ids)}) ORDER BY id DESC", ids)
    numbers = ",".join(str(invoice["number"]) for invoice in invoices)
    day = date.fromisoformat(payment["date"]).strftime("%d/%b/%Y") if _is_day(payment["date"]) else ""
    worth = formatted(money(amount), currency_of(world.db, client))
    notes = f"{day} - Credit applied to Invoice {numbers} {worth}"
    return lines.USUAL | {"cost": -float(amount), "notes": notes}


def _is_day(text: str | None) -> bool:
    return bool(text) and not str(text).startswith("0000")


def give_back(world: World, part: Row) -> Decimal:
    """Undo a part of a credit in a payment that is deleted; how much. A deleted credit gets nothing back (recorded).

    A credit that other payments still use counts as sent, not as partly spent (recorded).
    """
    row = select(world.db, "credits", "id = ?", (part["paper_id"],))[0]
    amount = amount_of(part) - amount_of(part, "refunded")
    if row["is_deleted"]:
        return Decimal(0)
    values = {"balance": money(amount_of(row, "balance") + abs(amount)), "status_id": SENT}
    values["paid_to_date"] = money(amount_of(row, "paid_to_date") - abs(amount))
    write(world, "credits", row["id"], values)
    add_figures(world, row, credit_balance=amount)
    return amount


def use_up(world: World, invoice: Row) -> None:
    """Money of a reversed invoice goes back: the credit that reversed it is worth nothing any more."""
    row = select(world.db, "credits", "invoice_id = ? ORDER BY id LIMIT 1", (invoice["id"],))[0]
    left = amount_of(row, "balance")
    values = {"balance": "0", "paid_to_date": money(amount_of(row, "paid_to_date") + left), "status_id": APPLIED}
    write(world, "credits", row["id"], values)
    add_figures(world, row, credit_balance=-left)


def mark_paid(call: Call, row: Row) -> Row:
    """Pay out a negative credit: a payment of its negative balance (CreditService::markPaid).

    A draft has no balance yet, so a positive one is sent, and paid out too.
    """
    if amount_of(row, "balance") > 0:
        return row
    row, world = mark_sent(call, row), call.world
    owed = amount_of(row, "balance")
    paid = {"balance": "0", "paid_to_date": money(amount_of(row, "paid_to_date") + owed), "status_id": APPLIED}
    write(world, "credits", row["id"], paid)
    values = {"amount": money(owed), "applied": money(owed), "type_id": PAYMENT_TYPE_CREDIT}
    place(world, new_payment(call, row, values), "credit", row["id"], owed)
    add_figures(world, row, paid_to_date=owed, credit_balance=-owed)
    return now(world, row)


def delete(call: Call, row: Row) -> None:
    """Take the balance off the client's credit; a reversed invoice stays reversed."""
    if not row["is_deleted"]:
        add_figures(call.world, row, credit_balance=-amount_of(row, "balance"))
        states.delete(call.world, "credits", row)


def restore(call: Call, row: Row) -> None:
    """Give the balance back. One that was only archived gets it once more: both are one to the server (recorded)."""
    if row["deleted_at"] is not None:
        add_figures(call.world, row, credit_balance=amount_of(row, "balance"))
        states.restore(call.world, "credits", row)

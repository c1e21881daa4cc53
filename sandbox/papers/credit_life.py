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


def give_back(world: World, part: Row) -> None:
    """Undo a part of a credit in a payment that is deleted; a deleted credit gets nothing back (recorded).

    A credit that other payments still use counts as sent, not as partly spent (recorded).
    """
    row, amount = select(world.db, "credits", "id = ?", (part["paper_id"],))[0], amount_of(part)
    if row["is_deleted"]:
        return
    values = {"balance": money(amount_of(row, "balance") + abs(amount)), "status_id": SENT}
    values["paid_to_date"] = money(amount_of(row, "paid_to_date") - abs(amount))
    write(world, "credits", row["id"], values)
    add_figures(world, row, credit_balance=amount)


def mark_paid(call: Call, row: Row) -> Row:
    """Pay out a negative credit: a payment of its negative balance (CreditService::markPaid)."""
    row, world = mark_sent(call, row), call.world
    owed = amount_of(row, "balance")
    if owed > 0:
        return row
    paid = {"balance": "0", "paid_to_date": money(amount_of(row, "paid_to_date") + owed), "status_id": APPLIED}
    write(world, "credits", row["id"], paid)
    values = {"amount": money(owed), "applied": money(owed), "type_id": PAYMENT_TYPE_CREDIT}
    place(world, new_payment(call, row, values), "credit", row["id"], owed)
    add_figures(world, row, paid_to_date=owed, credit_balance=-owed)
    return now(world, row)


def delete(call: Call, row: Row) -> None:
    """Take the balance off the client's credit; of a credit that reverses an invoice, give it to what was paid."""
    if not row["is_deleted"]:
        _count(call.world, row, -amount_of(row, "balance"))
        states.delete(call.world, "credits", row)


def restore(call: Call, row: Row) -> None:
    """Give the balance back. One that was only archived gets it once more: both are one to the server (recorded)."""
    if row["deleted_at"] is not None:
        _count(call.world, row, amount_of(row, "balance"))
        states.restore(call.world, "credits", row)


def _count(world: World, row: Row, worth: Decimal) -> None:
    paid = -worth if row["invoice_id"] else Decimal(0)
    add_figures(world, row, credit_balance=worth, paid_to_date=paid)

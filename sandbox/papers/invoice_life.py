"""What happens to an invoice between draft and paid (MarkSent, MarkPaid, ApplyPaymentAmount, HandleCancellation)."""

from __future__ import annotations

from decimal import Decimal

from sandbox.books.client_settings import setting
from sandbox.books.ledger import money
from sandbox.papers.amounts import is_nothing
from sandbox.papers.catalogue import INVOICE
from sandbox.papers.entered import amount_of, day_after
from sandbox.papers.figures import (
    add_figures,
    client_of,
    compute_balance,
    compute_payment_balance,
    tell_of_invoice,
    tell_of_payment,
)
from sandbox.papers.invitations import mark_as_sent
from sandbox.papers.money import new_payment, place
from sandbox.papers.shown import NO_DAY
from sandbox.papers.states import write
from sandbox.papers.statuses import CANCELLED, DRAFT, OPEN, PAID, PARTIAL, SENT
from sandbox.store.database import Row, select
from sandbox.store.world import World
from sandbox.wire.calls import Call

MANUAL = "Manual entry"


def now(world: World, row: Row) -> Row:
    """The invoice as stored now."""
    return select(world.db, "invoices", "id = ?", (row["id"],))[0]


def mark_sent(call: Call, row: Row) -> Row:
    """Send a draft: its balance becomes its amount, also one of 0, which is not paid thereby (recorded)."""
    if row["status_id"] != DRAFT or row["is_deleted"]:
        return row
    world, owed = call.world, amount_of(row)
    balance = money(amount_of(row, "balance") + owed)
    write(world, "invoices", row["id"], {"status_id": SENT, "balance": balance} | due(world, row))
    tell_of_invoice(world, row, owed, f"Invoice {row['number']} marked as sent.")
    add_figures(world, row, balance=owed)
    mark_as_sent(world, INVOICE, row)
    return now(world, row)


def due(world: World, row: Row) -> Row:
    """The due date by the client's payment terms, where the invoice has none; of its deposit, if it asks for one."""
    terms = setting(world.db, client_of(world, row), "payment_terms")
    if row["due_date"] or terms in (None, "") or row["date"] in (None, NO_DAY):
        return {}
    day = day_after(row["date"], terms)
    deposit = amount_of(row, "partial") > 0 and not row["partial_due_date"]
    return {"partial_due_date" if deposit else "due_date": day}


def state_of(balance: Decimal, amount: Decimal) -> int:
    """Paid, partly paid, or sent: a negative balance counts as sent (recorded)."""
    if is_nothing(balance):
        return PAID
    return PARTIAL if 0 < balance < amount else SENT


def mark_paid(call: Call, row: Row, reference: str | None = None) -> Row:
    """Pay the whole balance with a payment of its own. A draft is sent first; paid and deleted ones do not change."""
    if row["status_id"] == PAID or row["is_deleted"]:
        return row
    world, row = call.world, mark_sent(call, row)
    owed = amount_of(row, "balance")
    paid = {"balance": "0", "paid_to_date": money(amount_of(row, "paid_to_date") + owed), "status_id": PAID}
    write(world, "invoices", row["id"], paid | {"partial": None, "partial_due_date": None, "next_send_date": None})
    payment = new_payment(
        call, row, {"amount": money(owed), "applied": money(owed), "transaction_reference": reference or MANUAL}
    )
    place(world, payment, "invoice", row["id"], owed)
    tell_of_payment(world, payment, -owed, "Marked Paid Activity")
    add_figures(world, row, balance=-owed, paid_to_date=owed)
    compute_payment_balance(world, row)
    return now(world, row)


def pay_part(call: Call, row: Row, amount: Decimal, reference: str | None = None) -> Row:
    """Pay this amount, more than the balance too (`?amount_paid=`). A draft is sent first."""
    world, row = call.world, mark_sent(call, row)
    if row["status_id"] == PAID or not amount:
        return row
    balance = amount_of(row, "balance")
    applied = min(amount, balance)
    payment = new_payment(
        call, row, {"amount": money(amount), "applied": money(applied), "transaction_reference": reference or MANUAL}
    )
    place(world, payment, "invoice", row["id"], amount)
    left = balance - amount
    values: Row = {"balance": money(left), "paid_to_date": money(amount_of(row, "paid_to_date") + amount)}
    values["status_id"] = state_of(left, amount_of(row))
    if deposit := max(amount_of(row, "partial"), Decimal(0)):
        values["partial"] = money(max(Decimal(0), deposit - amount))
        values["partial_due_date"] = row["partial_due_date"] if deposit > amount else None
    write(world, "invoices", row["id"], values)
    add_figures(world, row, balance=-amount, paid_to_date=amount)
    tell_of_payment(world, payment, -amount, "ApplyPaymentInvoice-")
    compute_payment_balance(world, row)
    return now(world, row)


def cancel(call: Call, row: Row) -> Row:
    """Cancel an open invoice: nothing is owed any more, and what was paid stays paid. Others are left unchanged."""
    if row["status_id"] not in OPEN or row["is_deleted"] or row["deleted_at"] is not None:
        return row
    world, owed = call.world, amount_of(row, "balance")
    write(world, "invoices", row["id"], {"balance": "0", "status_id": CANCELLED})
    tell_of_invoice(world, row, -owed, f"Invoice {row['number']} cancellation")
    compute_balance(world, row)
    return now(world, row)


def take(call: Call, payment: Row, row: Row, amount: Decimal) -> None:
    """Put a part of a payment on an invoice, a draft too; the payment's own sums are the caller's (ApplyPayment)."""
    world, row = call.world, mark_sent(call, row)
    balance, deposit = amount_of(row, "balance"), amount_of(row, "partial")
    if deposit > 0 and deposit > amount:
        values: Row = {"partial": money(deposit - amount)}
    elif deposit > 0:
        values = {"partial": None, "partial_due_date": None, "status_id": PARTIAL} | due(world, row | {"partial": None})
    else:
        amount = min(amount, balance)
        status = PAID if amount == balance else PARTIAL
        values = {"partial": None, "partial_due_date": None, "status_id": status}
    left = balance - amount
    if is_nothing(left):
        values["status_id"] = PAID
    sums = {"balance": money(left), "paid_to_date": money(amount_of(row, "paid_to_date") + amount)}
    write(world, "invoices", row["id"], values | sums)
    tell_of_payment(world, payment, -amount, "ApplyPaymentInvoice")
    add_figures(world, row, balance=-amount)

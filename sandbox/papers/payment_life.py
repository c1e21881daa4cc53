"""What happens to a payment: applied, deleted, refunded (PaymentRepository, DeletePayment, RefundPayment)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sandbox.books.ledger import money
from sandbox.papers import credit_life, states
from sandbox.papers.entered import amount_of
from sandbox.papers.figures import (
    add_figures,
    client_of,
    compute_payment_balance,
    tell_of_invoice,
)
from sandbox.papers.invoice_life import now as invoice_now
from sandbox.papers.invoice_life import take
from sandbox.papers.money import parts_of, place
from sandbox.papers.payment_rules import Part, parts_in, total_of, value_of
from sandbox.papers.states import write
from sandbox.papers.statuses import CANCELLED, PAID, PARTIAL, SENT, OfPayments
from sandbox.php.input import Input
from sandbox.store.database import Row, select, update
from sandbox.store.world import World
from sandbox.wire.answers import server_error
from sandbox.wire.calls import Call


def now(world: World, row: Row) -> Row:
    """The payment as stored now."""
    return select(world.db, "payments", "id = ?", (row["id"],))[0]


def put_on(call: Call, payment: Row, data: Input) -> Decimal:
    """Put the payment on the invoices, and take its credits; returns by how much its applied part grows.

    The caller writes that down itself: a new payment counts as free money for the client's payment_balance, until
    something computes it again (recorded).
    """
    invoices, given = parts_in(data, "invoices"), parts_in(data, "credits")
    for part, row in _named(call, "invoices", invoices, "invoice_id"):
        place(call.world, payment, "invoice", row["id"], value_of(part))
        take(call, payment, row, value_of(part))
    for part, row in _named(call, "credits", given, "credit_id"):
        if row["deleted_at"] is None:
            place(call.world, payment, "credit", row["id"], value_of(part))
            credit_life.spend(call, payment, credit_life.mark_sent(call, row), value_of(part))
    return total_of(invoices) - total_of(given)


def _named(call: Call, table: str, parts: Sequence[Part], key: str) -> list[tuple[Part, Row]]:
    """The parts with their papers, each as it is before any of them."""
    found = []
    for part in parts:
        if part.get(key) is None:
            raise server_error()
        rows = select(call.world.db, table, "id = ?", (part[key],))
        found += [(part, row) for row in rows]
    return found


# ---- archive, restore, delete ---------------------------------------------------------------------------------------


def archive(call: Call, row: Row) -> None:
    """Nothing else changes."""
    states.archive(call.world, "payments", row)


def restore(call: Call, row: Row) -> None:
    """From the archive only: a deleted payment cannot be restored (recorded)."""
    if row["deleted_at"] is not None and not row["is_deleted"]:
        states.restore(call.world, "payments", row)
        compute_payment_balance(call.world, row)


def delete(call: Call, row: Row) -> None:
    """Take the payment off its invoices, give its credits back, and take it off the client's figures."""
    if row["is_deleted"]:
        return
    world = call.world
    write(world, "payments", row["id"], {"status_id": OfPayments.CANCELLED})
    for part in parts_of(world, row, "credit"):
        credit_life.give_back(world, part)
    taken = sum((_take_off(call, row, part) for part in parts_of(world, row, "invoice")), Decimal(0))
    amount = amount_of(row)
    rest = -amount if amount < 0 else min(Decimal(0), taken - (amount - amount_of(row, "refunded")))
    add_figures(world, row, paid_to_date=rest)
    world.db.execute("DELETE FROM paymentables WHERE payment_id = ? AND deleted_at IS NULL", (row["id"],))
    write(world, "payments", row["id"], {"is_deleted": 1, "deleted_at": world.clock.stamp()})
    compute_payment_balance(world, row)


def _take_off(call: Call, payment: Row, part: Row) -> Decimal:
    """Open the invoice again by what is left of the part. One from the archive comes back; a deleted one stays gone.

    A cancelled one owes nothing again, and of a deleted one only what was paid changes (recorded).
    """
    world = call.world
    invoice = select(world.db, "invoices", "id = ?", (part["paper_id"],))[0]
    left = amount_of(part) - amount_of(part, "refunded")
    values: Row = {"paid_to_date": money(amount_of(invoice, "paid_to_date") - left)}
    if invoice["is_deleted"]:
        write(world, "invoices", invoice["id"], values | {"deleted_at": world.clock.stamp()})
    elif invoice["status_id"] == CANCELLED:
        write(world, "invoices", invoice["id"], values)
        add_figures(world, payment, paid_to_date=-left)
    else:
        balance = amount_of(invoice, "balance") + left
        state = SENT if balance == amount_of(invoice) else PARTIAL if balance else PAID
        values |= {"balance": money(balance), "status_id": state, "deleted_at": None}
        write(world, "invoices", invoice["id"], values)
        notes = f"Adjusting invoice {invoice['number']} due to deletion of Payment {payment['number']}"
        tell_of_invoice(world, invoice, left, notes)
        add_figures(world, payment, balance=left, paid_to_date=-left)
    return left


# ---- refund ---------------------------------------------------------------------------------------------------------


def refund(call: Call, row: Row, data: Input) -> Row:
    """Give money back: of the invoices that are named, else of what is on none.

    Credits in the payment are given back first, and are no refund of money. Amount and applied part stay.
    """
    world, parts = call.world, parts_in(data, "invoices")
    total = total_of(parts) if parts else value_of(data)
    money_back = total - _refund_credits(world, row, total)
    refunded = amount_of(row, "refunded") + money_back
    whole = amount_of(row) in {total, refunded}
    state = OfPayments.REFUNDED if whole else OfPayments.PARTIALLY_REFUNDED
    write(world, "payments", row["id"], {"refunded": money(refunded), "status_id": state})
    for part in parts:
        _refund_invoice(world, row, part)
    if not parts:
        client = client_of(world, row)
        if client["deleted_at"] is not None:
            update(world.db, "clients", {"deleted_at": None}, [client["id"]])
        add_figures(world, row, paid_to_date=-total)
    return now(world, row)


def _refund_credits(world: World, row: Row, total: Decimal) -> Decimal:
    """How much of a refund goes back to credits."""
    used = Decimal(0)
    for part in parts_of(world, row, "credit"):
        back = min(amount_of(part) - amount_of(part, "refunded"), total - used)
        write(world, "paymentables", part["id"], {"refunded": money(amount_of(part, "refunded") + back)})
        credit = select(world.db, "credits", "id = ?", (part["paper_id"],))[0]
        values: Row = {"status_id": SENT, "balance": money(amount_of(credit, "balance") + back)}
        values["paid_to_date"] = money(amount_of(credit, "paid_to_date") - back)
        write(world, "credits", credit["id"], values)
        used += back
        if used == total:
            break
    return used


def _refund_invoice(world: World, payment: Row, part: Part) -> None:
    """Open one invoice again by its part of the refund. One from the archive comes back; a deleted one does not."""
    amount = value_of(part)
    row = select(world.db, "invoices", "id = ?", (part["invoice_id"],))[0]
    for placed in parts_of(world, payment, "invoice"):
        if placed["paper_id"] == row["id"]:
            back = money(amount_of(placed, "refunded") + amount)
            write(world, "paymentables", placed["id"], {"refunded": back})
    values: Row = {"paid_to_date": money(amount_of(row, "paid_to_date") - amount)}
    balance = amount_of(row, "balance")
    if not row["is_deleted"]:
        balance += amount
        values |= {"balance": money(balance), "deleted_at": None}
    values["status_id"] = SENT if balance == amount_of(row) else PARTIAL
    write(world, "invoices", row["id"], values)
    tell_of_invoice(world, row, amount, f"Refund of payment # {payment['number']}")
    add_figures(world, invoice_now(world, row), balance=amount, paid_to_date=-amount)

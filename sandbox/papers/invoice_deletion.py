"""Deleting and restoring an invoice, with what payments it has (MarkInvoiceDeleted, HandleRestore).

A deleted invoice takes its money along: each payment is cut by its part on the invoice. A payment with nothing left is
deleted too, but keeps its status. Restoring gives all of it back.
"""

from __future__ import annotations

from decimal import Decimal

from sandbox.books.ledger import money
from sandbox.papers import states
from sandbox.papers.entered import amount_of
from sandbox.papers.figures import add_figures, tell_of_invoice, tell_of_payment
from sandbox.papers.invoice_life import now
from sandbox.papers.money import parts_of
from sandbox.papers.numbers import of_deleted, of_restored
from sandbox.papers.states import write
from sandbox.papers.statuses import OfPayments
from sandbox.store.database import Row, marks, select
from sandbox.store.world import World
from sandbox.wire.calls import Call


def delete(call: Call, row: Row) -> None:
    """Rename the invoice, and take it and its money off the client's figures; nothing happens the second time."""
    if row["is_deleted"]:
        return
    world, payments = call.world, _payments_of(call.world, row)
    shares = {payment["id"]: _share(world, payment, row) for payment in payments}
    paid = sum((on_invoice for on_invoice, _ in shares.values()), Decimal(0))
    _trash_parts(world, row, payments, world.clock.stamp())
    all_of_it = paid == sum((amount_of(x) - amount_of(x, "refunded") for x in payments), Decimal(0))
    for payment in payments:
        on_invoice, by_credit = shares[payment["id"]]
        gone = {"is_deleted": 1, "deleted_at": world.clock.stamp()} if all_of_it else {}
        write(world, "payments", payment["id"], _changed(payment, by_credit - on_invoice) | gone)
    add_figures(world, row, balance=-amount_of(row, "balance"), paid_to_date=-paid)
    notes = "Invoice Deleted - reducing ledger balance"
    tell_of_payment(world, row, -amount_of(row, "balance"), notes, about="invoice")
    number = of_deleted(world, row["company_id"], "invoices", row["number"])
    write(world, "invoices", row["id"], {"number": number})
    states.delete(world, "invoices", now(world, row))


def restore(call: Call, row: Row) -> None:
    """From the archive, or from the deleted ones with its money and its number.

    An invoice on which nothing is paid any more, and whose payment was deleted meanwhile, stays deleted.
    """
    world = call.world
    if not row["is_deleted"]:
        states.restore(world, "invoices", row)
        return
    payments = _payments_of(world, row)
    if not amount_of(row, "paid_to_date") and any(payment["is_deleted"] for payment in payments):
        write(world, "invoices", row["id"], {"deleted_at": world.clock.stamp()})
        return
    tell_of_invoice(world, row, amount_of(row, "balance"), f"Restored invoice {row['number']}")
    add_figures(world, row, balance=amount_of(row, "balance"), paid_to_date=amount_of(row, "paid_to_date"))
    number = of_restored(world, row["company_id"], "invoices", row["number"])
    write(world, "invoices", row["id"], {"number": number, "is_deleted": 0, "deleted_at": None})
    _trash_parts(world, None, payments, None)
    for payment in payments:
        if payment["status_id"] != OfPayments.CANCELLED:
            on_invoice, by_credit = _share(world, payment, row)
            back = _changed(payment, on_invoice - by_credit) | {"is_deleted": 0, "deleted_at": None}
            write(world, "payments", payment["id"], back)


def _payments_of(world: World, row: Row) -> list[Row]:
    """The payments that are or were on the invoice, in any state."""
    parts = "SELECT payment_id FROM paymentables WHERE kind = 'invoice' AND paper_id = ?"
    return select(world.db, "payments", f"id IN ({parts}) ORDER BY id", (row["id"],))


def _share(world: World, payment: Row, row: Row) -> tuple[Decimal, Decimal]:
    """How much of the payment is on the invoice and was not refunded; how much of it came from credits, on any invoice.

    The credits count in full: a payment by credit on two invoices gets an amount when one of them goes (recorded).
    """
    parts = [part for part in parts_of(world, payment, "invoice", live=True) if part["paper_id"] == row["id"]]
    on_invoice = sum((amount_of(part) - amount_of(part, "refunded") for part in parts), Decimal(0))
    by_credit = sum((amount_of(part) for part in parts_of(world, payment, "credit", live=True)), Decimal(0))
    return on_invoice, by_credit


def _changed(payment: Row, added: Decimal) -> Row:
    return {name: money(amount_of(payment, name) + added) for name in ("amount", "applied")}


def _trash_parts(world: World, row: Row | None, payments: list[Row], stamp: int | None) -> None:
    """Trash the payments' parts on the invoice; or bring all parts of these payments back, as the server does."""
    ids = [payment["id"] for payment in payments]
    where, args = f"payment_id IN ({marks(ids)})", list(ids)
    if row is not None:
        where, args = where + " AND kind = 'invoice' AND paper_id = ?", [*args, row["id"]]
    world.db.execute(
        f"UPDATE paymentables SET deleted_at = ?, updated_at = ? WHERE {where}", (stamp, world.clock.stamp(), *args)
    )

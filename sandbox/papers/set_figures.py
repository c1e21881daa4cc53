"""A client's figures set from outside, with one invoice, payment and credit behind them in place of the old papers."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from sandbox.books.ledger import INVOICE_UPDATED, PAYMENT_UPDATED, add_row, money, running, totals
from sandbox.papers.invoice_life import state_of
from sandbox.papers.lines import USUAL, stored
from sandbox.papers.money import currencies, place
from sandbox.papers.numbers import next_number, of_deleted
from sandbox.papers.saved import NEW
from sandbox.papers.shown import day_at
from sandbox.papers.states import delete, write
from sandbox.papers.statuses import SENT, OfPayments
from sandbox.store.database import Row, insert, select, update
from sandbox.store.world import World


def set_figures(world: World, client_id: int, figures: Mapping[str, str], *, in_ledger: bool) -> None:
    """Set some of a client's figures; the papers behind the kinds that change are replaced by one of each.

    With `in_ledger` the ledger records it too, as it does for an invoice that was sent and a payment that was applied.
    Without it, the figures are like those of an import: a ledger that begins with a later merge begins at 0 (recorded).
    The client's `updated_at` stays.
    """
    clients = select(world.db, "clients", "id = ?", (client_id,))
    if not clients or not figures:
        return
    applied_before = Decimal(totals(world.db, client_id)["applied"])
    update(world.db, "clients", figures, [client_id])
    row = clients[0] | dict(figures)
    if set(figures) - {"credit_balance"}:
        _discard(world, row, "invoices")
        _discard(world, row, "payments")
        invoice, payment = _bill(world, row)
        if in_ledger:
            _note(world, row, invoice, payment, applied_before)
    if "credit_balance" in figures:
        _discard(world, row, "credits")
        _credit(world, row)


def give_papers(world: World, client: Row) -> None:
    """Put one invoice, payment and credit behind the figures of a client that has none, and into its ledger."""
    invoice, payment = _bill(world, client)
    _note(world, client, invoice, payment, Decimal(0))
    _credit(world, client)


def _note(world: World, client: Row, invoice: int, payment: int, applied_before: Decimal) -> None:
    """Add two ledger rows that end at the client's balance: the amount billed, and the part of it that was paid."""
    db, stamp = world.db, world.clock.stamp()
    applied = Decimal(totals(db, client["id"])["applied"]) - applied_before
    if billed := Decimal(client["balance"]) - running(db, client["id"]) + applied:
        notes = f"Invoice {invoice:04d} marked as sent."
        add_row(db, client, stamp, billed, notes, activity=INVOICE_UPDATED, about=("invoice", invoice))
    if applied:
        notes = f"Payment {payment:04d} applied."
        add_row(db, client, stamp, -applied, notes, activity=PAYMENT_UPDATED, about=("payment", payment))


def _discard(world: World, client: Row, table: str) -> None:
    """Delete the client's papers of one kind, as if somebody had; of payments their parts too."""
    for paper in select(world.db, table, "client_id = ? AND is_deleted = 0", (client["id"],)):
        if table == "payments":
            world.db.execute("DELETE FROM paymentables WHERE payment_id = ?", (paper["id"],))
            write(world, table, paper["id"], {"status_id": OfPayments.CANCELLED})
        if table == "invoices":
            number = of_deleted(world, paper["company_id"], table, paper["number"])
            write(world, table, paper["id"], {"number": number})
        delete(world, table, paper)


def _bill(world: World, client: Row) -> tuple[int, int]:
    """One invoice and one payment that give balance, paid_to_date and payment_balance; their ids, 0 for none."""
    balance, paid = Decimal(client["balance"]), Decimal(client["paid_to_date"])
    applied = paid - Decimal(client["payment_balance"])
    invoice = payment = 0
    if balance or applied:
        invoice = _paper(world, client, "invoices", balance + applied, balance)
    if paid or applied:
        values = {"amount": money(paid), "applied": money(applied)} | currencies(world, client)
        payment = _insert(world, client, "payments", values)
    if invoice and payment and applied:
        place(world, {"id": payment}, "invoice", invoice, applied)
    return invoice, payment


def _credit(world: World, client: Row) -> None:
    if value := Decimal(client["credit_balance"]):
        number = _paper(world, client, "credits", value, value)
        write(world, "credits", number, {"status_id": SENT})


def _paper(world: World, client: Row, table: str, amount: Decimal, balance: Decimal) -> int:
    """A sent paper over this amount, with this balance."""
    line = USUAL | {"quantity": 1.0, "tax_id": "1", "is_amount_discount": True, "product_key": "carried-over"}
    line |= dict.fromkeys(("cost", "line_total", "gross_line_total"), float(amount))
    sums = {"amount": money(amount), "balance": money(balance), "paid_to_date": money(amount - balance)}
    values = NEW | sums | {"status_id": state_of(balance, amount), "line_items": stored([line])}
    return _insert(world, client, table, values)


def _insert(world: World, client: Row, table: str, values: Row) -> int:
    stamp = world.clock.stamp()
    own = {"company_id": client["company_id"], "user_id": client["user_id"], "client_id": client["id"]}
    own |= {"number": next_number(world, client["company_id"], table), "date": day_at(world)}
    return insert(world.db, table, values | own | {"created_at": stamp, "updated_at": stamp})

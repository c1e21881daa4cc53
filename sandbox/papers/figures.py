"""The figures of clients as papers move them, and the ledger rows that record it (ClientService, LedgerService).

Adding to a figure moves the client's stamp, even if nothing is added: the server adds floats, and a float is never the
text that the column held, so the row counts as changed (recorded: mark_sent of an invoice over 0). A figure that is
computed again comes from the database as a text, and moves the stamp only if it differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from sandbox.books.ledger import INVOICE_UPDATED, PAYMENT_UPDATED, add_row, money
from sandbox.papers.statuses import OPEN, OfPayments
from sandbox.store.database import Row, marks, select, update
from sandbox.store.world import World

COUNTED = (OfPayments.COMPLETED, OfPayments.PENDING, OfPayments.PARTIALLY_REFUNDED, OfPayments.REFUNDED)


def client_of(world: World, paper: Mapping[str, object]) -> Row:
    """The client of a paper, in any state."""
    return select(world.db, "clients", "id = ?", (paper["client_id"],))[0]


def add_figures(world: World, paper: Mapping[str, object], **added: Decimal) -> None:
    """Add to figures of the paper's client."""
    client = client_of(world, paper)
    sums = {name: money(Decimal(client[name]) + amount) for name, amount in added.items()}
    update(world.db, "clients", sums | {"updated_at": world.clock.stamp()}, [client["id"]])


def compute_balance(world: World, paper: Mapping[str, object]) -> Decimal:
    """Set the client's balance to what its open invoices add up to; returns the difference."""
    client = client_of(world, paper)
    rows = world.db.execute(
        f"SELECT balance FROM invoices WHERE client_id = ? AND is_deleted = 0 AND status_id IN ({marks(OPEN)})",
        (client["id"], *OPEN),
    )
    return _set(world, client, "balance", sum((Decimal(value) for (value,) in rows), Decimal(0)))


def compute_payment_balance(world: World, paper: Mapping[str, object]) -> None:
    """Set the client's payment_balance to its payments' money that is on no invoice; refunds do not count (5.12)."""
    client = client_of(world, paper)
    counted = f"client_id = ? AND is_deleted = 0 AND status_id IN ({marks(COUNTED)})"
    rows = world.db.execute(f"SELECT amount, applied FROM payments WHERE {counted}", (client["id"], *COUNTED))
    free = sum((Decimal(amount) - Decimal(applied) for amount, applied in rows), Decimal(0))
    _set(world, client, "payment_balance", free)


def _set(world: World, client: Row, name: str, value: Decimal) -> Decimal:
    difference = value - Decimal(client[name])
    if difference:
        stamp = world.clock.stamp()
        update(world.db, "clients", {name: money(value), "updated_at": stamp}, [client["id"]])
    return difference


def tell_of_invoice(world: World, invoice: Row, adjustment: Decimal, notes: str) -> None:
    """A ledger row for a change of what an invoice leaves open; none for no change."""
    if adjustment:
        _tell(world, invoice, adjustment, notes, INVOICE_UPDATED, "invoice")


def tell_of_payment(world: World, payment: Row, adjustment: Decimal, notes: str, *, about: str = "payment") -> None:
    """A ledger row for a payment; also for one of nothing."""
    _tell(world, payment, adjustment, notes, PAYMENT_UPDATED, about)


def _tell(world: World, paper: Row, adjustment: Decimal, notes: str, activity: int, kind: str) -> None:
    client, stamp = client_of(world, paper), world.clock.stamp()
    add_row(world.db, client, stamp, adjustment, notes, activity=activity, about=(kind, paper["id"]))

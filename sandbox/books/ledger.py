"""The invoices, payments and credits behind a client's figures, and the ledger that records them.

The open invoices add up to `balance`, the payments to `paid_to_date`, their part without an invoice to
`payment_balance`, the credits to `credit_balance`. All amounts are exact decimal texts with at most six decimals.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from decimal import ROUND_HALF_UP, Decimal

from sandbox.books.client_settings import precision_of
from sandbox.store.database import Row, insert, marks, select

FIGURES = ("balance", "paid_to_date", "credit_balance", "payment_balance")
PAPERS = ("invoices", "payments", "credits")
INVOICE_UPDATED, PAYMENT_UPDATED, CLIENT_UPDATED = 5, 11, 61
"""The origin of a ledger row: a type of activity (LedgerService.php; 61 for a merge is recorded)."""
MICRO = Decimal("0.000001")


def money(value: object) -> str:
    """An amount as stored: at most six decimals, never an exponent. ValueError if it is not a number."""
    exact = Decimal(str(value))
    if not exact.is_finite():
        raise ValueError(f"not an amount: {value}")
    return format(exact.quantize(MICRO).normalize() + 0, "f")


def write_papers(db: sqlite3.Connection, ids: Collection[int]) -> None:
    """Write invoices, payments, credits and ledger for seeded clients among these that have only figures yet.

    Seeding writes none itself: of a million clients hardly one is ever requested.
    """
    chosen = list(ids)
    never_asked = (
        f"id IN ({marks(chosen)}) AND id NOT IN (SELECT client_id FROM papered)"
        " AND EXISTS (SELECT 1 FROM seeded WHERE clients.id BETWEEN first_id AND last_id) ORDER BY id"
    )
    for row in select(db, "clients", never_asked, chosen):
        insert(db, "papered", {"client_id": row["id"]})
        stamp = row["updated_at"] or row["created_at"]
        invoice, payment = _bill(db, row, stamp)
        note_papers(db, row, stamp, invoice, payment, Decimal(0))
        _credit(db, row, stamp)


def _bill(db: sqlite3.Connection, row: Row, stamp: int) -> tuple[int, int]:
    """One invoice and one payment that give balance, paid_to_date and payment_balance; their ids, 0 for none."""
    balance, paid = Decimal(row["balance"]), Decimal(row["paid_to_date"])
    applied = paid - Decimal(row["payment_balance"])
    own = _own(row, stamp)
    invoice = payment = 0
    if balance or applied:
        sums = {"amount": money(balance + applied), "balance": money(balance)}
        invoice = insert(db, "invoices", own | sums)
    if paid or applied:
        payment = insert(db, "payments", own | {"amount": money(paid), "applied": money(applied)})
    return invoice, payment


def _credit(db: sqlite3.Connection, row: Row, stamp: int) -> None:
    if value := Decimal(row["credit_balance"]):
        insert(db, "credits", _own(row, stamp) | {"amount": money(value), "balance": money(value)})


def _own(row: Row, stamp: int) -> Row:
    return {"company_id": row["company_id"], "client_id": row["id"], "created_at": stamp, "updated_at": stamp}


def note_papers(
    db: sqlite3.Connection, row: Row, stamp: int, invoice: int, payment: int, applied_before: Decimal
) -> None:
    """Add two rows that end at the client's balance: the amount billed, and the part of it that was paid."""
    applied = Decimal(totals(db, row["id"])["applied"]) - applied_before
    billed = Decimal(row["balance"]) - running(db, row["id"]) + applied
    if billed:
        notes = f"Invoice {invoice:04d} marked as sent."
        add_row(db, row, stamp, billed, notes, activity=INVOICE_UPDATED, about=("invoice", invoice))
    if applied:
        notes = f"Payment {payment:04d} applied."
        add_row(db, row, stamp, -applied, notes, activity=PAYMENT_UPDATED, about=("payment", payment))


def running(db: sqlite3.Connection, client_id: int) -> Decimal:
    """The balance of the newest row, 0 without any."""
    newest = select(db, "ledger", "client_id = ? ORDER BY id DESC LIMIT 1", (client_id,))
    return Decimal(newest[0]["balance"]) if newest else Decimal(0)


def add_row(
    db: sqlite3.Connection,
    client: Row,
    stamp: int,
    adjustment: Decimal,
    notes: str,
    *,
    activity: int = CLIENT_UPDATED,
    about: tuple[str, int] = ("", 0),
) -> None:
    """Add one ledger row; its balance is the previous row's plus the adjustment, not the client's (recorded)."""
    kind, number = about
    sums = {"adjustment": money(adjustment), "balance": money(running(db, client["id"]) + adjustment)}
    origin = {"activity_id": activity, "notes": notes, "entity": kind, "entity_id": number}
    insert(db, "ledger", _own(client, stamp) | sums | origin)


def totals(db: sqlite3.Connection, client_id: int) -> dict[str, str]:
    """The sums behind the client's figures, and `applied`, the part of the payments that is used."""

    def added(table: str, column: str) -> Decimal:
        rows = db.execute(f"SELECT {column} FROM {table} WHERE client_id = ? AND is_deleted = 0", (client_id,))
        return sum((Decimal(value) for (value,) in rows), Decimal(0))

    paid, applied = added("payments", "amount"), added("payments", "applied")
    return {
        "balance": money(added("invoices", "balance")),
        "paid_to_date": money(paid),
        "payment_balance": money(paid - applied),
        "credit_balance": money(added("credits", "balance")),
        "applied": money(applied),
    }


def credit_balance(db: sqlite3.Connection, client: Row) -> str:
    """The sum of the client's credits, rounded for the client's currency (ClientService.php, getCreditBalance)."""
    places = Decimal(1).scaleb(-precision_of(db, client))
    return money(Decimal(totals(db, client["id"])["credit_balance"]).quantize(places, ROUND_HALF_UP))

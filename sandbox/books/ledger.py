"""The invoices, payments and credits behind a client's figures, and the ledger that records them.

The open invoices add up to `balance`, the payments to `paid_to_date`, their part without an invoice to
`payment_balance`, the credits to `credit_balance`. All amounts are exact decimal texts with at most six decimals.
"""

from __future__ import annotations

import sqlite3
from decimal import ROUND_HALF_UP, Decimal

from sandbox.books.client_settings import precision_of
from sandbox.store.database import Row, insert, select

FIGURES = ("balance", "paid_to_date", "credit_balance", "payment_balance")
INVOICE_UPDATED, PAYMENT_UPDATED, CLIENT_UPDATED = 5, 11, 61
"""The origin of a ledger row: a type of activity (LedgerService.php; 61 for a merge is recorded)."""
MICRO = Decimal("0.000001")


def money(value: object) -> str:
    """An amount as stored: at most six decimals, never an exponent. ValueError if it is not a number."""
    exact = Decimal(str(value))
    if not exact.is_finite():
        raise ValueError(f"not an amount: {value}")
    return format(exact.quantize(MICRO).normalize() + 0, "f")


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


def _own(row: Row, stamp: int) -> Row:
    return {"company_id": row["company_id"], "client_id": row["id"], "created_at": stamp, "updated_at": stamp}


def totals(db: sqlite3.Connection, client_id: int) -> dict[str, str]:
    """The sums behind the client's figures, and `applied`, the part of the payments that is used.

    Refunded money does not count as paid; the use of a credit does.
    """
    live = "client_id = ? AND is_deleted = 0"

    def added(table: str, column: str) -> Decimal:
        rows = db.execute(f"SELECT {column} FROM {table} WHERE {live}", (client_id,))
        return sum((Decimal(value) for (value,) in rows), Decimal(0))

    payments = f"SELECT id FROM payments WHERE {live}"
    used = f"SELECT amount FROM paymentables WHERE kind = 'credit' AND payment_id IN ({payments})"
    from_credits = sum((Decimal(value) for (value,) in db.execute(used, (client_id,))), Decimal(0))
    paid, applied = added("payments", "amount"), added("payments", "applied")
    return {
        "balance": money(added("invoices", "balance")),
        "paid_to_date": money(paid - added("payments", "refunded") + from_credits),
        "payment_balance": money(paid - applied),
        "credit_balance": money(added("credits", "balance")),
        "applied": money(applied),
    }


def credit_balance(db: sqlite3.Connection, client: Row) -> str:
    """The sum of the client's credits, rounded for the client's currency (ClientService.php, getCreditBalance)."""
    places = Decimal(1).scaleb(-precision_of(db, client))
    return money(Decimal(totals(db, client["id"])["credit_balance"]).quantize(places, ROUND_HALF_UP))

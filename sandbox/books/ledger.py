"""The invoices, payments and credits behind a client's figures, and the ledger that records them.

Invoices, payments and credits are kept only as far as figures, `include=ledger` and merges need them: the open
invoices add up to `balance`, the payments to `paid_to_date`, their part without an invoice to `payment_balance`, the
credits to `credit_balance`. All amounts are exact decimal texts with at most six decimals.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from sandbox.books.lookups import statics
from sandbox.store.database import Row, insert, marks, select, update
from sandbox.store.world import World

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


def set_figures(world: World, client_id: int, figures: Mapping[str, str], *, in_ledger: bool) -> None:
    """Set some of a client's figures and put one new invoice, payment or credit behind each kind, in place of the old.

    With `in_ledger` the ledger records it too, as it does for an invoice that was sent and a payment that was applied.
    Without it, the figures are like those of an import: a ledger that begins with a later merge begins at 0 (recorded).
    `updated_at` stays.
    """
    write_papers(world.db, [client_id])
    clients = select(world.db, "clients", "id = ?", (client_id,))
    if not clients or not figures:
        return
    row, stamp = clients[0], world.clock.stamp()
    applied_before = Decimal(totals(world.db, client_id)["applied"])
    update(world.db, "clients", figures, [client_id])
    row = row | dict(figures)
    if set(figures) - {"credit_balance"}:
        _discard(world.db, client_id, ("invoices", "payments"))
        invoice, payment = _bill(world.db, row, stamp)
        if in_ledger:
            _write_ledger(world.db, row, stamp, invoice, payment, applied_before)
    if "credit_balance" in figures:
        _discard(world.db, client_id, ("credits",))
        _credit(world.db, row, stamp)


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
        _write_ledger(db, row, stamp, invoice, payment, Decimal(0))
        _credit(db, row, stamp)


def _discard(db: sqlite3.Connection, client_id: int, tables: Collection[str]) -> None:
    for table in tables:
        db.execute(f"UPDATE {table} SET is_deleted = 1 WHERE client_id = ?", (client_id,))


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


def _write_ledger(
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
    places = Decimal(1).scaleb(-_precision(_currency(db, client)))
    return money(Decimal(totals(db, client["id"])["credit_balance"]).quantize(places, ROUND_HALF_UP))


def _currency(db: sqlite3.Connection, client: Row) -> str:
    """The currency's id: the client's own, else its group's, else the company's."""
    group = select(db, "group_settings", "id = ?", (client["group_settings_id"],))
    for settings in (client["settings"], group[0]["settings"] if group else None):
        if settings and (currency := (json.loads(settings) or {}).get("currency_id")):
            return str(currency)
    return str(select(db, "companies", "id = ?", (client["company_id"],))[0]["currency_id"])


@cache
def _precision(currency: str) -> int:
    return next((int(x["precision"]) for x in statics()["currencies"] if x["id"] == currency), 2)

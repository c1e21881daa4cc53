"""Payments as rows: a new one, and its parts on invoices and credits (PaymentFactory, Paymentable)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.books.client_settings import company_of, currency_of
from sandbox.books.ledger import money
from sandbox.papers.figures import client_of
from sandbox.papers.numbers import next_number
from sandbox.papers.shown import today_of
from sandbox.papers.statuses import OfPayments
from sandbox.store.database import Row, insert, select
from sandbox.store.world import World
from sandbox.wire.calls import Call


def new_payment(call: Call, paper: Mapping[str, Any], values: Row) -> Row:
    """A payment of the paper's client, completed, with today's date and the next number unless these came."""
    world, stamp = call.world, call.world.clock.stamp()
    row = {
        "company_id": paper["company_id"],
        "user_id": paper["user_id"],
        "client_id": paper["client_id"],
        "status_id": OfPayments.COMPLETED,
        "date": today_of(call),
        "created_at": stamp,
        "updated_at": stamp,
    }
    row |= currencies(world, client_of(world, paper)) | values
    row["number"] = row.get("number") or next_number(world, paper["company_id"], "payments")
    return select(world.db, "payments", "id = ?", (insert(world.db, "payments", row),))[0]


def currencies(world: World, client: Row) -> Row:
    """The currency of the client; and the company's beside it where they differ, at a rate of 1: no rates are known."""
    own, company = currency_of(world.db, client), str(company_of(world.db, client)["currency_id"])
    return {"currency_id": int(own)} | ({} if own == company else {"exchange_currency_id": int(company)})


def place(world: World, payment: Row, kind: str, paper_id: int, amount: Decimal) -> None:
    """Put a part of a payment on an invoice or a credit."""
    stamp = world.clock.stamp()
    part = {"payment_id": payment["id"], "kind": kind, "paper_id": paper_id, "amount": money(amount)}
    insert(world.db, "paymentables", part | {"created_at": stamp, "updated_at": stamp})


def parts_of(world: World, payment: Row, kind: str, *, live: bool = False) -> list[Row]:
    """What the payment is on, of one kind, in order; those of deleted invoices too unless only live ones count."""
    condition = " AND deleted_at IS NULL" if live else ""
    return select(
        world.db, "paymentables", f"payment_id = ? AND kind = ?{condition} ORDER BY id", (payment["id"], kind)
    )

"""Invented papers with their stamps, ids and numbers, and the rows that they become."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from random import Random
from typing import Generic, TypeVar

from sandbox.books.ledger import INVOICE_UPDATED, PAYMENT_UPDATED
from sandbox.papers.lines import USUAL
from sandbox.papers.numbers import DELETED
from sandbox.papers.statuses import CANCELLED, DRAFT
from sandbox.people.business import amount, secret
from sandbox.people.paper_lines import CATALOGUE, Line
from sandbox.people.paper_values import Credit, Invoice, Payment
from sandbox.store.database import Row
from sandbox.store.world import MICROS

Paper = TypeVar("Paper", Invoice, Payment, Credit)
DESIGN = 2
PAYMENT_TYPES = (1, 1, 1, 2, 5, 13, 15, 29)
"""Bank transfer, cash, a card and the like: ids of the lookups."""
BY_CREDIT = 32
THANKS = ("", "", "", "Thank you for your order", "Vielen Dank für Ihren Auftrag", "Merci ❤")


@dataclass(frozen=True, slots=True)
class Holder:
    """A client that gets papers: its row, the ids of its contacts, its currency and the company's, and its terms."""

    row: Row
    contacts: Sequence[int]
    currency: int
    home_currency: int
    terms: int | None


@dataclass(slots=True)
class Filed(Generic[Paper]):
    """A paper with its stamps, and its id and number once all are in order."""

    holder: Holder
    paper: Paper
    created: int
    changed: int
    id: int = 0
    number: str = ""

    def row(self, *, is_deleted: bool = False) -> Row:
        """The columns that all papers have."""
        client = self.holder.row
        return {
            "id": self.id,
            "company_id": client["company_id"],
            "user_id": client["user_id"],
            "client_id": client["id"],
            "number": self.number,
            "date": iso(self.paper.day),
            "amount": amount(self.paper.amount),
            "status_id": self.paper.status,
            "is_deleted": int(is_deleted),
            "created_at": self.created,
            "updated_at": self.changed,
            "deleted_at": self.changed if is_deleted or self.paper.is_archived else None,
        }


@dataclass(slots=True)
class Drawer:
    """All filed papers of one client; the uses of its payments point into these lists."""

    holder: Holder
    invoices: list[Filed[Invoice]] = field(default_factory=list)
    payments: list[Filed[Payment]] = field(default_factory=list)
    credits: list[Filed[Credit]] = field(default_factory=list)


@lru_cache(maxsize=4096)
def iso(day: int) -> str:
    """The day as the database keeps it."""
    return date.fromordinal(day).isoformat()


# ---- rows -----------------------------------------------------------------------------------------------------------


def invoice_row(rng: Random, filed: Filed[Invoice]) -> Row:
    """One invoice, some with the customer's order number; the number of a deleted one is free again."""
    paper = filed.paper
    return filed.row(is_deleted=paper.is_deleted) | {
        "number": filed.number + (DELETED if paper.is_deleted else ""),
        "po_number": f"PO-{rng.randrange(10**5):05d}" if rng.random() < 0.2 else "",  # noqa: PLR2004 - a fifth has one
        "public_notes": rng.choice(THANKS),
        "design_id": DESIGN,
        "due_date": None if paper.due is None else iso(paper.due),
        "balance": amount(paper.balance),
        "paid_to_date": amount(paper.paid),
        "partial": amount(paper.partial) if paper.partial else None,
        "partial_due_date": None if paper.partial_due is None else iso(paper.partial_due),
        **columns_of_lines(paper.lines),
    }


def credit_row(filed: Filed[Credit]) -> Row:
    """One credit."""
    sums = {"balance": amount(filed.paper.balance), "paid_to_date": amount(filed.paper.used), "design_id": DESIGN}
    return filed.row() | sums | columns_of_lines(filed.paper.lines)


def payment_row(rng: Random, filed: Filed[Payment]) -> Row:
    """One payment; in another currency than the company's, with the currency that it is exchanged to."""
    paper, holder = filed.paper, filed.holder
    by_credit = not paper.amount and paper.credits
    return filed.row(is_deleted=paper.is_deleted) | {
        "applied": amount(paper.applied),
        "refunded": amount(paper.refunded),
        "type_id": BY_CREDIT if by_credit else rng.choice(PAYMENT_TYPES),
        "transaction_reference": f"REF-{rng.randrange(10**8):08d}" if rng.random() < 0.5 else "",  # noqa: PLR2004 - half have one
        "currency_id": holder.currency,
        "exchange_currency_id": None if holder.currency == holder.home_currency else holder.home_currency,
    }


def paymentable_rows(drawer: Drawer, filed: Filed[Payment]) -> Iterator[Row]:
    """What the payment is on: its invoices, then its credits."""
    own = {"payment_id": filed.id, "created_at": filed.created, "updated_at": filed.changed}
    for use in filed.paper.invoices:
        sums = {"amount": amount(use.amount), "refunded": amount(use.refunded)}
        yield own | {"kind": "invoice", "paper_id": drawer.invoices[use.place].id, **sums}
    for use in filed.paper.credits:
        sums = {"amount": amount(use.amount), "refunded": "0"}
        yield own | {"kind": "credit", "paper_id": drawer.credits[use.place].id, **sums}


def invitation_rows(rng: Random, kind: str, filed: Filed[Invoice] | Filed[Credit]) -> Iterator[Row]:
    """One invitation for each contact of the client."""
    sent = None if filed.paper.status == DRAFT else _moment(filed.created)
    own = {"kind": kind, "paper_id": filed.id, "sent_date": sent}
    for contact in filed.holder.contacts:
        times = {"created_at": filed.created, "updated_at": filed.created}
        yield own | {"client_contact_id": contact, "key": secret(rng, 32)} | times


def ledger_rows(drawer: Drawer) -> Iterator[Row]:
    """What moved the client's balance, in the order of time."""
    running, client = 0, drawer.holder.row
    for stamp, adjustment, notes, (activity, entity, number) in sorted(_moves(drawer), key=lambda move: move[0]):
        running += adjustment
        yield {
            "company_id": client["company_id"],
            "client_id": client["id"],
            "entity": entity,
            "entity_id": number,
            "activity_id": activity,
            "adjustment": amount(adjustment),
            "balance": amount(running),
            "notes": notes,
            "created_at": stamp,
            "updated_at": stamp,
        }


Move = tuple[int, int, str, tuple[int, str, int]]


def _moves(drawer: Drawer) -> Iterator[Move]:
    """When, by how much, and why the balance moved; invoices first where stamps are equal."""
    for invoice in drawer.invoices:
        paper, origin = invoice.paper, (INVOICE_UPDATED, "invoice", invoice.id)
        if paper.status != DRAFT:
            yield invoice.created, paper.amount, f"Invoice {invoice.number} marked as sent.", origin
        if paper.status == CANCELLED:
            yield invoice.changed, -paper.amount, f"Invoice {invoice.number} cancelled.", origin
        elif paper.is_deleted:
            yield invoice.changed, -paper.balance, f"Invoice {invoice.number} deleted.", origin
    for payment in drawer.payments:
        origin = (PAYMENT_UPDATED, "payment", payment.id)
        if applied := sum(use.amount for use in payment.paper.invoices):
            yield payment.created, -applied, f"Payment {payment.number} applied.", origin
        if back := sum(use.refunded for use in payment.paper.invoices):
            yield payment.changed, back, f"Payment {payment.number} refunded.", origin


def _moment(stamp: int) -> str:
    return datetime.fromtimestamp(stamp // MICROS, UTC).strftime("%Y-%m-%d %H:%M:%S")


# ---- lines ----------------------------------------------------------------------------------------------------------


def columns_of_lines(lines: Sequence[Line]) -> Row:
    """The lines of a paper as its columns keep them."""
    taxes = sum(line.tax for line in lines)
    return {"line_items": json.dumps([_line(line) for line in lines], ensure_ascii=False), "total_taxes": amount(taxes)}


def _line(line: Line) -> Row:
    """The line as a paper's column keeps it: with floats, as the server shows them."""
    key, notes, price = CATALOGUE[line.product]
    return USUAL | {
        "quantity": float(line.quantity),
        "cost": line.cost / MICROS,
        "product_key": key,
        "product_cost": float(price),
        "notes": notes,
        "is_amount_discount": True,
        "tax_name1": line.tax_name,
        "tax_rate1": float(line.tax_rate),
        "tax_id": "1",
        "line_total": line.net / MICROS,
        "gross_line_total": (line.net + line.tax) / MICROS,
        "tax_amount": line.tax / MICROS,
    }

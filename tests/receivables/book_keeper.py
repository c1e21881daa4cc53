"""Ageing as a book-keeper does it by hand, from the server's own lists: each account is rolled forward to the day.

An invoice begins with its amount on its date, each payment on its day lowers it, each refund raises it again. No SQL,
no view and no balance of today is used, so this is a second way to the same figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

Record = Mapping[str, object]
ZERO = Decimal(0)
BUCKETS = ("not_due", "overdue_1_30", "overdue_31_60", "overdue_61_90", "overdue_over_90")


def number(value: object) -> Decimal:
    """An amount as it is meant, whether it came as a number or a text."""
    return Decimal(str(value))


@dataclass
class Account:
    """The page of one client."""

    open_invoices: int = 0
    buckets: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(BUCKETS, ZERO))
    without_due_date: Decimal = ZERO
    overpaid: Decimal = ZERO
    unapplied_payments: Decimal = ZERO
    open_credits: Decimal = ZERO

    def row(self) -> dict[str, object]:
        """All figures by name."""
        owed = sum(self.buckets.values(), ZERO)
        return {
            "open_invoices": self.open_invoices, **self.buckets, "without_due_date": self.without_due_date,
            "owed": owed, "overpaid": self.overpaid, "net": owed - self.overpaid,
            "unapplied_payments": self.unapplied_payments, "open_credits": self.open_credits,
        }  # fmt: skip


@dataclass(frozen=True)
class Lists:
    """What the server lists, and the zone in which its company's days begin."""

    clients: Sequence[Record]
    invoices: Sequence[Record]
    payments: Sequence[Record]
    credits: Sequence[Record]
    zone: str

    def day_of(self, stamp: object) -> date:
        """The company's own day of a moment."""
        return datetime.fromtimestamp(int(str(stamp)), UTC).astimezone(ZoneInfo(self.zone)).date()


def day(text: object) -> date | None:
    """A date, or None for none and for one that is no date."""
    try:
        return date.fromisoformat(str(text)[:10]) if text else None
    except ValueError:
        return None


def age(lists: Lists, until: date, today: date) -> dict[object, dict[str, object]]:
    """The figures of each client with an open invoice, payment or credit at the end of a day."""
    ever = until >= today  # then the books are as they are, with documents dated ahead
    until = min(until, today)
    pages: dict[object, Account] = defaultdict(Account)
    for invoice in lists.invoices:
        for due, amount in _open_parts(lists, invoice, until, ever=ever):
            _enter(pages[invoice["client_id"]], due, amount, until)
        if sum((part for _, part in _open_parts(lists, invoice, until, ever=ever)), ZERO) > 0:
            pages[invoice["client_id"]].open_invoices += 1
    for payment in lists.payments:
        if left := _left_of_payment(lists, payment, until, ever=ever):
            pages[payment["client_id"]].unapplied_payments += left
    for credit in lists.credits:
        if left := _left_of_credit(lists, credit, until, ever=ever):
            pages[credit["client_id"]].open_credits += left
    gone = {client["id"] for client in lists.clients if client["is_deleted"]}
    return {key: page.row() for key, page in pages.items() if key not in gone}


def _enter(page: Account, due: date | None, amount: Decimal, until: date) -> None:
    if amount < 0:
        page.overpaid -= amount
        return
    late = (until - due).days if due else 0
    names = [name for name, first in zip(BUCKETS, (-(10**9), 1, 31, 61, 91), strict=True) if late >= first]
    page.buckets[names[-1]] += amount
    if due is None:
        page.without_due_date += amount


def _open_parts(lists: Lists, invoice: Record, until: date, *, ever: bool) -> Iterator[tuple[date | None, Decimal]]:
    """The due dates of an invoice that was open, each with its amount."""
    if invoice["is_deleted"] or invoice["status_id"] == "1" or not _stood(lists, invoice, until, ever=ever):
        return
    if invoice["status_id"] in ("5", "6") and (ever or lists.day_of(invoice["updated_at"]) <= until):
        return
    paid = sum((step for _, step in _steps(lists, "invoice_id", invoice["id"], until, ever=ever)), ZERO)
    left, deposit = number(invoice["amount"]) - paid, ZERO
    if number(invoice["partial"]) > 0 and invoice["partial_due_date"] and left > 0:
        every = _steps(lists, "invoice_id", invoice["id"], until, ever=True)
        later = sum((step for used, step in every if step > 0 and not ever and used > until), ZERO)
        deposit = min(number(invoice["partial"]) + later, left)  # a refund does not ask for a deposit again
    if deposit:
        yield day(invoice["partial_due_date"]), deposit
    if left != deposit:
        yield day(invoice["due_date"]), left - deposit


def _stood(lists: Lists, document: Record, until: date, *, ever: bool) -> bool:
    return ever or (day(document["date"]) or lists.day_of(document["created_at"])) <= until


def _steps(lists: Lists, key: str, value: object, until: date, *, ever: bool) -> Iterator[tuple[date, Decimal]]:
    """What was paid on an invoice or taken from a credit until a day, and given back below zero."""
    for payment in lists.payments:
        if payment["is_deleted"]:
            continue
        for use in payment["paymentables"]:
            if use.get(key) == value:
                used, back = _days_of(lists, payment, use)
                if ever or used <= until:
                    yield used, number(use["amount"])
                if _refunded(payment, use) and (ever or back <= until):
                    yield back, -_refunded(payment, use)


def _refunded(payment: Record, use: Record) -> Decimal:
    """The refund of a use. The server writes one on each use for the same invoice: it counts on the first."""
    same = [u for u in payment["paymentables"] if use.get("invoice_id") and u.get("invoice_id") == use["invoice_id"]]
    is_first = not same or use is min(
        same, key=lambda u: (-number(u["refunded"]), int(str(u["created_at"])), str(u["id"]))
    )
    return number(use["refunded"]) if is_first else ZERO


def _days_of(lists: Lists, payment: Record, use: Record) -> tuple[date, date]:
    """The day of a use of a payment, and of its refund."""
    entered = day(payment["date"])
    if entered and int(str(use["created_at"])) - int(str(payment["created_at"])) <= 60:
        used = entered
    else:
        used = lists.day_of(use["created_at"])
        used = max(used, entered) if entered else used
    return used, max(lists.day_of(use["updated_at"]), used)


def _left_of_payment(lists: Lists, payment: Record, until: date, *, ever: bool) -> Decimal:
    if payment["is_deleted"] or payment["status_id"] in ("2", "3") or not _stood(lists, payment, until, ever=ever):
        return ZERO
    left = number(payment["amount"])
    tied = ZERO
    paid = {use.get("invoice_id") for use in payment["paymentables"]}
    ahead = {row["id"] for row in lists.invoices if row["id"] in paid and not _stood(lists, row, until, ever=ever)}
    for use in payment["paymentables"]:
        tied += _refunded(payment, use) if use.get("invoice_id") else -number(use["refunded"])
        used, back = _days_of(lists, payment, use)
        if use.get("invoice_id") in ahead:  # nothing to pay yet
            left -= _refunded(payment, use) if back <= until else ZERO
        elif ever or used <= until:
            left -= number(use["amount"]) * (1 if use.get("invoice_id") else -1)
    if ever or lists.day_of(payment["updated_at"]) <= until:
        left -= max(number(payment["refunded"]) - tied, ZERO)
    return left


def _left_of_credit(lists: Lists, credit: Record, until: date, *, ever: bool) -> Decimal:
    if credit["is_deleted"] or credit["status_id"] == "1" or not _stood(lists, credit, until, ever=ever):
        return ZERO
    return number(credit["amount"]) - sum(
        (step for _, step in _steps(lists, "credit_id", credit["id"], until, ever=ever)), ZERO
    )

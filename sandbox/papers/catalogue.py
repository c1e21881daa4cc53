"""The kinds of papers: how each is listed and shown (InvoiceFilters, PaymentFilters, CreditFilters)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sandbox.clients.query import Query
from sandbox.papers.days import between_days, from_day
from sandbox.papers.kinds import Json, Kind, contains, one_of, text_in
from sandbox.papers.lists import add_activities, add_clients, include_into, inner
from sandbox.papers.shown import credits_json, day_at, invoices_json, payments_json
from sandbox.php import hashids
from sandbox.store.database import Row, marks, select
from sandbox.store.world import World
from sandbox.wire.calls import Call

CUSTOM = ("custom_value1", "custom_value2", "custom_value3", "custom_value4")
LATE = (
    "(status_id IN (2, 3) AND ((CAST(partial AS REAL) > 0 AND partial_due_date <= ?)"
    " OR (CAST(coalesce(partial, 0) AS REAL) = 0 AND due_date <= ?)))"
)
"""Past its day: while a deposit is open the deposit's, else its own (recorded); one without a day is never late."""


# ---- invoices -------------------------------------------------------------------------------------------------------

INVOICE_WORDS = {"draft": (1,), "paid": (4,), "cancelled": (5,), "unpaid": (2, 3)}


def _invoice_status(query: Query, value: str | None, world: World) -> None:
    words = (value or "").split(",")
    if "all" in words:
        return
    states = [state for word, its_states in INVOICE_WORDS.items() if word in words for state in its_states]
    wanted, args = ([f"status_id IN ({marks(states)})"], list[int | str](states)) if states else ([], [])
    if "overdue" in words:
        wanted.append(LATE)
        args += [day_at(world)] * 2
    if wanted:
        query.add("(" + " OR ".join(wanted) + ")", *args)


def _overdue(query: Query, _: str | None, world: World) -> None:
    """Open ones past their day or their deposit's, not deleted, whatever the value."""
    today = day_at(world)
    open_ones = "status_id IN (2, 3) AND is_deleted = 0 AND CAST(balance AS REAL) > 0"
    query.add(f"({open_ones} AND (due_date <= ? OR partial_due_date <= ?))", today, today)


def _upcoming(query: Query, _: str | None, world: World) -> None:
    """Open ones whose day, or whose deposit's day, is still to come."""
    today = day_at(world)
    open_ones = "status_id IN (2, 3) AND is_deleted = 0 AND CAST(balance AS REAL) > 0"
    deposit = "CAST(coalesce(partial, 0) AS REAL)"
    query.add(
        f"({open_ones} AND (due_date IS NULL OR (due_date >= ? AND {deposit} = 0)"
        f" OR (partial_due_date >= ? AND {deposit} > 0)))",
        today,
        today,
    )


def _payable(query: Query, value: str | None, _: World) -> None:
    """Of this client: sent or partly paid, not deleted; a draft has no balance."""
    if value:
        open_ones = "status_id IN (1, 2, 3) AND is_deleted = 0 AND CAST(balance AS REAL) > 0"
        query.add(f"client_id = ? AND {open_ones}", hashids.decode(value))


def _status_ids(query: Query, value: str | None, _: World) -> None:
    if value:
        states = value.split(",")
        query.add(f"CAST(status_id AS TEXT) IN ({marks(states)})", *states)


def _add_payments(call: Call, rows: Sequence[Row], records: Sequence[Json]) -> None:
    _add_related(call, rows, records, PAYMENT, "paper_id", "payment_id", "invoice")


def _add_related(
    call: Call, rows: Sequence[Row], records: Sequence[Json], kind: Kind, own: str, other: str, part: str
) -> None:
    """The records of another kind that share a paymentable with each row, in the order of the paymentables."""
    ids = [row["id"] for row in rows]
    where = f"kind = ? AND {own} IN ({marks(ids)}) ORDER BY id"
    pairs = [(x[own], x[other]) for x in select(call.world.db, "paymentables", where, (part, *ids))]
    wanted = sorted({number for _, number in pairs})
    related = select(call.world.db, kind.table, f"id IN ({marks(wanted)}) ORDER BY id", wanted)
    records_of = kind.shown(call, related)
    include_into(call, kind, related, records_of, inner(call, kind.table))
    shown = dict(zip((row["id"] for row in related), records_of, strict=True))
    grouped: defaultdict[int, list[Json]] = defaultdict(list)
    for mine, its in pairs:
        grouped[mine].append(shown[its])
    for row, record in zip(rows, records, strict=True):
        record[kind.table] = grouped[row["id"]]


RELATED_TO_INVOICES = (
    "assigned_user", "company", "company_ledger", "credits", "documents", "expenses", "history", "invitations",
    "project", "quote", "recurring_invoice", "subscription", "task", "tasks", "user", "vendor", "location",
)  # fmt: skip

INVOICE = Kind(
    "invoices",
    "Invoice",
    "invoice",
    invoices_json,
    filters={
        "client_status": _invoice_status,
        "status_id": _status_ids,
        "filter": text_in("number", "date", "amount", "balance", *CUSTOM, lines=True),
        "overdue": _overdue,
        "upcoming": _upcoming,
        "payable": _payable,
        "private_notes": contains("private_notes"),
        "date": from_day("date"),
        "due_date": from_day("due_date", breaks=True),
    },
    includes={"client": add_clients, "payments": _add_payments, "activities": add_activities},
    relations=frozenset(RELATED_TO_INVOICES),
)

# ---- credits --------------------------------------------------------------------------------------------------------

RELATED_TO_CREDITS = (
    "assigned_user", "company", "company_ledger", "documents", "history", "invitations", "invoice", "payments",
    "project", "user", "vendor", "location",
)  # fmt: skip


def _applicable(query: Query, value: str | None, world: World) -> None:
    """Credits that can be spent: sent, with something left, and not past their day."""
    if value:
        left = "status_id IN (2, 3) AND CAST(balance AS REAL) > 0"
        query.add(f"({left} AND (due_date IS NULL OR due_date > ?))", day_at(world))


CREDIT = Kind(
    "credits",
    "Credit",
    "credit",
    credits_json,
    filters={
        "client_status": one_of(
            {
                "draft": "status_id = 1",
                "sent": "status_id = 2",
                "partial": "status_id = 3",
                "applied": "status_id = 4",
            }
        ),
        "applicable": _applicable,
        "filter": text_in("number", "date", "amount", "balance", *CUSTOM, lines=True),
    },
    includes={"client": add_clients, "activities": add_activities},
    relations=frozenset(RELATED_TO_CREDITS),
)

# ---- payments -------------------------------------------------------------------------------------------------------

PAYMENT_WORDS = {
    "pending": 1,
    "cancelled": 2,
    "failed": 3,
    "completed": 4,
    "partially_refunded": 5,
    "refunded": 6,
}


def _payment_status(query: Query, value: str | None, _: World) -> None:
    """One of the states, and with `partially_unapplied` also money on no invoice, never refunded."""
    words = (value or "").split(",")
    if "all" in words:
        return
    if states := [state for word, state in PAYMENT_WORDS.items() if word in words]:
        query.add(f"status_id IN ({marks(states)})", *states)
    if "partially_unapplied" in words:
        query.add("CAST(amount AS REAL) > CAST(applied AS REAL) AND CAST(refunded AS REAL) = 0")


def _unmatched(query: Query, value: str | None, _: World) -> None:
    """`match_transactions`: not deleted, and not yet matched with a bank transaction."""
    if value in {"true", None}:
        query.add("is_deleted = 0 AND transaction_id IS NULL")


def _add_invoices(call: Call, rows: Sequence[Row], records: Sequence[Json]) -> None:
    _add_related(call, rows, records, INVOICE, "payment_id", "paper_id", "invoice")


def _add_credits(call: Call, rows: Sequence[Row], records: Sequence[Json]) -> None:
    _add_related(call, rows, records, CREDIT, "payment_id", "paper_id", "credit")


RELATED_TO_PAYMENTS = (
    "assigned_user", "company", "company_gateway", "company_ledger", "contact", "currency", "documents",
    "exchange_currency", "paymentables", "project", "transaction", "type", "user", "vendor",
)  # fmt: skip

PAYMENT = Kind(
    "payments",
    "Payment",
    "payment",
    payments_json,
    filters={
        "client_status": _payment_status,
        "filter": text_in("number", "date", "amount", "transaction_reference", *CUSTOM),
        "match_transactions": _unmatched,
        "date_range": between_days("date", named=True),
    },
    includes={"client": add_clients, "invoices": _add_invoices, "credits": _add_credits},
    relations=frozenset(RELATED_TO_PAYMENTS),
)

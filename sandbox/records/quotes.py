"""Quotes: drafts, sent, approved, made invoices (QuoteController, QuoteFilters, ConvertQuote). They move no figure."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from sandbox.clients.query import Query
from sandbox.papers import lines
from sandbox.papers.bulk import plain_actions
from sandbox.papers.catalogue import INVOICE
from sandbox.papers.credits import FILLABLE
from sandbox.papers.invitations import mark_as_sent
from sandbox.papers.invoices import FILLABLE as OF_INVOICES
from sandbox.papers.kinds import Json, Kind, text_in
from sandbox.papers.lists import add_clients, item_answer, reread
from sandbox.papers.saved import create
from sandbox.papers.shown import day_at, hashed, paper_json, with_invitations
from sandbox.papers.states import write
from sandbox.papers.statuses import DRAFT, SENT
from sandbox.records.lined import Lined
from sandbox.store.database import Row
from sandbox.store.world import World
from sandbox.wire.answers import bad_request, compact_answer
from sandbox.wire.calls import Call

APPROVED, CONVERTED, EXPIRED = 3, 4, -1
"""`EXPIRED` is only shown: a sent quote past its due date (recorded)."""
STATES = {
    "draft": "status_id = 1",
    "sent": "(status_id = 2 AND (due_date IS NULL OR due_date >= ?))",
    "approved": "status_id = 3",
    "expired": "(status_id = 2 AND due_date <= ?)",
    "upcoming": "(status_id = 2 AND due_date >= ?)",
    "converted": "invoice_id IS NOT NULL",
}
NOT_TAKEN = frozenset(("number", "date", "due_date", "partial_due_date", "design_id", "invoice_id", "exchange_rate"))
"""Fields of a quote that its invoice does not take over."""


def _shown(call: Call, rows: Sequence[Row]) -> list[Json]:
    today = day_at(call.world)
    records = [
        paper_json(row, "quote") | {"invoice_id": hashed(row["invoice_id"]), "status_id": str(_state(row, today))}
        for row in rows
    ]
    return with_invitations(call, rows, records, "quote")


def _state(row: Row, today: str) -> int:
    """A sent quote expires on its day already; a deleted one does not."""
    late = row["status_id"] == SENT and row["due_date"] and row["due_date"] <= today and not row["is_deleted"]
    return EXPIRED if late else row["status_id"] or DRAFT


def _by_state(query: Query, value: str | None, world: World) -> None:
    words = (value or "").split(",")
    wanted = " OR ".join(condition for word, condition in STATES.items() if word in words)
    if wanted and "all" not in words:
        query.add(f"({wanted})", *[day_at(world)] * wanted.count("?"))


QUOTE = Kind(
    "quotes",
    "Quote",
    "quote",
    _shown,
    filters={
        "client_status": _by_state,
        "filter": text_in("number", "custom_value1", "custom_value2", "custom_value3", "custom_value4"),
    },
    includes={"client": add_clients},
    relations=frozenset(("company", "user", "assigned_user", "documents", "invitations", "activities", "invoice")),
)


def mark_sent(call: Call, row: Row) -> None:
    """Send a draft."""
    if row["status_id"] == DRAFT and not row["is_deleted"]:
        mark_as_sent(call.world, QUOTE, row)
        write(call.world, "quotes", row["id"], {"status_id": SENT})


def approve(call: Call, row: Row) -> None:
    """Approve a quote that is still open; a draft counts as sent."""
    if _is_open(call, row) and not row["is_deleted"]:
        mark_as_sent(call.world, QUOTE, row)
        write(call.world, "quotes", row["id"], {"status_id": APPROVED})


def _is_open(call: Call, row: Row) -> bool:
    return _state(row, day_at(call.world)) in (DRAFT, SENT)


def convert(call: Call, row: Row) -> None:
    """Make a draft invoice of a quote, once, unless it expired."""
    if row["invoice_id"] is None and not row["is_deleted"] and _state(row, day_at(call.world)) != EXPIRED:
        _converted(call, row)


def _converted(call: Call, row: Row) -> Row:
    """The invoice of a quote; the quote names it from then on."""
    taken = {name: row[name] for name in OF_INVOICES - NOT_TAKEN if row.get(name) is not None}
    data = taken | {"client_id": row["client_id"], "line_items": lines.loaded(row), "date": day_at(call.world)}
    invoice = create(call, INVOICE, data, OF_INVOICES)
    write(call.world, "quotes", row["id"], {"status_id": CONVERTED, "invoice_id": invoice["id"]})
    return invoice


# ---- one action by its path -----------------------------------------------------------------------------------------


def _approve_one(call: Call, row: Row) -> Response:
    if not _is_open(call, row):
        raise bad_request("Unable to approve this quote as it has expired.")
    approve(call, row)
    return item_answer(call, QUOTE, reread(call, QUOTE, row["id"]))


def _convert_one(call: Call, row: Row) -> Response:
    """Answers the invoice; an expired quote is converted too."""
    if row["invoice_id"] is not None:
        raise bad_request("This quote has already been converted. Cannot convert again.")
    return item_answer(call, INVOICE, _converted(call, row))


def _mail_one(call: Call, row: Row) -> Response:
    mark_sent(call, row)
    return compact_answer({"message": "Successfully sent message"})


QUOTES = Lined(
    QUOTE,
    FILLABLE - {"invoice_id"},
    {
        **plain_actions(QUOTE),
        "mark_sent": mark_sent,
        "email": mark_sent,
        "send_email": mark_sent,
        "approve": approve,
        "convert": convert,
        "convert_to_invoice": convert,
    },
    completed=lambda _, __, ___: {"balance": "0"},
    answers={
        "approve": _approve_one,
        "convert": _convert_one,
        "convert_to_invoice": _convert_one,
        "email": _mail_one,
        "send_email": _mail_one,
    },
)
"""A quote has no balance, in any state (recorded)."""

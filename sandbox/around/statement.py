"""POST /client_statement: a client's account over a period, as a PDF (CreateStatementRequest).

Refusals and headers are recorded. The real PDF is drawn from a design. This one has the same facts in plain lines, from
the ledger: the sandbox knows no more about invoices and payments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from sandbox.around.pdf import Line, pdf_of
from sandbox.books.client_settings import currency_of
from sandbox.books.company import company_row
from sandbox.books.lookups import currency_code
from sandbox.clients.records import contacts_of
from sandbox.clients.shown import display_name
from sandbox.php import hashids
from sandbox.php.text import truth
from sandbox.store.database import Row, select
from sandbox.store.world import MICROS
from sandbox.wire.access import may_view
from sandbox.wire.answers import compact_answer, forbidden, invalid
from sandbox.wire.calls import Call

QUEUED = "Email queued"
AGES = ((30, "0 - 30"), (60, "31 - 60"), (90, "61 - 90"), (120, "91 - 120"), (None, "120+"))
"""Days since the charge, up to and including, as the columns of the aging table."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the ledger: its day in UTC, its text, and the change of the balance."""

    day: str
    notes: str
    amount: Decimal


def show(call: Call) -> Response:
    """The PDF; with `send_email=true` a message instead, and no mail goes out.

    The right to see the client is checked first: no client, an unknown one and another company's all give 401. A number
    in JSON is a row number here, because only texts are decoded as hashed ids.
    """
    row = _client(call)
    if row is None or not may_view(call.token, row):
        raise forbidden()
    _check(call)
    if call.input.get("send_email") in ("true", True):
        return compact_answer({"message": QUEUED})
    named = {"Content-Disposition": "attachment; filename=Statement.pdf"}
    return Response(pdf_of("Statement", list(_lines(call, row))), headers=named, media_type="application/pdf")


def _client(call: Call) -> Row | None:
    sent = call.input.get("client_id")
    number = sent if isinstance(sent, int) else hashids.decode(sent)
    clients = select(call.world.db, "clients", "id = ?", (number,))
    return clients[0] if clients else None


def _check(call: Call) -> None:
    errors = {name: [message] for name in ("start_date", "end_date") if (message := _date_fault(call, name))}
    if "status" in call.input and not isinstance(call.input["status"], str):
        errors["status"] = ["The status must be a string."]
    if not isinstance(call.input.get("template"), str | None):
        errors["template"] = ["The template must be a string."]
    if errors:
        raise invalid(errors)


def _date_fault(call: Call, name: str) -> str | None:
    value, label = call.input.get(name), name.replace("_", " ")
    if value in (None, [], {}):
        return f"The {label} field is required."
    return None if isinstance(value, str) and _is_day(value) else f"The {label} does not match the format Y-m-d."


def _is_day(text: str) -> bool:
    match = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", text)
    if not match:
        return False
    try:
        date(int(match[1]) or 2000, int(match[2]), int(match[3]))  # PHP has a year 0, a leap year like 2000
    except ValueError:
        return False
    return True


# ---- its contents ---------------------------------------------------------------------------------------------------


def _lines(call: Call, row: Row) -> Iterator[Line]:
    start, end = str(call.input["start_date"]), str(call.input["end_date"])
    entries = [
        _entry(entry_row)
        for entry_row in select(call.world.db, "ledger", "client_id = ? ORDER BY created_at, id", (row["id"],))
    ]
    inside = [entry for entry in entries if start <= entry.day <= end]
    opening = Decimal(row["balance"]) - sum(entry.amount for entry in entries if entry.day >= start)
    closing = opening + sum(entry.amount for entry in inside)
    yield Line(str(company_row(call)["name"]), 11, "Title")
    yield Line("Statement", 18, "Title")
    yield Line(display_name(row, contacts_of(call.world.db, row["id"])), 12, "Title")
    yield Line(f"Number {row['number'] or ''}, all amounts in {currency_code(currency_of(call.world.db, row))}")
    yield Line(f"From {start} to {end}")
    yield from _table("Account", inside, opening=opening, closing=closing)
    if truth(call.input.get("show_payments_table")):
        yield from _table("Payments", [entry for entry in inside if entry.amount < 0])
    if truth(call.input.get("show_credits_table")):
        yield from _table("Credits", [], closing=Decimal(row["credit_balance"]))
    if truth(call.input.get("show_aging_table")):
        yield from _aging([entry for entry in entries if entry.day <= end], closing, end)


def _entry(row: Row) -> Entry:
    day = datetime.fromtimestamp(row["created_at"] // MICROS, UTC).date().isoformat()
    return Entry(day, row["notes"] or "", Decimal(row["adjustment"]))


def _table(
    title: str, entries: Sequence[Entry], *, opening: Decimal | None = None, closing: Decimal | None = None
) -> Iterator[Line]:
    yield Line("")
    yield Line(title, 11, "Title")
    if opening is not None:
        yield Line(_columns("", "Opening balance", "", opening))
    running = opening or Decimal(0)
    for entry in entries:
        running += entry.amount
        yield Line(_columns(entry.day, entry.notes, entry.amount, running if opening is not None else ""))
    if closing is not None:
        yield Line(_columns("", "Closing balance", "", closing))


def _columns(day: str, notes: str, amount: Any, balance: Any) -> str:
    figures = (f"{x:,.2f}" if isinstance(x, Decimal) else x for x in (amount, balance))
    return f"{day:<11}{notes[:40]:<42}" + "".join(f"{figure:>18}" for figure in figures)


def _aging(entries: Sequence[Entry], closing: Decimal, end: str) -> Iterator[Line]:
    """The amount still owed, by age: payments count against the oldest charges first."""
    owed = dict.fromkeys((label for _, label in AGES), Decimal(0))
    left = max(closing, Decimal(0))
    for entry in reversed(entries):
        part = min(max(entry.amount, Decimal(0)), left)
        owed[_age(entry.day, end)] += part
        left -= part
    owed[AGES[-1][1]] += left
    yield Line("")
    yield Line("Aging", 11, "Title")
    yield Line("".join(f"{label:>16}" for label in owed))
    yield Line("".join(f"{amount:>16,.2f}" for amount in owed.values()))


def _age(day: str, end: str) -> str:
    days = (date.fromisoformat(end) - date.fromisoformat(day)).days
    return next(label for limit, label in AGES if limit is None or days <= limit)

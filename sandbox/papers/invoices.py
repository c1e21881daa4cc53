"""The endpoints of invoices: blank, create, change, delete, one action, several at once (InvoiceController)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from starlette.responses import Response

from sandbox.books.client_settings import setting
from sandbox.clients.listing import envelope
from sandbox.papers import invoice_deletion, states
from sandbox.papers.bulk import Action, carry_out, checked_ids, ours
from sandbox.papers.catalogue import INVOICE
from sandbox.papers.entered import amount_of, day_after, day_of, decimal_of, is_number, ready
from sandbox.papers.figures import compute_balance, tell_of_invoice
from sandbox.papers.invoice_life import cancel, mark_paid, mark_sent, now, pay_part, state_of
from sandbox.papers.lists import editable, item_answer, list_answer, reread, with_ids
from sandbox.papers.rules import check, is_date
from sandbox.papers.saved import blank, change, create
from sandbox.papers.shown import NO_DAY, today_of
from sandbox.papers.states import write
from sandbox.papers.statuses import CANCELLED, DRAFT, PAID
from sandbox.php.input import Input
from sandbox.php.text import to_int
from sandbox.store.database import Row, select
from sandbox.wire.answers import Refused, bad_request, compact_answer, forbidden, invalid, server_error
from sandbox.wire.calls import Call

FILLABLE = frozenset(
    (
        "number", "discount", "po_number", "date", "due_date", "terms", "public_notes", "private_notes", "tax_name1",
        "tax_rate1", "tax_name2", "tax_rate2", "tax_name3", "tax_rate3", "is_amount_discount", "partial",
        "partial_due_date", "project_id", "custom_value1", "custom_value2", "custom_value3", "custom_value4",
        "line_items", "client_id", "footer", "custom_surcharge1", "custom_surcharge2", "custom_surcharge3",
        "custom_surcharge4", "design_id", "assigned_user_id", "exchange_rate", "subscription_id", "auto_bill_enabled",
        "uses_inclusive_taxes", "vendor_id", "location_id",
    )
)  # fmt: skip


NOT_AUTHORIZED = "You are not authorized"


def create_blank(call: Call) -> Response:
    """GET /invoices/create: an invoice that does not exist yet; its lines are a text (recorded)."""
    if not call.token.may("create_invoice"):
        raise forbidden()
    record = INVOICE.shown(call, [blank(call, INVOICE, today_of(call))])[0]
    return envelope(call, record | {"line_items": "[]"})


def store(call: Call) -> Response:
    """POST /invoices: a draft, unless the query sends or pays it at once."""
    if not call.token.may("create_invoice"):
        raise forbidden()
    data = _with_due_date(call, ready(call.input, today_of(call), new=True))
    check(call, INVOICE, data)
    row = _asked_for(call, create(call, INVOICE, data, FILLABLE))
    return item_answer(call, INVOICE, row)


def _with_due_date(call: Call, data: Input) -> Input:
    """A deposit with a day needs a due date: the one of the client's payment terms."""
    clients = select(call.world.db, "clients", "id = ?", (data.get("client_id"),)) if _is_row(data) else []
    if not data.get("partial_due_date") or data.get("due_date") or not clients or not is_date(data["date"]):
        return data
    start = day_of(data["date"])
    if start in (None, NO_DAY):
        return data
    return data | {"due_date": day_after(str(start), setting(call.world.db, clients[0], "payment_terms"))}


def _lacks_due_date(data: Input, row: Row) -> bool:
    """Whether a deposit's day comes without a due date: none is sent, or an empty one for an invoice without any."""
    if len(str(data.get("partial_due_date") or "")) < 2:  # noqa: PLR2004 - one letter is no day
        return False
    return "due_date" not in data or (not data["due_date"] and not row["due_date"])


def _is_row(data: Input) -> bool:
    return isinstance(data.get("client_id"), int)


def save(call: Call) -> Response:
    """PUT /invoices/{id}: only what is sent changes; the amounts follow from the lines."""
    row = editable(call, INVOICE)
    data = ready(call.input, today_of(call), new=False)
    if _lacks_due_date(data, row):
        if "client_id" not in data or data.get("date") is None:
            raise server_error()  # the server reads both, sent or not
        data = _with_due_date(call, data)
    check(call, INVOICE, data, row)
    if to_int(data.get("status_id")) == CANCELLED:
        raise invalid({"status_id": ["This invoice is locked and unable to be modified"]})
    if row["is_deleted"]:
        raise bad_request("Record is deleted and cannot be edited. Restore the record to enable editing")
    changed = change(call, INVOICE, row, data, FILLABLE - {"client_id"})
    if changed["status_id"] != DRAFT:
        _settle(call, changed)
    row = _asked_for(call, reread(call, INVOICE, row["id"]))
    return item_answer(call, INVOICE, row)


def _settle(call: Call, row: Row) -> None:
    """The state of a changed invoice by its balance, and the client's balance with it."""
    amount, balance = amount_of(row), amount_of(row, "balance")
    values: Row = {"status_id": state_of(balance, amount)}
    if int(balance) and amount_of(row, "partial") > amount > 0:
        values["partial"] = str(min(amount, balance))
    write(call.world, "invoices", row["id"], values)
    if difference := compute_balance(call.world, row):
        notes = f"Update Adjustment Invoice # {row['number']} => {difference}"
        tell_of_invoice(call.world, row, difference, notes)


def _asked_for(call: Call, row: Row) -> Row:
    """What the query asks for besides: `paid`, `mark_sent`, `amount_paid`, `cancel` (TriggeredActions)."""
    reference = call.text("reference")
    if _says_true(call, "paid"):
        row = mark_paid(call, row, reference)
    if _says_true(call, "mark_sent") or _says_true(call, "send_email"):
        row = mark_sent(call, row)
    if is_number(sum_paid := call.input.get("amount_paid")):
        row = pay_part(call, row, Decimal(decimal_of(sum_paid) or 0), reference)
    if _says_true(call, "cancel"):
        row = cancel(call, row)
    return row


def _says_true(call: Call, name: str) -> bool:
    return call.input.get(name) in ("true", True)


def destroy(call: Call) -> Response:
    """DELETE /invoices/{id}: soft; nothing happens the second time."""
    row = editable(call, INVOICE)
    invoice_deletion.delete(call, row)
    return item_answer(call, INVOICE, now(call.world, row))


ACTIONS: Mapping[str, Action] = {
    "archive": lambda call, row: states.archive(call.world, "invoices", row),
    "restore": invoice_deletion.restore,
    "delete": invoice_deletion.delete,
    "mark_sent": mark_sent,
    "mark_paid": mark_paid,
    "cancel": cancel,
    "email": mark_sent,
    "send_email": mark_sent,
}
"""Any other, `reverse` too, does nothing (recorded)."""
MAILS = ("email", "send_email")


def act(call: Call) -> Response:
    """GET /invoices/{id}/{action}: one action on one invoice."""
    row, action = editable(call, INVOICE), call.ids["action"]
    if action not in ACTIONS:
        raise bad_request(f"The requested action {action} is not available.")
    if action == "mark_paid" and (row["status_id"] == PAID or row["is_deleted"]):
        raise bad_request("Invoice cannot be marked as paid")
    ACTIONS[action](call, row)
    if action in MAILS:
        return compact_answer({"message": "email sent"})
    if action == "cancel":
        return Response(b"", media_type="text/html")  # the server makes an answer, and forgets to return it
    return item_answer(call, INVOICE, now(call.world, row))


def bulk(call: Call) -> Response:
    """POST /invoices/bulk; where none of the ids is the company's, only a message (recorded)."""
    ids = checked_ids(call)
    if call.input["action"] == "mark_paid" and not call.token.may("create_payment"):
        raise Refused(422, {"message": NOT_AUTHORIZED, "errors": {"ids": [NOT_AUTHORIZED]}})
    if not ours(call, INVOICE, ids):
        return compact_answer({"message": "No Invoices Found"})
    carry_out(call, INVOICE, ids, ACTIONS)
    return list_answer(call, INVOICE, with_ids(call, INVOICE, ids))

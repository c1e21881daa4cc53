"""The endpoints of credits: blank, create, change, delete, one action, several at once (CreditController)."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from sandbox.clients.listing import envelope
from sandbox.papers import credit_life, states
from sandbox.papers.bulk import Action, carry_out, checked_ids, ours
from sandbox.papers.catalogue import CREDIT
from sandbox.papers.credit_life import mark_sent, now
from sandbox.papers.entered import amount_of, ready
from sandbox.papers.figures import add_figures
from sandbox.papers.invoices import FILLABLE as OF_INVOICES
from sandbox.papers.lists import editable, item_answer, list_answer, with_ids
from sandbox.papers.rules import check
from sandbox.papers.saved import blank, change, create
from sandbox.papers.shown import today_of
from sandbox.papers.states import write
from sandbox.papers.statuses import DRAFT, REVERSED
from sandbox.php.input import Input
from sandbox.store.database import select
from sandbox.wire.answers import bad_request, forbidden, invalid, server_error
from sandbox.wire.calls import Call

FILLABLE = (OF_INVOICES - {"auto_bill_enabled"}) | {"invoice_id"}


def create_blank(call: Call) -> Response:
    """GET /credits/create: a credit that does not exist yet."""
    if not call.token.may("create_credit"):
        raise forbidden()
    record = CREDIT.shown(call, [blank(call, CREDIT, today_of(call))])[0]
    return envelope(call, record | {"line_items": "[]"})


def store(call: Call) -> Response:
    """POST /credits: a draft, for a deleted client too; one that names an invoice reverses it, and is sent at once."""
    if not call.token.may("create_credit"):
        raise forbidden()
    data = _ready(call, new=True)
    check(call, CREDIT, data, live_client=False)
    if data.get("invoice_id"):
        _check_reversal(call, data)
    row = create(call, CREDIT, data, FILLABLE)
    if call.input.get("mark_sent") in ("true", True) or call.input.get("send_email") in ("true", True):
        row = mark_sent(call, row)
    if row["invoice_id"]:
        row = mark_sent(call, row)
        write(call.world, "invoices", row["invoice_id"], {"status_id": REVERSED})
        add_figures(call.world, row, paid_to_date=-amount_of(row, "balance"))
    if call.input.get("mark_paid") in ("true", True):
        row = credit_life.mark_paid(call, row)
    return item_answer(call, CREDIT, row)


def _ready(call: Call, *, new: bool) -> Input:
    """The data as validation sees it: lines that are no array are none, and an empty date is not today's."""
    data = ready(call.input, today_of(call), new=new)
    sent = call.input.get("line_items")
    if not isinstance(sent, list | dict) and (new or sent is not None):
        data["line_items"] = []
    return data | ({"date": None} if "date" in call.input and call.input["date"] is None else {})


def _check_reversal(call: Call, data: Input) -> None:
    """Only what was paid can be given back (ValidInvoiceCreditRule)."""
    number = data["invoice_id"]
    invoices = select(call.world.db, "invoices", "id = ?", (number,)) if isinstance(number, int) else []
    if not invoices:
        raise server_error()
    invoice = invoices[0]
    amount, balance = amount_of(invoice), amount_of(invoice, "balance")
    if balance >= amount:
        raise invalid({"invoice_id": ["Cannot reverse an invoice with no payment applied."]})
    given = select(call.world.db, "credits", "invoice_id = ? AND deleted_at IS NULL", (invoice["id"],))
    wanted = sum(line["cost"] * line["quantity"] for line in data["line_items"])
    if wanted > amount - balance - sum(map(amount_of, given)):
        message = "Credit cannot exceed the payment / credits already applied to invoice."
        raise invalid({"invoice_id": [message]})


def save(call: Call) -> Response:
    """PUT /credits/{id}: a change of what is left of a sent credit changes the client's credit."""
    row = editable(call, CREDIT)
    data = _ready(call, new=False)
    check(call, CREDIT, data, row)
    if row["is_deleted"]:
        raise bad_request("Record is deleted and cannot be edited. Restore the record to enable editing")
    changed = change(call, CREDIT, row, data, FILLABLE - {"client_id"})
    difference = amount_of(changed, "balance") - amount_of(row, "balance")
    if difference and changed["status_id"] != DRAFT:
        add_figures(call.world, changed, credit_balance=difference)
    if call.input.get("mark_sent") in ("true", True):
        mark_sent(call, changed)
    if call.input.get("mark_paid") in ("true", True):
        credit_life.mark_paid(call, changed)
    return item_answer(call, CREDIT, now(call.world, row))


def destroy(call: Call) -> Response:
    """DELETE /credits/{id}: soft; nothing happens the second time."""
    row = editable(call, CREDIT)
    credit_life.delete(call, row)
    return item_answer(call, CREDIT, now(call.world, row))


ACTIONS: Mapping[str, Action] = {
    "archive": lambda call, row: states.archive(call.world, "credits", row),
    "restore": credit_life.restore,
    "delete": credit_life.delete,
    "mark_sent": mark_sent,
    "mark_paid": credit_life.mark_paid,
    "email": mark_sent,
    "send_email": mark_sent,
}
ALLOWED = (*ACTIONS, "bulk_download", "bulk_print", "clone_to_credit", "history", "download", "template")
"""The actions that /bulk takes; those without a meaning here do nothing."""


def act(call: Call) -> Response:
    """GET /credits/{id}/{action}: one action on one credit."""
    row, action = editable(call, CREDIT), call.ids["action"]
    if action not in ACTIONS:
        raise bad_request(f"The requested action {action} is not available.")
    ACTIONS[action](call, row)
    return item_answer(call, CREDIT, now(call.world, row))


def bulk(call: Call) -> Response:
    """POST /credits/bulk: one id that is not the company's refuses the whole call (BulkCreditRequest)."""
    ids = checked_ids(call)
    errors = {}
    if len(ours(call, CREDIT, ids)) != len(set(ids)):
        errors["ids"] = ["The selected ids is invalid."]
    if call.input["action"] not in ALLOWED:
        errors["action"] = ["The selected action is invalid."]
    if errors:
        raise invalid(errors)
    carry_out(call, CREDIT, ids, ACTIONS)
    return list_answer(call, CREDIT, with_ids(call, CREDIT, ids))

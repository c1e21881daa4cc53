"""The rules that refuse refunds (ValidRefundableRequest, ValidRefundableInvoices)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sandbox.papers.entered import amount_of
from sandbox.papers.payment_rules import Part, parts_in, value_of
from sandbox.papers.rules import Errors, number_fault
from sandbox.php.hashids import encode
from sandbox.php.input import Input
from sandbox.php.php_json import number
from sandbox.store.database import Row, marks, select
from sandbox.wire.answers import invalid, server_error
from sandbox.wire.calls import Call

WITHOUT_INVOICES = (
    "Attempting to refund a payment with invoices attached, please specify valid invoice/s to be refunded."
)


def check_refund(call: Call, data: Input) -> None:
    """Refuse a refund beyond what its invoices got, or of a payment on invoices without naming one."""
    found = select(call.world.db, "payments", "id = ?", (data.get("id"),)) if data.get("id") is not None else []
    parts = parts_in(data, "invoices")
    errors: Errors = _payment_errors(call, data, found, parts)
    if "amount" in data and (message := number_fault("amount", data["amount"])):
        errors["amount"] = [message]
    if data.get("date") is None:
        errors["date"] = ["The date field is required."]
    for place, part in enumerate(parts):
        if message := _refunded_fault(f"invoices.{place}.amount", part):
            errors[f"invoices.{place}.amount"] = [message]
    if errors:
        raise invalid(errors)
    if not parts and data.get("amount") is None:
        raise server_error()  # the server reads an amount that is not there


def _payment_errors(call: Call, data: Input, found: Sequence[Row], parts: Sequence[Part]) -> Errors:
    """The errors of `id`, and those of `invoices`, which the server checks on their own."""
    errors: Errors = {}
    if data.get("id") is None:
        errors["id"] = ["The id field is required."]
    elif not found:
        errors["id"] = ["Unable to retrieve specified payment"]
    elif message := _refund_fault(call, found[0], parts):
        errors["id"] = [message]
    if isinstance(data.get("invoices"), list | dict) and (message := _refundable_fault(call, found, parts)):
        errors["invoices"] = [message] if "id" in data else ["Payment `id` required."]
    return errors


def _refunded_fault(field: str, part: Part) -> str | None:
    if part.get("amount") is None:
        return f"The {field} field is required."
    return None if value_of(part) > 0 else f"The {field} must be greater than 0."


def _placed(call: Call, payment: Row, live: bool) -> dict[int, Row]:
    """The payment's parts on invoices, by invoice."""
    condition = " AND deleted_at IS NULL" if live else ""
    where = f"payment_id = ? AND kind = 'invoice'{condition} ORDER BY id DESC"
    return {part["paper_id"]: part for part in select(call.world.db, "paymentables", where, (payment["id"],))}


def _left(part: Row) -> Decimal:
    return amount_of(part) - amount_of(part, "refunded")


def _refund_fault(call: Call, payment: Row, parts: Sequence[Part]) -> str | None:
    """ValidRefundableRequest: the last thing that it finds wrong."""
    placed, message = _placed(call, payment, live=False), None
    named = {part.get("invoice_id"): part for part in parts}
    if placed and not named.keys() & placed.keys():
        message = WITHOUT_INVOICES
    for number_of, part in named.items():
        known = select(call.world.db, "invoices", "id = ? AND company_id = ?", (number_of, payment["company_id"]))
        if not known:
            return "Invoice not found for refund"
        shown = encode(known[0]["id"])
        if number_of not in placed:
            return f"Invoice id {shown} is not related to this payment"
        if value_of(part) > (left := _left(placed[number_of])):
            most = f"maximum refundable amount is {_shown(left)}"
            message = f"Attempting to refund more than allowed for invoice id {shown}, {most}"
    return message


def _refundable_fault(call: Call, found: Sequence[Row], parts: Sequence[Part]) -> str | None:
    """ValidRefundableInvoices: only a live payment, and only the company's own invoices that are not in the trash."""
    if not found or found[0]["deleted_at"] is not None:
        return "Unable to retrieve specified payment"
    placed, ids = _placed(call, found[0], live=True), [part.get("invoice_id") for part in parts]
    where = f"id IN ({marks(ids)}) AND company_id = ? AND deleted_at IS NULL ORDER BY id"
    for row in select(call.world.db, "invoices", where, (*ids, call.token.company_id)):
        if row["is_deleted"] or amount_of(row) == amount_of(row, "balance"):
            return "Invoice id :number cannot be refunded"
        for part in parts:
            if part.get("invoice_id") != row["id"] or row["id"] not in placed:
                continue
            if value_of(part) > (left := _left(placed[row["id"]])):
                return f"Attempting to refund {_shown(value_of(part))} only {_shown(left)} available for refund"
    return None


def _shown(amount: Decimal) -> str:
    return number(amount)

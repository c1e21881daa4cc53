"""The rules that refuse payments and their parts on invoices and credits (ValidationRules/Payment, .../Credit)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sandbox.papers.catalogue import CREDIT, PAYMENT
from sandbox.papers.entered import amount_of, decimal_of, is_number
from sandbox.papers.rules import Errors, client_errors, number_errors, number_fault
from sandbox.papers.statuses import DRAFT, OPEN
from sandbox.php.input import Input
from sandbox.store.database import Row, marks, select
from sandbox.wire.answers import invalid, server_error
from sandbox.wire.calls import Call

Part = Mapping[str, Any]
OVERPAID = "The amount is greater than the invoice balance. You cannot overpay an invoice."
OTHER_CLIENT = "Selected invoices are not from a single client"


def value_of(part: Part, name: str = "amount") -> Decimal:
    """An amount as it was sent; 0 for anything that is not a number."""
    return Decimal(decimal_of(part.get(name)) or 0) if is_number(part.get(name)) else Decimal(0)


def parts_in(data: Input, name: str) -> list[Part]:
    """The parts of a payment that a request names, by `invoices` or `credits`."""
    sent = data.get(name)
    items = sent.values() if isinstance(sent, dict) else sent if isinstance(sent, list) else ()
    return [item for item in items if isinstance(item, Mapping)]


def total_of(parts: Iterable[Part]) -> Decimal:
    """What the parts add up to."""
    return sum(map(value_of, parts), Decimal(0))


def rows_of(call: Call, table: str, parts: Sequence[Part], key: str) -> dict[Any, Row]:
    """The papers that the parts name, of any company and state."""
    ids = [part.get(key) for part in parts]
    return {row["id"]: row for row in select(call.world.db, table, f"id IN ({marks(ids)})", ids)}


# ---- a new payment --------------------------------------------------------------------------------------------------


def check_new(call: Call, data: Input) -> None:
    """Refuse a new payment, with 422 and all its errors."""
    errors = client_errors(call, data.get("client_id"), live=True) | number_errors(call, PAYMENT, data, None)
    if message := number_fault("amount", data.get("amount")):
        errors["amount"] = [message]
    elif not _balances(call, data):
        errors["amount"] = ["Amounts do not balance correctly."]
    errors |= _invoice_errors(call, data)
    if not errors.get("client_id"):
        errors |= _credit_errors(call, data)
    if errors:
        raise invalid(errors)


def _balances(call: Call, data: Input) -> bool:
    """Money and credits cover the invoices; as the amount was sent, which does not count if it is 0 or absent."""
    sent = value_of(call.input)
    if not sent or not parts_in(data, "invoices"):
        return True
    covered = round(sent + total_of(parts_in(data, "credits")), 2)
    return covered >= round(total_of(parts_in(data, "invoices")), 2)


def _invoice_errors(call: Call, data: Input) -> Errors:
    parts = parts_in(data, "invoices")
    known = rows_of(call, "invoices", parts, "invoice_id")
    errors = _part_errors(parts, "invoices", "invoice_id")
    if any(row["company_id"] == call.token.company_id and not _is_payable(row) for row in known.values()):
        errors["invoices"] = ["One or more of these invoices have been paid"]
    message = _invoice_fault(data, parts, known)
    for place in range(len(parts)):
        if message and f"invoices.{place}.invoice_id" not in errors:
            errors[f"invoices.{place}.invoice_id"] = [message]
    return errors


def _is_payable(row: Row) -> bool:
    return not row["is_deleted"] and row["status_id"] in (DRAFT, *OPEN) and amount_of(row, "balance") >= 0


def _part_errors(parts: Sequence[Part], field: str, key: str) -> Errors:
    """Each part needs its paper, once, and an amount."""
    errors: Errors = {}
    named = [part.get(key) for part in parts]
    for place, part in enumerate(parts):
        where = f"{field}.{place}"
        if part.get("amount") is None:
            errors[f"{where}.amount"] = [f"The {where}.amount field is required."]
        if part.get(key) is None:
            errors[f"{where}.{key}"] = [f"The {where}.{key} field is required."]
        elif named.count(part[key]) > 1:
            errors[f"{where}.{key}"] = [f"The {where}.{key} field has a duplicate value."]
    return errors


def _invoice_fault(data: Input, parts: Sequence[Part], known: Mapping[Any, Row]) -> str | None:
    """The first fault of the invoices; the server says it of each of them."""
    if parts and "client_id" not in data:
        return "Client id is required"
    faults = (_fault_of(data, part, known.get(part.get("invoice_id"))) for part in parts)
    return next((fault for fault in faults if fault), None)


def _fault_of(data: Input, part: Part, row: Row | None) -> str | None:
    """The first fault of one of the invoices, in the server's order."""
    faults: tuple[tuple[str, bool], ...] = (
        ("Amount required", part.get("amount") is None),
        ("The requested invoice is not available", row is None),
    )
    if row is not None:
        draft, amount = row["status_id"] == DRAFT, value_of(part)
        faults += (
            (OTHER_CLIENT, row["client_id"] != data.get("client_id")),
            ("Amount cannot be greater than invoice balance", draft and amount > amount_of(row)),
            (OVERPAID, not draft and amount > amount_of(row, "balance")),
            ("One or more invoices in this request have since been deleted", not draft and bool(row["is_deleted"])),
        )
    return next((message for message, is_so in faults if is_so), None)


def _credit_errors(call: Call, data: Input) -> Errors:
    """Credits need invoices: without the field, the server breaks (recorded)."""
    parts = parts_in(data, "credits")
    if not parts:
        return {}
    if data.get("invoices") is None:
        raise server_error()
    errors = _part_errors(parts, "credits", "credit_id")
    message = _credit_fault(call, data, parts)
    for place in range(len(parts)):
        if message and f"credits.{place}.credit_id" not in errors:
            errors[f"credits.{place}.credit_id"] = [message]
    if total_of(parts) > total_of(parts_in(data, "invoices")):
        for place in range(len(parts)):
            errors.setdefault(
                f"credits.{place}.amount", ["Total credits applied cannot be MORE than total of invoices"]
            )
    return errors


def _credit_fault(call: Call, data: Input, parts: Sequence[Part]) -> str | None:
    if total_of(parts) <= 0:
        return "Total of credits must be more than zero."
    known = rows_of(call, CREDIT.table, parts, "credit_id")
    for part in parts:
        row = known.get(part.get("credit_id"))
        if row is None:
            return "Credit not found"
        if row["client_id"] != data.get("client_id"):
            return OTHER_CLIENT
        worth = amount_of(row) if row["status_id"] == DRAFT else amount_of(row, "balance")  # a draft will be sent
        if worth < value_of(part):
            return "Insufficient balance on credit."
    return None if parts_in(data, "invoices") else "You must have an invoice set when using a credit in a payment"


# ---- a changed payment ----------------------------------------------------------------------------------------------


def check_changed(call: Call, data: Input, own: Row) -> None:
    """Refuse a change: another client, a number that is taken, invoices beyond what is left of the payment."""
    errors: Errors = number_errors(call, PAYMENT, data, own)
    if "client_id" in data and data["client_id"] != own["client_id"]:
        errors["client_id"] = ["The selected client id is invalid."]
    if data.get("invoices") is not None and not isinstance(data["invoices"], list | dict):
        errors["invoices"] = ["The invoices must be an array."]
    parts = parts_in(data, "invoices")
    errors |= _placed_errors(call, parts, own, "invoices", "invoice_id")
    errors |= _placed_errors(call, parts_in(data, "credits"), own, "credits", "credit_id")
    known = rows_of(call, "invoices", parts, "invoice_id")
    if any(part.get("invoice_id") not in known for part in parts):
        raise server_error()
    if message := _applied_fault(data, parts, own, known):
        errors["invoices"] = [message]
    if errors:
        raise invalid(errors)


def _placed_errors(call: Call, parts: Sequence[Part], own: Row, field: str, key: str) -> Errors:
    errors: Errors = {}
    known = rows_of(call, field, parts, key)
    named = [part.get(key) for part in parts]
    for place, part in enumerate(parts):
        where, row = f"{field}.{place}", known.get(part.get(key))
        if named.count(part.get(key)) > 1:
            errors[f"{where}.{key}"] = ["Attemping duplicate payment on the same Invoice"]
        elif row is not None and row["client_id"] != own["client_id"]:
            errors[f"{where}.{key}"] = [f"The selected {where}.{key} is invalid."]
        if field == "credits" and part.get("amount") is None:
            errors[f"{where}.amount"] = [f"The {where}.amount field is required."]
        if field == "invoices" and "amount" in part and not is_number(part["amount"]):
            errors[f"{where}.amount"] = [f"The {where}.amount must be a number."]
        elif field == "invoices" and value_of(part) < 0:
            errors[f"{where}.amount"] = [f"The {where}.amount must be at least 0."]
    return errors


def _applied_fault(data: Input, parts: Sequence[Part], own: Row, known: Mapping[Any, Row]) -> str | None:
    """Whether what is left of the payment, and the credits, cover the invoices (PaymentAppliedValidAmount)."""
    if "invoices" not in data or data["invoices"] is None:
        return None
    for part in parts:
        row = known[part["invoice_id"]]
        open_now = amount_of(row) if row["status_id"] == DRAFT else amount_of(row, "balance")
        if value_of(part) > open_now:
            return "Amount cannot be greater than invoice balance"
    left = amount_of(own) - amount_of(own, "applied") + total_of(parts_in(data, "credits"))
    if round(left, 3) < round(total_of(parts), 3):
        return "Insufficient applied amount remaining to cover payment."
    return None

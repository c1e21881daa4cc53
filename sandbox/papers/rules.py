"""The rules that refuse invoices and credits, for POST and PUT (Store- and UpdateInvoiceRequest, ...CreditRequest)."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from sandbox.papers.entered import day_of, is_number
from sandbox.papers.invitations import errors_of
from sandbox.papers.kinds import Kind
from sandbox.papers.numbers import is_taken
from sandbox.php.input import Input
from sandbox.php.php_time import parse
from sandbox.php.text import leading_number
from sandbox.store.database import Row, select
from sandbox.wire.answers import invalid
from sandbox.wire.calls import Call

LARGEST = 99_999_999_999_999
NUMBERS = ("discount", "tax_rate1", "tax_rate2", "tax_rate3", "exchange_rate", "amount")
SURCHARGES = ("custom_surcharge1", "custom_surcharge2", "custom_surcharge3", "custom_surcharge4")
"""Checked for invoices only, unless they are null."""
_YEAR_FIRST = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
NOON = datetime(2000, 1, 1, 12)  # noqa: DTZ001 - figures on a wall have no zone
"""Seen from when a relative text is read; only whether it can be read matters."""
Errors = dict[str, list[str]]


def check(
    call: Call, kind: Kind, data: Input, own: Row | None = None, *, live_client: bool = True, more: Errors | None = None
) -> None:
    """Refuse data of a new paper, or of this one, with 422 and all its errors, and `more` that its kind found."""
    errors = _client(call, data, own, live=live_client) | number_errors(call, kind, data, own) | (more or {})
    if "line_items" in data and not isinstance(data["line_items"], list):
        errors["line_items"] = ["The line items must be an array."]
    surcharges = [name for name in SURCHARGES if kind.entity == "invoice" and data.get(name) is not None]
    for name in (*NUMBERS, *surcharges):
        if name == "amount" and (own is None or isinstance(data.get("line_items"), list)):
            continue  # the lines give it, whatever was sent
        if name in data and (message := number_fault(name, data[name])):
            errors[name] = [message]
    for name in ("tax_name1", "tax_name2", "tax_name3"):
        if data.get(name) is not None and not isinstance(data[name], str):
            errors[name] = [f"The {label(name)} must be a string."]
    if "is_amount_discount" in data and data["is_amount_discount"] not in (True, False, "0", "1"):
        errors["is_amount_discount"] = ["The is amount discount field must be true or false."]
    errors |= errors_of(data) | _dates(data, kind, new=own is None)
    if errors:
        raise invalid(errors)


def label(name: str) -> str:
    """A field as Laravel names it in a message."""
    return name.replace("_", " ")


def number_fault(name: str, value: Any) -> str | None:
    """The fault of a value that must be a number, None for a good one."""
    if not is_number(value):
        return f"The {label(name)} must be a number."
    return f"The {label(name)} must not be greater than {LARGEST}." if leading_number(value) > LARGEST else None


def _client(call: Call, data: Input, own: Row | None, *, live: bool) -> Errors:
    sent = data.get("client_id")
    if own is not None:
        wrong = "client_id" in data and sent != own["client_id"]
        return {"client_id": ["The selected client id is invalid."]} if wrong else {}
    return client_errors(call, sent, live=live)


def client_errors(call: Call, sent: Any, *, live: bool) -> Errors:
    """A new paper needs a client of the company; `live`: one that is not deleted."""
    if sent in (None, [], {}):
        return {"client_id": ["The client id field is required."]}
    known = select(call.world.db, "clients", "id = ? AND company_id = ?", (_row(sent), call.token.company_id))
    if not known or (live and known[0]["is_deleted"]):
        return {"client_id": ["The selected client id is invalid."]}
    return {}


def _row(sent: Any) -> int | None:
    return sent if isinstance(sent, int) and not isinstance(sent, bool) else None


def number_errors(call: Call, kind: Kind, data: Input, own: Row | None) -> Errors:
    """Refuse a number that another paper of the company has, in any state."""
    number = data.get("number")
    if number is None or not is_taken(
        call.world, call.token.company_id, kind.table, str(number), but=own["id"] if own else 0
    ):
        return {}
    return {"number": ["The number has already been taken."]}


def _dates(data: Input, kind: Kind, *, new: bool) -> Errors:
    """Of credits only the date is checked; of recurring invoices not even that."""
    errors: Errors = {}
    if "date" in data and kind.entity != "recurring_invoice" and not is_date(data["date"]):
        errors["date"] = ["The date is not a valid date."]
    if kind.entity in {"invoice", "quote"}:
        errors |= _due(data, new=new) | _partial(data, new=new)
    return errors


def _due(data: Input, *, new: bool) -> Errors:
    """The due date is after the deposit's, which no text that means no day is; a changed one not before the date."""
    due, deposit, start = (data.get(name) for name in ("due_date", "partial_due_date", "date"))
    if due is None:
        needed = "due_date" in data and len(str(deposit or "")) > 1
        return {"due_date": ["The due date field is required."]} if needed else {}
    if not is_date(due) or (is_date(deposit) and (day_of(due) or "") <= (day_of(deposit) or "")):
        return {"due_date": ["The due date must be a date after partial due date."]}
    if not new and is_date(start) and (day_of(due) or "") < (day_of(start) or ""):
        return {"due_date": ["The due date must be a date after or equal to date."]}
    return {}


def _partial(data: Input, *, new: bool) -> Errors:
    """A deposit, and its day: from the invoice's date on, and before the due date."""
    errors: Errors = {}
    amount = data.get("partial")
    if amount is not None:
        if not is_number(amount):
            errors["partial"] = ["The partial must be a number."]
        elif new and leading_number(amount) < 0:
            errors["partial"] = ["The partial must be greater than or equal to 0."]
    if (its_day := data.get("partial_due_date")) is not None and (message := _partial_day_fault(data, its_day)):
        errors["partial_due_date"] = [message]
    return errors


def _partial_day_fault(data: Input, its_day: Any) -> str | None:
    if not is_date(its_day):
        return "The partial due date is not a valid date."
    its_day, due, start = day_of(its_day) or "", day_of(data.get("due_date")), day_of(data.get("date"))
    if due is None or its_day >= due:
        return "The partial due date must be a date before due date."
    if start is not None and its_day < start:
        return "The partial due date must be a date after or equal to date."
    return None


def is_date(value: Any) -> bool:
    """Laravel's `date`: a text with a real day in it."""
    if not isinstance(value, str) or not any(c.isdigit() for c in value):
        return False
    if _YEAR_FIRST.fullmatch(value):
        try:
            date(*map(int, value.split("-")))
        except ValueError:
            return False
        return True
    return parse(value, NOON) is not None

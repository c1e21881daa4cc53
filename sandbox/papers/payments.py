"""The endpoints of payments: blank, create, change, delete, refund, several at once (PaymentController)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from sandbox.books.ledger import money
from sandbox.clients.input import integer
from sandbox.clients.listing import envelope
from sandbox.papers import payment_life
from sandbox.papers.bulk import Action, carry_out, checked_ids
from sandbox.papers.catalogue import PAYMENT
from sandbox.papers.entered import amount_of, columns_of, is_number, row_number
from sandbox.papers.figures import add_figures, compute_payment_balance
from sandbox.papers.lists import editable, item_answer, list_answer, with_ids
from sandbox.papers.money import new_payment
from sandbox.papers.numbers import next_number
from sandbox.papers.payment_life import now, put_on
from sandbox.papers.payment_rules import check_changed, check_new, parts_in, total_of, value_of
from sandbox.papers.refund_rules import check_refund
from sandbox.papers.shown import today_of
from sandbox.papers.states import write
from sandbox.papers.statuses import OfPayments
from sandbox.php.input import Input
from sandbox.store.database import Row, columns, select
from sandbox.wire.answers import bad_request, forbidden, server_error
from sandbox.wire.calls import Call

FILLABLE = (
    "number", "transaction_reference", "private_notes", "custom_value1", "custom_value2", "custom_value3",
    "custom_value4", "date", "exchange_rate", "assigned_user_id",
)  # fmt: skip
LOOKUPS = ("type_id", "exchange_currency_id")
KEYS = {"invoices": "invoice_id", "credits": "credit_id"}


def create_blank(call: Call) -> Response:
    """GET /payments/create: a payment that does not exist yet, of the client with number 0 (recorded)."""
    if not call.token.may("create_payment"):
        raise forbidden()
    row = dict.fromkeys(columns(call.world.db, "payments")) | {"client_id": 0, "status_id": OfPayments.PENDING}
    row |= {"user_id": call.token.user_id, "date": today_of(call), "exchange_rate": "1"}
    return envelope(call, PAYMENT.shown(call, [row])[0])


def store(call: Call) -> Response:
    """POST /payments. An amount of 0, or none, is what the invoices get less the credits.

    The client's paid_to_date grows by the whole amount and by the credits, whatever is applied.
    """
    if not call.token.may("create_payment"):
        raise forbidden()
    data = _ready(call.input)
    if data.get("amount") is None or (is_number(data["amount"]) and not value_of(data)):
        data["amount"] = float(total_of(parts_in(data, "invoices")) - total_of(parts_in(data, "credits")))
    data["date"] = data.get("date") or today_of(call)
    check_new(call, data)
    world, amount = call.world, value_of(data)
    paper = {"company_id": call.token.company_id, "user_id": call.token.user_id, "client_id": data["client_id"]}
    row = new_payment(call, paper, _own_rate(data) | _columns(data) | {"amount": money(amount)})
    add_figures(world, row, paid_to_date=amount + total_of(parts_in(data, "credits")))
    applied = put_on(call, row, data)
    compute_payment_balance(world, row)
    write(world, "payments", row["id"], {"applied": money(applied)})
    return item_answer(call, PAYMENT, now(world, row))


def save(call: Call) -> Response:
    """PUT /payments/{id}: puts more of it on invoices; its amount cannot be changed. The payment is completed again."""
    row = editable(call, PAYMENT)
    data = {name: value for name, value in _ready(call.input).items() if name != "amount"}
    check_changed(call, data, row)
    if row["is_deleted"]:
        raise bad_request("Record is deleted and cannot be edited. Restore the record to enable editing")
    values = _columns(data) | {"status_id": OfPayments.COMPLETED, "is_manual": 1}
    if "number" in values and not values["number"]:
        values["number"] = next_number(call.world, row["company_id"], "payments")
    write(call.world, "payments", row["id"], values)
    row = now(call.world, row)
    applied = amount_of(row, "applied") + put_on(call, row, data)
    write(call.world, "payments", row["id"], {"applied": money(applied)})
    compute_payment_balance(call.world, row)
    return item_answer(call, PAYMENT, now(call.world, row))


def _ready(sent: Input) -> Input:
    """The data as validation sees it, with row numbers for hashed ids."""
    data = dict(sent)
    for name in ("client_id", "assigned_user_id"):
        if isinstance(data.get(name), str):
            data[name] = row_number(data[name])
    for name, key in KEYS.items():
        data |= {name: [_decoded(part, key) for part in parts_in(data, name)]} if _is_array(data.get(name)) else {}
    return data


def _is_array(value: Any) -> bool:
    return isinstance(value, list | dict)


def _decoded(part: Mapping[str, Any], key: str) -> Input:
    return {**part, key: _row_of(part[key])} if key in part else dict(part)


def _row_of(sent: Any) -> Any:
    """The row number behind a hashed id; a number is one already. The server breaks on an array."""
    if _is_array(sent):
        raise server_error()
    return row_number(sent) if isinstance(sent, str) else sent


def _columns(data: Input) -> Row:
    """The columns that this data sets."""
    out = columns_of(data, FILLABLE)
    return out | {name: integer(data[name]) for name in LOOKUPS if name in data}


def _own_rate(data: Input) -> Row:
    """At a rate of its own, a new payment has no other currency unless it names one (processExchangeRates)."""
    return {} if value_of(data, "exchange_rate") in {0, 1} else {"exchange_currency_id": None}


def destroy(call: Call) -> Response:
    """DELETE /payments/{id}: soft; answers the payment as it was before (recorded)."""
    row = editable(call, PAYMENT)
    payment_life.delete(call, row)
    return item_answer(call, PAYMENT, row)


def refund(call: Call) -> Response:
    """POST /payments/refund: for admins; the server does not check whose payment it is (recorded)."""
    if not call.token.is_admin:
        raise forbidden()
    data = _ready(call.input)
    if "id" in data:
        data["id"] = _row_of(data["id"])
    check_refund(call, data)
    found = select(call.world.db, "payments", "id = ? AND deleted_at IS NULL", (data["id"],))
    if not found:
        raise server_error()
    before = PAYMENT.shown(call, found)[0]["paymentables"]  # the answer shows them as before the refund (recorded)
    return item_answer(call, PAYMENT, payment_life.refund(call, found[0], data), paymentables=before)


ACTIONS: Mapping[str, Action] = {
    "archive": payment_life.archive,
    "restore": payment_life.restore,
    "delete": payment_life.delete,
}


def act(call: Call) -> Response:
    """GET /payments/{id}/{action}: one action on one payment; an unknown one does nothing."""
    row, action = editable(call, PAYMENT), ACTIONS.get(call.ids["action"])
    if action:
        action(call, row)
    return item_answer(call, PAYMENT, now(call.world, row))


def bulk(call: Call) -> Response:
    """POST /payments/bulk: answers other companies' payments too, whole, but does nothing to them (recorded)."""
    ids = checked_ids(call)
    carry_out(call, PAYMENT, ids, ACTIONS)
    return list_answer(call, PAYMENT, with_ids(call, PAYMENT, ids, any_company=True))

"""Recurring invoices: patterns of invoices to come (RecurringInvoiceController). They move no figure of the client."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.books.client_settings import setting
from sandbox.papers.bulk import plain_actions
from sandbox.papers.entered import day_of
from sandbox.papers.figures import client_of
from sandbox.papers.invoices import FILLABLE
from sandbox.papers.kinds import Json, Kind, one_of, text_in
from sandbox.papers.lists import add_clients
from sandbox.papers.rules import Errors
from sandbox.papers.shown import day_at, paper_json, text, with_invitations
from sandbox.papers.states import write
from sandbox.papers.statuses import DRAFT
from sandbox.php import hashids
from sandbox.php.input import Input
from sandbox.php.text import to_int
from sandbox.records.lined import Lined
from sandbox.store.database import Row
from sandbox.wire.calls import Call

ACTIVE, PAUSED, COMPLETED = 2, 3, 4
SENT_AT = "17:00:00"
"""The time of the day at which the server sends (recorded)."""
ALWAYS_CHARGED = ("always", "optout")
FOR_EVER = -1
NOT_SHOWN = ("tax_info", "reminder1_sent", "reminder2_sent", "reminder3_sent", "reminder_last_sent")
"""Fields of other papers that a recurring invoice does not have."""


def _shown(call: Call, rows: Sequence[Row]) -> list[Json]:
    records = []
    for row in rows:
        record = {k: v for k, v in paper_json(row, "recurringInvoice").items() if k not in NOT_SHOWN}
        day = (row["next_send_date"] or "")[:10]
        record |= {
            "frequency_id": str(row["frequency_id"] or ""),
            "remaining_cycles": FOR_EVER if row["remaining_cycles"] is None else row["remaining_cycles"],
            "next_send_datetime": f"{day} {SENT_AT}" if day else "",
            "recurring_dates": [],
            "auto_bill": text(row["auto_bill"]),
            "auto_bill_enabled": bool(row["auto_bill_enabled"]),
            "due_date_days": text(row["due_date_days"]),
        }
        records.append(record)
    return with_invitations(call, rows, records, "recurring_invoice")


RECURRING_INVOICE = Kind(
    "recurring_invoices",
    "RecurringInvoice",
    "recurring_invoice",
    _shown,
    filters={
        "client_status": one_of(
            {
                "draft": "status_id = 1",
                "active": "status_id = 2",
                "paused": "status_id = 3",
                "completed": "status_id = 4",
            }
        ),
        "filter": text_in(
            "number", "date", "amount", "custom_value1", "custom_value2", "custom_value3", "custom_value4"
        ),
    },
    includes={"client": add_clients},
    relations=frozenset(("company", "user", "assigned_user", "documents", "invitations", "activities", "invoices")),
)


def start(call: Call, row: Row) -> None:
    """Start it, unless all its invoices were made."""
    if row["status_id"] in (DRAFT, PAUSED) and not row["is_deleted"]:
        write(
            call.world, "recurring_invoices", row["id"], {"status_id": ACTIVE if row["remaining_cycles"] else COMPLETED}
        )


def stop(call: Call, row: Row) -> None:
    """Pause one that runs."""
    if row["status_id"] == ACTIVE and not row["is_deleted"]:
        write(call.world, "recurring_invoices", row["id"], {"status_id": PAUSED})


def _completed(call: Call, sent: Input, row: Row) -> Row:
    """The columns of its own; the balance is the amount, in every state (recorded)."""
    out: Row = {"balance": row["amount"]}
    for name in ("frequency_id", "remaining_cycles"):
        if sent.get(name) is not None:
            out[name] = to_int(sent[name])
    if sent.get("next_send_date") or not row["next_send_date"]:
        out["next_send_date"] = f"{day_of(sent.get('next_send_date')) or day_at(call.world)} 00:00:00"
    out["due_date_days"] = str(sent.get("due_date_days") or row["due_date_days"] or "terms")
    client = client_of(call.world, row)
    out["auto_bill"] = str(sent.get("auto_bill") or row["auto_bill"] or setting(call.world.db, client, "auto_bill"))
    out["auto_bill_enabled"] = int(out["auto_bill"] in ALWAYS_CHARGED)
    if row["design_id"] is None:
        out["design_id"] = hashids.decode(setting(call.world.db, client, "invoice_design_id"))
    return out


def _refused(data: Input) -> Errors:
    missing = data.get("frequency_id") in (None, "", [], {})
    return {"frequency_id": ["The frequency id field is required."]} if missing else {}


RECURRING_INVOICES = Lined(
    RECURRING_INVOICE,
    FILLABLE - {"auto_bill_enabled"},
    {**plain_actions(RECURRING_INVOICE), "start": start, "stop": stop},
    completed=_completed,
    refused=_refused,
    dated=False,
)
